import { readdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

const ROOT = resolve(__dirname, '..', '..');

/** Folders whose lines are limited. Folders of other programs' output are not among them. */
const FOLDERS = ['src', 'test', 'typeorm-migrations'];

const FILE = /\.(?:ts|tsx|js|cjs|css|sql)$/;

/** The line length of .editorconfig and .prettierrc.json. Prettier breaks code, but no text, comment or SQL. */
export const MAX_LINE_LENGTH = 120;

/** An import or export of one name. Prettier keeps it on one line, however long. */
const SINGLE_NAME = /^(?:import|export) (?:type )?\{ (?:type )?[\w$]+(?: as [\w$]+)? \} from '[^']+';$/;

/** Returns the numbers of the lines with more than `MAX_LINE_LENGTH` characters. */
export function findLongLines(text: string): number[] {
  return text.split('\n').flatMap((line, index) => {
    const isLong = [...line].length > MAX_LINE_LENGTH && !SINGLE_NAME.test(line);
    return isLong ? [index + 1] : [];
  });
}

/** Lists the sources, tests and migrations by their paths in the repository. */
export function listLimitedFiles(): string[] {
  return FOLDERS.flatMap((folder) => readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && FILE.test(entry.name))
    .map((entry) => relative(ROOT, join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
}
