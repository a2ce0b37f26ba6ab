import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { createSourceFile, forEachChild, type Node, ScriptTarget, SyntaxKind } from 'typescript';

const ROOT = resolve(__dirname, '..', '..');

/** The folder of src that owns each table or view with another name: its entity or queries lie there. */
const OTHER_OWNERS: Readonly<Record<string, string>> = {
  access_alerts: 'auth',
  actor: 'audit',
  ai_budgets: 'ai',
  ai_calls: 'ai',
  ai_generations: 'ai',
  ai_runs: 'ai',
  ai_spending: 'ai',
  alert_deliveries: 'webhooks',
  audit_logs: 'audit',
  audited_tables: 'platform',
  backup_lock: 'backups',
  conversations: 'messages',
  context: 'platform',
  context_keys: 'platform',
  cosignatures: 'audit',
  data_keys: 'platform',
  email_outbox: 'platform',
  idempotency_keys: 'platform',
  key_rotations: 'platform',
  letter_versions: 'cover-letters',
  one_time_tokens: 'auth',
  partitioned_tables: 'platform',
  profiles: 'profile',
  proposal_status_changes: 'proposals',
  schema_migrations: 'platform',
  secret_key_check: 'platform',
  seals: 'audit',
  security_logs: 'audit',
  signed_session: 'platform',
  stream_positions: 'audit',
  syncs: 'sync',
  task_alerts: 'platform',
  task_runs: 'platform',
  task_settings: 'platform',
  tenant_job_stats: 'analytics',
  tiles: 'audit',
  user_job_stats: 'analytics',
  user_mfa: 'auth',
  user_tokens: 'tokens',
  verifications: 'audit',
  view_refreshes: 'platform',
  witnessed_logs: 'audit',
};

/** The folder of each table: the one of its name, or as above. A generated domain needs no line. */
const OWNERS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    listTables()
      .map((table) => [table, table.replaceAll('_', '-')] as const)
      .filter(isFolder),
  ),
  ...OTHER_OWNERS,
};

/** Reads across all domains on purpose: the export of a user's data, administration, and restored copies. */
const READ_ALL = ['src/users/account-data.service.ts', 'src/users/export-sections.ts', 'src/admin/', 'src/backups/'];

const TABLE =
  /\b(?:FROM|JOIN|INTO|UPDATE|TRUNCATE|LOCK TABLE)\s+(?:ONLY\s+)?(?:(?:public|app|audit)\.)?([a-z_]+)\b(?!\s*\()/g;

interface Rule {
  readonly name: string;
  readonly to: { readonly path: string | readonly string[] };
}

const { forbidden } = createRequire(__filename)(join(ROOT, '.dependency-cruiser.cjs')) as {
  forbidden: readonly Rule[];
};

/** Returns the tables and views of the catalog, without partitions. */
function listTables(): string[] {
  const catalog = JSON.parse(readFileSync(join(ROOT, 'test/contract/catalog.json'), 'utf8')) as { relations: object };
  const tables = Object.keys(catalog.relations).map((name) => name.replace(/^\w+\./, ''));
  return tables.filter((name) => !/_(?:<year.*|default)$/.test(name));
}

function isFolder([, name]: readonly [table: string, name: string]): boolean {
  return existsSync(join(ROOT, 'src', name));
}

/** Returns the tables that the SQL texts of a source file name. Only a source with such words is parsed. */
function tablesIn(file: string, source: string): string[] {
  if (source.search(TABLE) === -1) return [];
  const found: string[] = [];
  const visit = (node: Node): void => {
    if (isText(node)) found.push(...[...node.getText().matchAll(TABLE)].map(([, table = '']) => table));
    forEachChild(node, visit);
  };
  visit(createSourceFile(file, source, ScriptTarget.Latest, true));
  return [...new Set(found)].filter((table) => table in OWNERS);
}

function isText({ kind }: Node): boolean {
  const texts = [SyntaxKind.StringLiteral, SyntaxKind.NoSubstitutionTemplateLiteral];
  return [...texts, SyntaxKind.TemplateHead, SyntaxKind.TemplateMiddle, SyntaxKind.TemplateTail].includes(kind);
}

/** Returns whether the import rules let the folder use its neighbour; the platform uses no domain. */
function mayUse(folder: string, owner: string): boolean {
  if (folder === owner || owner === 'platform') return true;
  if (folder === 'platform') return false;
  const rule = forbidden.find(({ name }) => name === `${folder}-imports-only-allowed-domains`);
  return rule === undefined || !new RegExp([rule.to.path].flat().join('|')).test(`src/${owner}/`);
}

/** Returns `file: table of owner` for each table that the file's SQL reaches past the import rules. */
function crossings(file: string, source: string): string[] {
  const folder = file.split('/')[1] ?? '';
  if (READ_ALL.some((path) => file.startsWith(path))) return [];
  return tablesIn(file, source).flatMap((table) =>
    mayUse(folder, OWNERS[table]!) ? [] : `${file}: ${table} of ${OWNERS[table]}`,
  );
}

describe('the tables that SQL names', () => {
  it('belong to a folder each', () => {
    expect(listTables().sort()).toEqual(Object.keys(OWNERS).sort());
  });

  it("are the folder's own, or of a domain that it may import", () => {
    const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((name) => /(?<!\.spec|\.d)\.tsx?$/.test(name) && !name.startsWith('schematics'))
      .map((name) => `src/${name}`);

    expect(files.flatMap((file) => crossings(file, readFileSync(join(ROOT, file), 'utf8')))).toEqual([]);
  });

  it.each([
    [
      'src/profile/profile.service.ts',
      'const SQL = `SELECT 1 FROM webhooks`;',
      ['src/profile/profile.service.ts: webhooks of webhooks'],
    ],
    [
      'src/platform/cache/cache.ts',
      "query('UPDATE public.jobs SET title = $1');",
      ['src/platform/cache/cache.ts: jobs of jobs'],
    ],
    [
      'src/jobs/jobs.queries.ts',
      '`SELECT 1 FROM jobs j JOIN users u ON ${more}`',
      ['src/jobs/jobs.queries.ts: users of users'],
    ],
    ['src/jobs/jobs.queries.ts', '`SELECT app.jobs_due(1) FROM jobs`', []],
  ])('are found in %s', (file, source, expected) => {
    expect(crossings(file, source)).toEqual(expected);
  });
});
