import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { migrationSource } from '../../src/platform/database/schema/migration-source';

const FOLDER = resolve(__dirname, '..', '..', 'typeorm-migrations');
const DEFINITION = /^\s*CREATE (?:OR REPLACE )?FUNCTION (?:\w+\.)?(\w+)\s*\(/gm;

/** Reads each file in sql/, by its path without the extension. */
function files(): Map<string, string> {
  const names = readdirSync(join(FOLDER, 'sql'), { recursive: true, encoding: 'utf8' });
  const paths = names.filter((name) => name.endsWith('.sql')).sort();
  return new Map(paths.map((path) => [path.slice(0, -4), readFileSync(join(FOLDER, 'sql', path), 'utf8')]));
}

/** Returns the names of the functions that a text defines. */
function definitions(text: string): string[] {
  return [...text.matchAll(DEFINITION)].map(([, name]) => String(name));
}

/** Returns the statements of each migration, by its name without its time. */
async function statements(): Promise<Map<string, string[]>> {
  const classes = migrationSource('postgresql://nowhere/none').options.migrations as (new () => MigrationInterface)[];
  const sent = new Map<string, string[]>();
  for (const migration of classes.map((Class) => new Class())) {
    const texts: string[] = [];
    const query = (text: string): Promise<void> => Promise.resolve(void texts.push(text));
    await migration.up({ query } as unknown as QueryRunner);
    sent.set(kebab(String(migration.name)), texts);
  }
  return sent;
}

/** Turns `ProposalsMessages1795305908000` into `proposals-messages`. */
function kebab(name: string): string {
  return name
    .replace(/\d{13}$/, '')
    .replace(/(?<=[a-z0-9])(?=[A-Z])/g, '-')
    .toLowerCase();
}

describe('the SQL functions', () => {
  it('have one file each, with the name of the function and at most 300 lines', () => {
    const wrong = [...files()].filter(
      ([path, text]) => definitions(text).join() !== path.split('/')[1] || text.split('\n').length > 301,
    );

    expect(wrong.map(([path]) => path)).toEqual([]);
  });

  it('are each created once, by the migration with the name of their folder', async () => {
    const known = files();
    const created: string[] = [];
    for (const [migration, texts] of await statements()) {
      for (const [path, text] of known) {
        created.push(...texts.filter((sent) => sent === text).map(() => `${migration}: ${path}`));
      }
    }

    expect(created.sort()).toEqual([...known.keys()].map((path) => `${path.split('/')[0]}: ${path}`).sort());
  });

  it('are not in the text of a migration', () => {
    const migrations = readdirSync(FOLDER).filter((name) => name.endsWith('.ts'));
    const wrong = migrations.filter((name) => definitions(readFileSync(join(FOLDER, name), 'utf8')).length > 0);

    expect(wrong).toEqual([]);
  });

  it('are defined once: before the first release a change edits the definition', () => {
    const names = [...files()].flatMap(([, text]) => [...text.matchAll(/^CREATE (?:OR REPLACE )?FUNCTION ([\w.]+)/gm)]);
    const schemas = names.map(([, name]) => name);

    expect(schemas.length).toBeGreaterThan(50);
    expect(schemas.filter((name, at) => schemas.indexOf(name) !== at)).toEqual([]);
  });
});
