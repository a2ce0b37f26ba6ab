const { readdirSync } = require('node:fs');
const { join } = require('node:path');

/**
 * Imports run downwards only: main, worker → app.module → domains → platform → packages. Each domain, and the domains it
 * may use by their entities, modules and services. The same list says whose tables its SQL may name
 * (test/architecture/sql-tables.spec.ts).
 */
const MAY_USE = {
  auth: ['audit'],
  users: ['auth', 'audit'],
  jobs: ['audit'],
  proposals: ['jobs', 'audit'],
  messages: ['jobs', 'proposals', 'audit'],
  analytics: ['jobs', 'proposals', 'messages', 'templates', 'ai', 'audit'],
  profile: ['audit'],
  templates: ['audit'],
  ai: ['auth', 'jobs', 'profile', 'templates', 'messages'],
  'cover-letters': ['ai', 'proposals'],
  tokens: ['upwork', 'webhooks', 'audit'],
  upwork: [],
  webhooks: ['users', 'audit'],
  'saved-searches': ['webhooks', 'audit'],
  sync: ['jobs', 'proposals', 'messages', 'saved-searches', 'tokens', 'upwork', 'webhooks', 'audit'],
  audit: [],
  backups: [],
};

const DOMAINS = Object.keys(MAY_USE);

/** The other folders of src. `nest g task` creates tasks. */
const NO_DOMAINS = ['admin', 'cli', 'demo', 'local-services', 'platform', 'schematics', 'tasks'];

const folders = readdirSync(join(__dirname, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
const unruled = folders.filter(({ name }) => ![...DOMAINS, ...NO_DOMAINS].includes(name));
if (unruled.length > 0) {
  const names = unruled.map(({ name }) => `src/${name}`).join(', ');
  throw new Error(`${names}: no import rule knows it; add it to MAY_USE in .dependency-cruiser.cjs`);
}

const domainRules = DOMAINS.map((domain) => {
  const others = DOMAINS.filter((other) => other !== domain && !MAY_USE[domain].includes(other));
  return {
    name: `${domain}-knows-its-neighbours`,
    severity: 'error',
    comment: 'A new edge between domains is a decision: add it to MAY_USE.',
    from: { path: `^src/${domain}/` },
    to: { path: `^src/(${others.join('|')})/` },
  };
});

module.exports = {
  forbidden: [
    ...domainRules,
    {
      name: 'platform-knows-no-domain',
      severity: 'error',
      from: { path: '^src/platform/' },
      to: { path: `^src/(${DOMAINS.join('|')})/` },
    },
    {
      name: 'domains-meet-by-entity-module-service',
      severity: 'error',
      from: { path: `^src/(${DOMAINS.join('|')})/` },
      to: {
        path: `^src/(${DOMAINS.join('|')})/`,
        pathNot: ['^src/$1/', '\\.(entity|module|service|dto|guard|strategy|error|documents)\\.ts$'],
      },
    },
    {
      name: 'controllers-do-not-query',
      severity: 'error',
      from: { path: '\\.controller\\.ts$' },
      to: { path: ['\\.entity\\.ts$', '^node_modules/(typeorm|pg)/', '^src/platform/database/'] },
    },
    {
      name: 'connections-are-the-gates',
      severity: 'error',
      comment: 'Lint forbids the import; this forbids it in any other form.',
      from: { path: '^src/', pathNot: '^src/(platform/database|local-services|cli)/|\\.spec\\.ts$' },
      to: { path: '^node_modules/pg/' },
    },
    {
      name: 'dtos-are-plain',
      severity: 'error',
      comment: 'A DTO may read the entity it shows, by type.',
      from: { path: '\\.dto\\.ts$' },
      to: { path: ['\\.service\\.ts$', '\\.module\\.ts$', '\\.controller\\.ts$', '^node_modules/(typeorm|pg|bull)/'] },
    },
    {
      name: 'migrations-stand-alone',
      severity: 'error',
      comment: 'A migration that imports what may change tomorrow rewrites history.',
      from: { path: '^typeorm-migrations/' },
      to: { path: '^src/' },
    },
    {
      name: 'nothing-imports-the-top',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: '^src/(main|worker|app\\.module|worker\\.module)\\.ts$|^src/cli/|\\.spec\\.ts$',
      },
      to: { path: '^src/(main|worker|app\\.module|worker\\.module)\\.ts$' },
    },
    {
      name: 'local-services-above-platform-only',
      severity: 'error',
      comment: 'Used by cli, backups and demo; it knows the platform and no domain.',
      from: { path: '^src/local-services/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^src/(?!local-services/|platform/)' },
    },
    {
      name: 'local-services-for-entries-and-backups',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(local-services|cli|demo|backups)/|\\.spec\\.ts$' },
      to: { path: '^src/local-services/' },
    },
    {
      name: 'cli-and-demo-are-entries',
      severity: 'error',
      comment: 'The image holds no demo; a command is started, not imported.',
      from: { path: '^src/([^/]+)', pathNot: '\\.spec\\.ts$' },
      to: { path: '^src/(cli|demo)/', pathNot: '^src/$1/' },
    },
    {
      name: 'no-folder-circles',
      severity: 'error',
      scope: 'folder',
      from: { path: '^src/' },
      to: { circular: true },
    },
    {
      name: 'no-circles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, path: '^src/', pathNot: '\\.d\\.ts$|\\.spec\\.ts$|build\\.cjs$' },
      to: {},
    },
    {
      name: 'no-tests-in-the-product',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^test/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    includeOnly: '^(src|typeorm-migrations|ormconfig|node_modules)',
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.json', '.d.ts'] },
  },
};
