/** Zod schemas of the whole contract, by orval's defaults. */
module.exports = {
  zod: {
    input: '../openapi.json',
    output: { target: '../../../dist/clients/zod.ts', client: 'zod', mode: 'single' },
  },
};
