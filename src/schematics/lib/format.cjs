// @ts-check
const { format } = require('prettier/standalone');
const babel = require('prettier/plugins/babel');
const estree = require('prettier/plugins/estree');

/** @typedef {import('@angular-devkit/schematics').Tree} Tree */

/**
 * Formats files as `npm run format` does; where a line breaks depends on the generated name.
 * @param {Tree} workspace the repository, which has Prettier's settings
 * @param {readonly string[]} [paths] the files; by default all of the tree
 * @returns {import('@angular-devkit/schematics').Rule}
 */
function formatFiles(workspace, paths) {
  return async (tree) => {
    const { overrides, ...settings } = JSON.parse(workspace.readText('.prettierrc.json'));
    for (const path of paths ?? listFiles(tree)) {
      const options = { ...settings, ...overrides[0].options, filepath: path, plugins: [estree, babel] };
      const text = tree.readText(path);
      const formatted = await format(text, options);
      // The CLI lists each file that is written, also one that does not change.
      if (formatted !== text) tree.overwrite(path, formatted);
    }
  };
}

/** @param {Tree} tree @returns {string[]} */
function listFiles(tree) {
  /** @type {string[]} */
  const paths = [];
  tree.visit((path) => paths.push(path));
  return paths;
}

module.exports = { formatFiles };
