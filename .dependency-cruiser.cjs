const { readdirSync } = require('node:fs');
const { join } = require('node:path');

/**
 * Imports point downwards only: main, worker → app.module → domains → platform → packages. The keys are the domains;
 * the values are the domains whose entities, modules and services they may import.
 */
const MAY_USE = {
  auth: ['audit'],
  users: ['auth', 'audit'],
  jobs: ['audit'],
  proposals: ['jobs', 'audit'],
  messages: ['jobs', 'proposals', 'tokens', 'upwork', 'audit'],
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

/** The folders of src that are not domains. `nest g task` writes to tasks. */
const OTHER_FOLDERS = ['admin', 'cli', 'demo', 'local-services', 'platform', 'schematics', 'tasks'];

const folders = readdirSync(join(__dirname, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
const foldersWithoutRule = folders.filter(({ name }) => ![...DOMAINS, ...OTHER_FOLDERS].includes(name));
if (foldersWithoutRule.length > 0) {
  const names = foldersWithoutRule.map(({ name }) => `src/${name}`).join(', ');
  throw new Error(`${names}: has no import rule; add it to MAY_USE in .dependency-cruiser.cjs`);
}

const domainRules = DOMAINS.map((domain) => {
  const others = DOMAINS.filter((other) => other !== domain && !MAY_USE[domain].includes(other));
  return {
    name: `${domain}-imports-only-allowed-domains`,
    severity: 'error',
    comment: 'A new dependency between domains is a design decision: add it to MAY_USE.',
    from: { path: `^src/${domain}/` },
    to: { path: `^src/(${others.join('|')})/` },
  };
});

module.exports = {
  forbidden: [
    ...domainRules,
    {
      name: 'platform-imports-no-domain',
      severity: 'error',
      from: { path: '^src/platform/' },
      to: { path: `^src/(${DOMAINS.join('|')})/` },
    },
    {
      name: 'domains-import-only-public-files',
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
      name: 'only-database-imports-pg',
      severity: 'error',
      comment: 'ESLint forbids the import; this rule also covers require() and dynamic imports.',
      from: { path: '^src/', pathNot: '^src/(platform/database|local-services|cli)/|\\.spec\\.tsx?$' },
      to: { path: '^node_modules/pg/' },
    },
    {
      name: 'dtos-import-no-services',
      severity: 'error',
      comment: 'A DTO may import the type of its entity.',
      from: { path: '\\.dto\\.ts$' },
      to: { path: ['\\.service\\.ts$', '\\.module\\.ts$', '\\.controller\\.ts$', '^node_modules/(typeorm|pg|bull)/'] },
    },
    {
      name: 'migrations-import-nothing-of-src',
      severity: 'error',
      comment: 'A later change of imported code would change an applied migration.',
      from: { path: '^typeorm-migrations/' },
      to: { path: '^src/' },
    },
    {
      name: 'nothing-imports-the-entry-points',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: '^src/(main|worker|app\\.module|worker\\.module)\\.ts$|^src/cli/|\\.spec\\.tsx?$',
      },
      to: { path: '^src/(main|worker|app\\.module|worker\\.module)\\.ts$' },
    },
    {
      name: 'local-services-import-only-platform',
      severity: 'error',
      comment: 'cli, backups and demo use it; it may import the platform and no domain.',
      from: { path: '^src/local-services/', pathNot: '\\.spec\\.tsx?$' },
      to: { path: '^src/(?!local-services/|platform/)' },
    },
    {
      name: 'only-entry-points-and-backups-import-local-services',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(local-services|cli|demo|backups)/|\\.spec\\.tsx?$' },
      to: { path: '^src/local-services/' },
    },
    {
      name: 'nothing-imports-cli-and-demo',
      severity: 'error',
      comment: 'The image contains no demo, and commands are started, not imported.',
      from: { path: '^src/([^/]+)', pathNot: '\\.spec\\.tsx?$' },
      to: { path: '^src/(cli|demo)/', pathNot: '^src/$1/' },
    },
    {
      name: 'no-folder-cycles',
      severity: 'error',
      scope: 'folder',
      from: { path: '^src/' },
      to: { circular: true },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      comment: 'collection.json names the files of the schematics.',
      from: {
        orphan: true,
        path: '^src/',
        pathNot:
          '\\.d\\.ts$|\\.spec\\.tsx?$|(?:build|standby|verify-export)\\.cjs$|^src/schematics/\\w+/index\\.cjs$|/assets/',
      },
      to: {},
    },
    {
      name: 'src-imports-no-tests',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.spec\\.tsx?$' },
      to: { path: '^test/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    includeOnly: '^(src|typeorm-migrations|ormconfig|node_modules)',
    enhancedResolveOptions: { extensions: ['.ts', '.tsx', '.js', '.json', '.d.ts'] },
  },
};
