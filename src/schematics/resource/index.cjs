// @ts-check
const { chain, externalSchematic } = require('@angular-devkit/schematics');

const WARNING = `A plain resource is not safe in this repository: its routes have no access rule, its rows no tenant.
Lint reports it, and the server does not start. Use instead: nest g domain <plural> (CONTRIBUTING.md, A new domain).`;

/**
 * Implements `nest g resource <name>`: warns, then runs Nest's own schematic, which asks for missing options.
 * @param {object} options of Nest's schematic
 * @returns {import('@angular-devkit/schematics').Rule}
 */
function resource(options) {
  return chain([
    (_tree, context) => context.logger.warn(WARNING),
    externalSchematic('@nestjs/schematics', 'resource', options),
  ]);
}

module.exports = { resource };
