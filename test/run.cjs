/**
 * `npm test`: runs Jest. Without words it runs everything, in groups of files that load the application once. The word
 * `unit` selects the tests beside the code, which need no service; other words select single files by path, such as
 * `integration`, `e2e`, `contract` or `jobs`. A word that starts with a dash is an option of Jest.
 */
const { join } = require('node:path');
const { assertDevelopmentRequirements } = require('../src/cli/requirements.cjs');

assertDevelopmentRequirements();

const { run } = require('jest');

const UNIT_TESTS = './src/';

const args = process.argv.slice(2).map((word) => (word === 'unit' ? UNIT_TESTS : word));
const config = args.every((word) => word.startsWith('-')) ? 'jest.groups.config.cjs' : 'jest.config.cjs';

void run(['--config', join(__dirname, config), ...args]);
