import '../../src/app.module';
import { readFileSync } from 'node:fs';
import { listSensitiveNames } from '../../src/platform/logging/sensitive-fields';

/** A part of the OpenAPI document. */
interface Part {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Part>>;
}

interface Operation {
  readonly parameters?: readonly { readonly name?: string }[];
  readonly responses: Readonly<Record<string, Part>>;
}

interface Contract {
  readonly paths: Readonly<Record<string, { readonly post?: Operation }>>;
  readonly components: { readonly schemas: Readonly<Record<string, Part>> };
}

/**
 * Fields of stored responses that are private texts of the user, not credentials. `code` is that of a finding or error.
 */
const STORED_FIELDS = ['code', 'content', 'coverLetter', 'instructions', 'letter', 'screeningAnswers', 'text'];

const { paths, components } = JSON.parse(readFileSync('test/contract/openapi.json', 'utf8')) as Contract;

/** Returns the names of all fields in a part of the document, following references. */
function listFields(part: unknown, seen = new Set<unknown>()): string[] {
  if (typeof part !== 'object' || part === null || seen.has(part)) return [];
  seen.add(part);
  const { $ref, properties = {} } = part as Part;
  const target = $ref === undefined ? undefined : components.schemas[$ref.split('/').at(-1) ?? ''];
  const inner = [target, ...Object.values(part)].flatMap((value) => listFields(value, seen));
  return [...Object.keys(properties), ...inner];
}

describe('fields marked by @Sensitive()', () => {
  it('are the credentials and the private texts of all bodies', () => {
    expect(listSensitiveNames().sort()).toEqual([
      'accessToken',
      'authorization',
      'backupCode',
      'backupCodes',
      'code',
      'content',
      'cookie',
      'coverLetter',
      'currentPassword',
      'instructions',
      'lastText',
      'letter',
      'mfaToken',
      'newPassword',
      'otpauthUrl',
      'password',
      'prompt',
      'proxy-authorization',
      'qrCode',
      'refreshToken',
      'screeningAnswers',
      'secret',
      'set-cookie',
      'text',
      'token',
    ]);
  });

  it('are no credentials in a response that is stored for an Idempotency-Key', () => {
    const posts = Object.values(paths).flatMap(({ post }) => post ?? []);
    const stored = posts
      .filter(({ parameters }) => parameters?.some(({ name }) => name === 'Idempotency-Key'))
      .flatMap(({ responses }) => Object.entries(responses))
      .flatMap(([status, response]) => (status.startsWith('2') ? listFields(response) : []));
    const isSensitive = new Set(listSensitiveNames());

    expect(stored).toContain('id');
    expect([...new Set(stored)].filter((field) => isSensitive.has(field)).sort()).toEqual(STORED_FIELDS);
  });
});
