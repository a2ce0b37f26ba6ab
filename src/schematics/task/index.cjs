// @ts-check
const { apply, applyTemplates, chain, mergeWith, move, url } = require('@angular-devkit/schematics');
const { addImport, addMember } = require('../lib/edits.cjs');
const { assertTaskName } = require('../lib/names.cjs');
const { printAtTheEnd } = require('../lib/next-steps.cjs');
const { assertWhole } = require('../lib/whole.cjs');
const { capital, snake } = require('../lib/words.cjs');

/** @typedef {{ name: string, spec?: boolean, skipImport?: boolean, path?: string }} Options */

const SCHEDULE = 'src/tasks/scheduled-tasks.ts';

/**
 * `nest g task <name>`: writes a scheduled task with its test and puts it on the schedule, by which it is on the
 * dashboard too. Writes all of it or nothing.
 * @param {Options} options
 * @returns {import('@angular-devkit/schematics').Rule}
 */
function task(options) {
  return (tree) => {
    assertWhole(options);
    const { name } = options;
    assertTaskName(tree, name);
    const constant = snake(name).toUpperCase();
    const words = name.replaceAll('-', ' ');
    const camel = name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
    const files = apply(url('./files'), [
      applyTemplates({ name, constant, camel, Title: capital(words), minute: minuteOf(name) }),
      move('/'),
    ]);
    printAtTheEnd([`npm test -- ${name}`, 'npm run gates', 'npm start']);
    return chain([
      mergeWith(files),
      (before) => {
        addImport(before, SCHEDULE, `import { ${constant} } from './${name}.task';`);
        addMember(before, SCHEDULE, 'SCHEDULED_TASKS', constant);
      },
    ]);
  };
}

/** Spreads the tasks over the hour, each always at the same minute. @param {string} name @returns {number} */
function minuteOf(name) {
  return [...name].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 60, 0);
}

module.exports = { task };
