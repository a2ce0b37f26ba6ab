import { isFileOfSetting } from '../../platform/config/load-config';
import { settings } from '../../platform/config/settings';
import { type Finding, warning } from './finding';
import { findSimilarSetting } from './settings-checks';

/** Variables that other programs read: Node, HTTP clients, AWS, and commands of this product besides its settings. */
const OTHERS =
  /^(?:(?:NODE|npm|AWS|COMPOSE|DOCKER)_.*|(?:HTTPS?|ALL|NO)_PROXY|PATH|HOME|TZ|LANG|LC_.*|TMPDIR|XDG_.*|PG[A-Z]+)$/i;
const COMMANDS = ['DATABASE_SUPERUSER_URL', 'UPWORK_ACCESS_TOKEN', 'GIGVAULT_POSTGRES_PACKAGE'];

/** A quoted value, which may have several lines. */
const QUOTED_VALUE = /=[ \t]*(["'`])[\s\S]*?\1/g;

/** Returns the lines of a file; quoted values are replaced by line breaks, so that all lines keep their numbers. */
function splitLines(text: string): string[] {
  return text.replace(QUOTED_VALUE, (value) => `=${value.replace(/[^\n]/g, '')}`).split('\n');
}

/**
 * Warns about each variable of the file `.env` that no program reads, and each line that is no assignment. A variable
 * of the environment may belong to any program, but the file is of this product.
 * @param compose the compose file, which reads the same file
 */
export function checkEnvironmentFile(text: string, compose: string): Finding[] {
  const ofCompose = [...compose.matchAll(/\$\{(\w+)/g)].map(([, name]) => name);
  const known = new Set([...Object.keys(settings.shape), ...COMMANDS, ...ofCompose]);
  return splitLines(text).flatMap((line, index) => {
    if (/^\s*(?:#|$)/.test(line)) return [];
    const name = readName(line);
    if (name === undefined) return [describeInvalidLine(index + 1)];
    return known.has(name) || isFileOfSetting(name) || OTHERS.test(name) ? [] : [describeUnknown(name)];
  });
}

/** Returns the name that a line assigns; undefined without one. */
function readName(line: string): string | undefined {
  const [name, value] = line.replace(/^\s*export\s+/, '').split('=', 2);
  return value === undefined ? undefined : name?.trim();
}

/** Its text is not shown: it may be a secret. */
function describeInvalidLine(number: number): Finding {
  const detail = `line ${number} of .env has no =, and Node ignores the setting after it`;
  return warning('settings', detail, 'write NAME=value, or # before a comment');
}

function describeUnknown(name: string): Finding {
  const meant = findSimilarSetting(name);
  if (meant !== undefined)
    return warning('settings', `${name} in .env is no setting; ${meant} is`, `rename ${name} to ${meant}`);
  return warning('settings', `${name} in .env is no setting`, 'remove it; .env.example has the settings');
}
