// @ts-check
const { apply, applyTemplates, chain, mergeWith, move, url } = require('@angular-devkit/schematics');
const { addImport, addMember } = require('../lib/edits.cjs');
const { formatFiles } = require('../lib/format.cjs');
const { assertTaskName } = require('../lib/names.cjs');
const { printNextSteps } = require('../lib/next-steps.cjs');
const { assertComplete } = require('../lib/complete.cjs');
const { capital, snake } = require('../lib/words.cjs');

/** @typedef {{ name: string, spec?: boolean, skipImport?: boolean, path?: string }} Options */

const SCHEDULE = 'src/scheduled-tasks.ts';

/**
 * Implements `nest g task <name>`: writes a scheduled task with its test and adds it to the schedule, which the
 * dashboard shows. Writes everything or nothing.
 * @param {Options} options
 * @returns {import('@angular-devkit/schematics').Rule}
 */
function task(options) {
  return (tree) => {
    assertComplete(options);
    const { name } = options;
    assertTaskName(tree, name);
    const constant = snake(name).toUpperCase();
    const words = name.replaceAll('-', ' ');
    const camel = name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
    const files = apply(url('./files'), [
      applyTemplates({ name, constant, camel, Title: capital(words), minute: pickMinute(name) }),
      move('/'),
      formatFiles(tree),
    ]);
    printNextSteps([`npm test -- ${name}`, 'npm run gates', 'npm start']);
    return chain([
      mergeWith(files),
      (before) => {
        addImport(before, SCHEDULE, `import { ${constant} } from './tasks/${name}.task';`);
        addMember(before, SCHEDULE, 'SCHEDULED_TASKS', constant);
      },
      formatFiles(tree, [SCHEDULE]),
    ]);
  };
}

/**
 * Picks the minute of the hour from the name, so that tasks do not all start together.
 * @param {string} name
 * @returns {number}
 */
function pickMinute(name) {
  return [...name].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 60, 0);
}

module.exports = { task };
