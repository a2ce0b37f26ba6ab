const { existsSync, readFileSync, readdirSync } = require('node:fs');
const { join } = require('node:path');
const { LONG_TESTS } = require('./groups/grouped-tests.cjs');

const root = join(__dirname, '..');

/**
 * Returns every installed package of ES modules, to be transformed to CommonJS: Jest on Node 20 cannot require them,
 * and Nest 12 and Preact consist of them. A manual list would be outdated by the next install.
 */
function esModulePackages(folder = join(root, 'node_modules')) {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .flatMap(({ name }) => {
      const path = join(folder, name);
      if (name.startsWith('@')) return esModulePackages(path).map((inner) => `${name}/${inner}`);
      const nested = existsSync(join(path, 'node_modules')) ? esModulePackages(join(path, 'node_modules')) : [];
      const manifest = join(path, 'package.json');
      const { type, main } = existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')) : {};
      return type === 'module' || String(main).endsWith('.mjs') ? [name, ...nested] : nested;
    });
}

const esModules = [...new Set(esModulePackages())].map((name) => name.replace(/[.+]/g, '\\$&')).join('|');
const swc = { ...JSON.parse(readFileSync(join(root, '.swcrc'), 'utf8')), swcrc: false, $schema: undefined };

/** @type {import('jest').Config} */
module.exports = {
  rootDir: root,
  roots: ['<rootDir>/src', '<rootDir>/test'],
  testEnvironment: 'node',
  testRegex: ['/src/.*\\.spec\\.tsx?$', '/test/.*[.-]spec\\.ts$'],
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/dist/', ...LONG_TESTS],
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  transform: { '\\.[cm]?[jt]sx?$': ['@swc/jest', swc] },
  transformIgnorePatterns: [`/node_modules/(?!(?:.*/node_modules/)?(?:${esModules})/)`],
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  // Random order makes tests fail that depend on the order in the file.
  randomize: true,
  maxWorkers: 2,
  // Each file loads the whole application again, and a worker keeps the memory of earlier files.
  workerIdleMemoryLimit: '1GB',
  // Ends a test that hangs; no verdict depends on it.
  testTimeout: 300_000,
  // On a busy machine a worker needs more than the default of half a second to free its memory.
  workerGracefulExitTimeout: 20_000,
};
