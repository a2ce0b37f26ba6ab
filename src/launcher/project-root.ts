import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Returns the checkout's root (the nearest folder above with a package.json), the same from src/ and from dist/. */
export function projectRoot(): string {
  let folder = __dirname;
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error(`No package.json above ${__dirname}`);
    folder = parent;
  }
  return folder;
}
