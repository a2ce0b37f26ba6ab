/**
 * `npm test`: runs Jest. The word `unit` selects the tests beside the code, which need no service; other words select
 * by path, such as `integration`, `e2e`, `contract` or `jobs`. A word that starts with a dash is an option of Jest.
 */
const { join } = require('node:path');
const { run } = require('jest');

const UNIT_TESTS = './src/';

const args = process.argv.slice(2).map((word) => (word === 'unit' ? UNIT_TESTS : word));

void run(['--config', join(__dirname, 'jest.config.cjs'), ...args]);
