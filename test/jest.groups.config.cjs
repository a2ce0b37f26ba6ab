const { ENTRY_FILE, listGroupedTests } = require('./groups/grouped-tests.cjs');
const { testPathIgnorePatterns, testRegex, ...config } = require('./jest.config.cjs');

/** Returns the pattern of exactly this file. */
const matchOnly = (path) => `<rootDir>/${path.replaceAll('.', '\\.')}$`;

/**
 * `npm test` without words: the same tests as jest.config.cjs, but those that load code of the application run in
 * groups. Each group loads it once, which saves more than half of the CPU time.
 * @type {import('jest').Config}
 */
module.exports = {
  ...config,
  testRegex: [...testRegex, ENTRY_FILE],
  testPathIgnorePatterns: [...testPathIgnorePatterns, ...listGroupedTests().map(matchOnly)],
  // A worker for each group, and one for single files. Tests also wait for timers and connections, so two workers leave
  // two processors idle.
  maxWorkers: 4,
  testSequencer: '<rootDir>/test/groups/groups-first.cjs',
};
