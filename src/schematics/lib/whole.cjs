// @ts-check
const { SchematicsException } = require('@angular-devkit/schematics');

/**
 * The CLI's general switches that would leave something out are not for what is safe only as a whole.
 * @param {{ spec?: boolean, skipImport?: boolean, path?: string }} options
 */
function assertWhole({ spec, skipImport, path }) {
  if (spec === false || skipImport === true || path !== undefined) {
    throw new SchematicsException(
      '--no-spec, --skip-import and a path are not for this: it is written whole. Nothing was written.',
    );
  }
}

module.exports = { assertWhole };
