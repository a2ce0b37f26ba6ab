// @ts-check
const { SchematicsException } = require('@angular-devkit/schematics');

/**
 * Rejects the CLI's general options that leave out a part, because only the complete result is safe.
 * @param {{ spec?: boolean, skipImport?: boolean, path?: string }} options
 */
function assertComplete({ spec, skipImport, path }) {
  if (spec === false || skipImport === true || path !== undefined) {
    throw new SchematicsException(
      '--no-spec, --skip-import and --path are not supported: the result is always complete. Nothing was written.',
    );
  }
}

module.exports = { assertComplete };
