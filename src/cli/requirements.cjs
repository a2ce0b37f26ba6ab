// @ts-check
// Checks what every command of the checkout needs before it loads a package: the version of Node, and the packages.
// Older versions of Node run this file too; without the check they fail later with an error that names neither.
const { existsSync } = require('node:fs');
const { join } = require('node:path');
const { dependencies, devDependencies, engines } = require('../../package.json');

const wanted = engines.node.replace(/^>=/, '');

/** @param {string} version @returns {number} a number by which versions can be compared */
function rank(version) {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  return (major * 1_000 + minor) * 1_000 + patch;
}

/** @param {readonly string[]} names @returns {string[]} the packages that no node_modules folder contains */
function findMissing(names) {
  return names.filter((name) => !module.paths.some((folder) => existsSync(join(folder, name, 'package.json'))));
}

/** @param {readonly string[]} names @returns {string | undefined} what is wrong, and the cure */
function findProblem(names) {
  const version = process.version.slice(1);
  if (rank(version) < rank(wanted))
    return (
      `Node         v${version} is too old; ${wanted} or newer is needed. ` +
      'Cure: nvm install 24 (or Node 24 from https://nodejs.org), then npm ci'
    );
  const missing = findMissing(names);
  return missing.length === 0 ? undefined : `packages     not installed: ${missing.join(', ')}. Cure: npm ci`;
}

/**
 * Ends the process with a line like those of the doctor when Node is too old or a package is missing.
 * @param {readonly string[]} [names] the packages; by default those of the product
 */
function assertRequirements(names = Object.keys(dependencies)) {
  const problem = findProblem(names);
  if (problem === undefined) return;
  process.stderr.write(`problem  ${problem}\n`);
  process.exit(1);
}

/** Does the same with the packages of the product and of its development. */
function assertDevelopmentRequirements() {
  assertRequirements(Object.keys({ ...dependencies, ...devDependencies }).sort());
}

module.exports = { assertRequirements, assertDevelopmentRequirements };
