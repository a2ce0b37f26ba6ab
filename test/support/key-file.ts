import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeyFile, newMasterKey } from '../../src/platform/encryption/key-file';

/** A key file of a test's own, with one key `k1`. */
export interface TestKeyFile {
  /** What makes processes use it, by the names of the settings. */
  readonly settings: Readonly<Record<string, string>>;
  remove(): void;
}

/** Makes such a file. */
export function aKeyFile(): TestKeyFile {
  const folder = mkdtempSync(join(tmpdir(), 'gigvault-keys-'));
  const path = join(folder, 'encryption-keys.json');
  new KeyFile(path).create({ current: 'k1', keys: new Map([['k1', newMasterKey()]]) });
  return {
    settings: { ENCRYPTION_KEYS: '', ENCRYPTION_KEY_FILE: path },
    remove: () => rmSync(folder, { recursive: true }),
  };
}
