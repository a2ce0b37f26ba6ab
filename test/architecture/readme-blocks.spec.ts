import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { settings } from '../../src/platform/config/settings';

const ROOT = resolve(__dirname, '..', '..');
const DOCUMENTS = ['README.md', 'CONTRIBUTING.md'];

const { scripts } = JSON.parse(readText('package.json')) as { scripts: Record<string, string> };
const { paths } = JSON.parse(readText('test/contract/openapi.json')) as { paths: Record<string, object> };
const routes = Object.keys(paths).map((path) => new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`));

/** Variables that the documents define or that are no settings of the servers. */
const OTHER_VARIABLES = new Set(['REQUEST_ID', 'DATABASE_SUPERUSER_URL', 'UPDATE_CONTRACTS']);

function readText(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

/** Returns the fenced blocks of a Markdown text. */
function findBlocks(markdown: string): string {
  return [...markdown.matchAll(/^```\w*\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block).join('\n');
}

/** Returns the npm scripts that a text names and package.json does not have. */
function findUnknownScripts(text: string): string[] {
  const names = [...text.matchAll(/\bnpm run (?:-s )?([a-z][\w:-]*)/g)].map(([, name = '']) => name);
  return names.filter((name) => !(name in scripts));
}

/** Returns the API's paths in the blocks that the OpenAPI document does not have. */
function findUnknownRoutes(blocks: string): string[] {
  const found = [...blocks.matchAll(/\$API(\/[\w/$-]*)/g)].map(([, path = '']) => `/v1${path}`);
  return found.filter((path) => !routes.some((route) => route.test(path)));
}

/** Returns the variables that the blocks set and no setting has. */
function findUnknownSettings(blocks: string): string[] {
  const names = [...blocks.matchAll(/\b([A-Z][A-Z0-9]*_[A-Z0-9_]+)=/g)].map(([, name = '']) => name);
  return names.filter((name) => !(name in settings.shape) && !OTHER_VARIABLES.has(name));
}

describe.each(DOCUMENTS)('the commands of %s', (document) => {
  const text = readText(document);
  const blocks = findBlocks(text);

  it('name scripts that exist', () => expect(findUnknownScripts(text)).toEqual([]));
  it('call routes that exist', () => expect(findUnknownRoutes(blocks)).toEqual([]));
  it('set settings that exist', () => expect(findUnknownSettings(blocks)).toEqual([]));
});

describe('a block with a mistake', () => {
  it('is reported for a script, a route and a setting', () => {
    const blocks = findBlocks('```sh\nNO_SUCH_SETTING=1 npm run no-such\ncurl $API/no-such/$ID\n```\n');

    expect(findUnknownScripts(blocks)).toEqual(['no-such']);
    expect(findUnknownRoutes(blocks)).toEqual(['/v1/no-such/$ID']);
    expect(findUnknownSettings(blocks)).toEqual(['NO_SUCH_SETTING']);
  });
});
