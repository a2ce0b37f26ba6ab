const { createHash } = require('node:crypto');
const { readdirSync, readFileSync } = require('node:fs');
const { basename, join, sep } = require('node:path');

const ROOT = join(__dirname, '..', '..');

/** The folders whose tests load code of the application. */
const FOLDERS = ['src', ...['architecture', 'contract', 'e2e', 'integration', 'rls'].map((name) => join('test', name))];

/**
 * Tests that load no application: they start programs, or copy large buffers, whose collection takes longer in the heap
 * of a group. They fill the time when the groups have ended.
 */
const RUNS_ALONE = [
  '/test/architecture/test-groups\\.spec\\.ts$',
  '/test/integration/backup-stores\\.integration-spec\\.ts$',
];

/** Calls that replace modules. A test with one needs a module registry of its own, so it runs alone. */
const REPLACES_MODULES = /\bjest\s*\.\s*(?:mock|doMock|setMock|isolateModules|resetModules|unstable_)/;

/**
 * Tests that start the whole product or a browser, execute every example of the documentation, lint the repository or a
 * copy of it, read thousands of rows or many rooms, or take longer than half a minute: `npm run test:stress` runs them.
 */
const LONG_TESTS = [
  '/test/stress/.*\\.spec\\.ts$',
  '/test/architecture/(guards|import-rules|nest-generate)\\.spec\\.ts$',
  '/test/bench/bench\\.spec\\.ts$',
  '/test/e2e/(backups|demo-upwork|error-fallback|jobs-import-memory|restore)\\.e2e-spec\\.ts$',
  '/test/e2e/(long-rooms|sync-rooms|upwork-broken)\\.e2e-spec\\.ts$',
  '/test/e2e/dashboard-(browser|degraded|queue-board)\\.e2e-spec\\.ts$',
  '/test/e2e/(swagger-(browser|demo|execute)|upwork-connections)\\.e2e-spec\\.ts$',
  '/test/integration/(audit-tiles|jobs-plans|key-rotation|list-plans)\\.integration-spec\\.ts$',
  '/test/integration/(postgres|redis)-failover\\.integration-spec\\.ts$',
  '/test/launcher/(?!embedded-).*\\.spec\\.ts$',
  '/test/schematics/generator\\.spec\\.ts$',
];

/** Matches the entry file of a group. A copy of one under another number adds a group. */
const ENTRY_FILE = '/test/groups/group-\\d+\\.cjs$';

/** Returns the tests of each group by its entry file: the first goes to the first group, the next to the second, … */
function listGroups() {
  const tests = listGroupedTests();
  const entries = readdirSync(__dirname).filter((name) => new RegExp(ENTRY_FILE).test(`/test/groups/${name}`));
  const takeTests = (group) => tests.filter((_, index) => index % entries.length === group);
  return Object.fromEntries(entries.map((name, group) => [name, takeTests(group)]));
}

/**
 * Returns every test in the folders that is not long, need not run alone and replaces no modules. The largest are
 * first, so groups are about equally large. With TEST_GROUPING, a text, the order is another one for each text: it
 * finds tests that depend on others of their group.
 */
function listGroupedTests() {
  return FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true }).map((name) => join(folder, name)),
  )
    .map((path) => path.replaceAll(sep, '/'))
    .filter((path) => /[.-]spec\.tsx?$/.test(path))
    .filter((path) => ![...LONG_TESTS, ...RUNS_ALONE].some((pattern) => new RegExp(pattern).test(`/${path}`)))
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }))
    .filter(({ text }) => !REPLACES_MODULES.test(text))
    .sort(process.env.TEST_GROUPING ? compareHashes : compareLengths)
    .map(({ path }) => path);
}

function compareLengths(one, other) {
  return other.text.length - one.text.length || (one.path < other.path ? -1 : 1);
}

function compareHashes(one, other) {
  const hash = ({ path }) => createHash('sha256').update(`${process.env.TEST_GROUPING}${path}`).digest('hex');
  return hash(one) < hash(other) ? -1 : 1;
}

/** Declares the tests of an entry file: a block per file, in one module registry, so the application loads once. */
function declareGroup(entryFile) {
  for (const path of listGroups()[basename(entryFile)]) {
    describe(path, () => {
      require(join(ROOT, path));
      // Runs after the hooks of the file, which may rely on its mocks. The next file starts as if it ran alone.
      afterAll(() => {
        jest.restoreAllMocks();
        jest.useRealTimers();
      });
    });
  }
}

module.exports = { ENTRY_FILE, LONG_TESTS, declareGroup, listGroupedTests };
