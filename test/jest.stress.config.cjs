const {
  testPathIgnorePatterns: [packages, build, ...longTests],
  ...config
} = require('./jest.config.cjs');

/**
 * `npm run test:stress`: the tests that `npm test` leaves out. Most start servers of their own, so one file runs at a
 * time.
 * @type {import('jest').Config}
 */
module.exports = {
  ...config,
  testRegex: longTests,
  testPathIgnorePatterns: [packages, build],
  maxWorkers: 1,
  testTimeout: 900_000,
};
