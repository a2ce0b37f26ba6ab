import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { KeyFile, newMasterKey } from './key-file';
import { LocalMasterKeys } from './master-keys';

const CONTEXT = Buffer.from('a context');

describe(KeyFile.name, () => {
  let folder: string;
  let file: KeyFile;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gigvault-keys-'));
    file = new KeyFile(join(folder, 'keys.json'));
    file.create({ current: 'k1', keys: new Map([['k1', newMasterKey()]]) });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Creates the master keys of another process. */
  const createProcess = () => new LocalMasterKeys({ encryption: { keys: [], keyFile: file.path } });

  it('is created once, readable by its owner only, without a left-over draft', () => {
    const made = file.read();

    file.create({ current: 'other', keys: new Map([['other', newMasterKey()]]) });

    expect(file.read()).toEqual(made);
    expect(statSync(file.path).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['keys.json']);
  });

  it.each([
    ['a file readable by others', () => chmodSync(file.path, 0o644), 'chmod 600'],
    ['no file', () => rmSync(file.path), 'restore it'],
    ['a file without JSON', () => writeFileSync(file.path, 'k1'), 'not a valid file'],
    ['a missing current key', () => writeFileSync(file.path, '{"current":"k2","keys":{}}'), 'not a valid file'],
    ['a short key', () => writeFileSync(file.path, '{"current":"k1","keys":{"k1":"c2hvcnQ="}}'), 'not a valid file'],
  ])('rejects %s', (_, spoil, words) => {
    spoil();

    expect(createProcess).toThrow(words);
  });

  it('keeps the right of a group to read it', async () => {
    chmodSync(file.path, 0o640);

    await createProcess().prepare('k2');

    expect(statSync(file.path).mode & 0o777).toBe(0o640);
    expect(createProcess().ids).toEqual(['k1', 'k2']);
  });

  it('loses no key in concurrent changes, and ignores the lock of a dead process', async () => {
    const ids = Array.from({ length: 20 }, (_, i) => `n${i}`);
    const lock = `${file.path}.lock`;
    writeFileSync(lock, '');
    utimesSync(lock, new Date(0), new Date(0));

    await Promise.all(ids.map((id) => createProcess().prepare(id)));

    expect([...file.read().keys.keys()].sort()).toEqual(['k1', ...ids].sort());
    expect(readdirSync(folder)).toEqual(['keys.json']);
  });

  it('shows a prepared key to every process before it wraps, and promotes it everywhere at once', async () => {
    const [one, other] = [createProcess(), createProcess()];
    const old = await one.wrap(newMasterKey(), CONTEXT);

    await one.prepare('k2');
    await one.prepare('k2');
    expect([other.currentId, other.ids]).toEqual(['k1', ['k1', 'k2']]);
    expect(await other.wrap(newMasterKey(), CONTEXT)).toMatch(/^w1\.k1\./);

    await one.promote('k2');
    const wrapped = await other.wrap(newMasterKey(), CONTEXT);
    expect(wrapped).toMatch(/^w1\.k2\./);
    for (const process of [one, other])
      for (const text of [old, wrapped]) expect(await process.unwrap(text, CONTEXT)).toHaveLength(32);

    await expect(one.retire('k2')).rejects.toThrow('current');
    await one.retire('k1');
    expect(other.ids).toEqual(['k2']);
    await expect(createProcess().unwrap(old, CONTEXT)).rejects.toThrow('k1');
  });

  it('keeps the last known keys while the file cannot be read', async () => {
    const process = createProcess();
    Logger.overrideLogger(false);
    rmSync(file.path);

    expect(await process.unwrap(await process.wrap(newMasterKey(), CONTEXT), CONTEXT)).toHaveLength(32);
    await expect(process.prepare('k2')).rejects.toThrow('ENCRYPTION_KEY_FILE');
  });
});
