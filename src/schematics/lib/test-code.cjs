// @ts-check
const { isFilter, quote, typeOf } = require('./field-code.cjs');
const { wrapList } = require('./words.cjs');

/**
 * @typedef {import('./field-types.cjs').Field} Field
 * @typedef {import('./field-code.cjs').Shape} Shape
 */

/**
 * Returns the parts of a domain's tests that depend on its fields and its parent.
 * @param {Shape} shape
 */
function buildTestCode(shape) {
  return { ...buildRowCode(shape), ...buildRequestCode(shape), ...buildFilterCode(shape) };
}

/** Builds the rows of factories, integration tests and the matrix, besides the tenant. @param {Shape} shape */
function buildRowCode({ fields, parent }) {
  const [first] = fields;
  const columns = fields.map(({ column }) => column);
  const values = fields.map((field) => toSql(field, 0));
  /** @param {readonly string[]} items */
  const join = (items) =>
    wrapList(
      items.filter((item) => item !== ''),
      '       ',
    );
  return {
    /** @param {string} [tenant] the column of the tenant; none for a row of the current one */
    rowColumns: (tenant = '') => join([tenant, parent?.column ?? '', ...columns]),
    /** @param {string} tenant SQL of the tenant @param {string} [reference] SQL of the parent's id */
    rowValues: (tenant, reference = '') => join([tenant, parent ? reference : '', ...values]),
    firstColumn: first?.column,
    /** @param {0 | 1} which of the samples */
    setFirst: (which) => first && `${first.column} = ${toSql(first, which)}`,
    entityValues: fields.map((field) => `${field.name}: ${toEntityValue(field)}`).join(', '),
  };
}

/** @param {Shape} shape */
function buildRequestCode({ words, fields, parent }) {
  const build = `build${words.Singular}`;
  const required = fields.filter(({ isNullable }) => !isNullable).map(({ name }) => name);
  return {
    sampleFields: fields.map((field) => `${field.name}: ${toSample(field, 0)}`).join(', '),
    changedFields: fields.map((field) => `${field.name}: ${field.isNullable ? 'null' : toSample(field, 1)}`).join(', '),
    /** @param {'ann' | 'bob'} owner @param {string} [values] */
    body: (owner, values) => {
      if (!parent) return `${build}(${values ?? ''})`;
      return `${build}({ ${parent.field}: ${owner}${parent.words.Singular}${values ? `, ...${values}` : ''} })`;
    },
    invalidValues: [
      ...(parent ? ['undefined', 'null', `'x'`, '1.5', '0'].map((value) => toCase(parent.field, value)) : []),
      ...fields.flatMap(listInvalid),
    ].join('\n'),
    notNull: required.map((name) => `{ ${name}: null }, `).join(''),
  };
}

/** @param {Field} field @returns {string[]} a case for each value that is refused */
function listInvalid(field) {
  const missing = field.isNullable ? [] : ['undefined', 'null'];
  return [...missing, ...typeOf(field.type).invalid(field)].map((value) => toCase(field.name, value));
}

/** @param {string} name @param {string} value */
const toCase = (name, value) => `['${name}', { ${name}: ${value} }],`;

/** @param {Shape} shape */
function buildFilterCode({ fields, parent }) {
  const filters = fields.filter(isFilter);
  const all = [
    ...(parent ? [{ name: parent.field, column: parent.column, value: '7', isList: false }] : []),
    ...filters.map((field) => ({ ...field, value: toSample(field, 1), isList: field.type === 'enum' })),
  ];
  return {
    filterCases: filters
      .map((field) => {
        const [misses, finds] = typeOf(field.type).samples(field);
        return `['${field.name}', { ${field.name}: ${quote(finds)} }, '${String(finds)}', '${String(misses)}'],`;
      })
      .join('\n'),
    filterQuery: all.map(({ name, value, isList }) => `${name}: ${isList ? `[${value}]` : value}`).join(', '),
    filterConditions: all.map(({ column }, i) => `${column} = $${i + 1}`).join(' AND '),
    filterValues: all.map(({ value }) => value).join(', '),
    refusedFilters: all.map(({ name }) => `, '${name}=nonsense!'`).join(''),
    hasFilters: all.length > 0,
  };
}

/** @param {Field} field @param {0 | 1} which @returns {string} a sample as JSON has it */
function toSample(field, which) {
  return quote(typeOf(field.type).samples(field)[which]);
}

/** @param {Field} field @returns {string} the first sample as the entity has it */
function toEntityValue(field) {
  const value = toSample(field, 0);
  return field.type === 'instant' ? `new Date(${value})` : value;
}

/** @param {Field} field @param {0 | 1} which @returns {string} a sample as SQL */
function toSql(field, which) {
  const value = typeOf(field.type).samples(field)[which];
  if (typeof value === 'string') return `'${value}'`;
  return typeof value === 'object' ? `'${JSON.stringify(value)}'` : String(value);
}

module.exports = { buildTestCode };
