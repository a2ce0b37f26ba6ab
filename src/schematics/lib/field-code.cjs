// @ts-check
const { FIELD_TYPES } = require('./field-types.cjs');
const { capital, wrapList } = require('./words.cjs');

/**
 * @typedef {import('./field-types.cjs').Field} Field
 * @typedef {import('./parents.cjs').Parent} Parent
 * @typedef {import('./words.cjs').Words} Words
 *
 * @typedef {object} Shape What a domain consists of.
 * @property {Words} words
 * @property {readonly Field[]} fields
 * @property {Parent | undefined} parent
 */

const VALIDATION = '../platform/http/validation';

/** @param {string} type */
const typeOf = (type) => /** @type {import('./field-types.cjs').FieldType} */ (FIELD_TYPES[type]);

/**
 * Returns the parts of a domain's source files that depend on its fields and its parent.
 * @param {Shape} shape
 */
function buildFieldCode(shape) {
  return { ...buildDtoCode(shape), ...buildEntityCode(shape), ...buildServiceCode(shape), ...buildTableCode(shape) };
}

/** @param {Shape} shape */
function buildDtoCode({ words, fields, parent }) {
  const { Singular } = words;
  const reference = parent
    ? `@IdField({ description: 'Id of the ${parent.words.word}. It cannot be changed.', example: 42 })
  ${parent.field}: number;\n\n`
    : '';
  return {
    swaggerImports: parent ? 'OmitType, PartialType' : 'PartialType',
    updateBase: parent ? `OmitType(Create${Singular}Dto, ['${parent.field}'])` : `Create${Singular}Dto`,
    dtoImports: buildDtoImports(fields, parent),
    fieldTypes: [...fields.filter(isEnum).map((field) => buildEnum(field, words)), ...buildLimits(fields)].join('\n'),
    createFields: reference + fields.map((field) => buildProperty(field, words)).join('\n\n'),
    filterFields: [
      ...(parent
        ? [
            `@IdParam({ description: 'Only ${words.words} of this ${parent.words.word}.', example: 42 })
  ${parent.field}?: number;`,
          ]
        : []),
      ...fields.filter(isFilter).map((field) => buildFilter(field, words)),
    ].join('\n\n'),
  };
}

/** @param {readonly Field[]} fields @param {Parent | undefined} parent */
function buildDtoImports(fields, parent) {
  /** @type {(readonly [name: string, from: string])[]} */
  const used = [
    ['EnumField', `${VALIDATION}/fields`],
    ...fields.map(({ type }) => /** @type {const} */ ([typeOf(type).decorator, typeOf(type).from])),
    ...fields.filter(isFilter).map(({ type }) => /** @type {const} */ ([paramOf(type), `${VALIDATION}/query-params`])),
  ];
  if (parent) used.push(['IdField', `${VALIDATION}/fields`], ['IdParam', `${VALIDATION}/query-params`]);
  const files = [...new Set(used.map(([, from]) => from))].sort();
  return files
    .map((file) => {
      const names = new Set(used.filter(([, from]) => from === file).map(([name]) => name));
      return `import { ${[...names].sort().join(', ')} } from '${file}';`;
    })
    .join('\n');
}

/** @param {Field} field @param {Words} words */
function buildEnum(field, words) {
  return `
/** Values of ${field.name}; the CHECK of its column lists the same. */
const ${nameValues(field, words)} = [${field.values.map(quote).join(', ')}] as const;

/** One of ${nameValues(field, words)}. */
export type ${typeOf('enum').type(field, words)} = (typeof ${nameValues(field, words)})[number];
`;
}

/** @param {readonly Field[]} fields @returns {string[]} the limits of JSON fields, if there are any */
function buildLimits(fields) {
  if (!fields.some(isJson)) return [];
  return [
    `\n/** Limits of a JSON field: its bytes as text, and its levels. */
export const JSON_LIMITS = { maxBytes: 16 * 1024, maxDepth: 8 } as const;\n`,
  ];
}

/** @param {Field} field @param {Words} words */
function buildProperty(field, words) {
  const { decorator, limits, describe, samples, type } = typeOf(field.type);
  const description = describe?.(field.words, words.word) ?? `${capital(field.words)} of the ${words.word}.`;
  const options = [
    ...(limits ? [limits(field)] : []),
    ...(field.isNullable ? ['nullable: true'] : []),
    `description: ${quote(description)}`,
    `example: ${quote(samples(field)[0])}`,
  ];
  const values = isEnum(field) ? `${nameValues(field, words)}, ` : '';
  const declared = type(field, words);
  return `@${decorator}(${values}{ ${options.join(', ')} })
  ${field.name}${field.isNullable ? `?: ${declared} | null` : `: ${declared}`};`;
}

/** @param {Field} field @param {Words} words */
function buildFilter(field, words) {
  const [, example] = typeOf(field.type).samples(field);
  if (!isEnum(field)) {
    return `@BooleanParam({ description: 'Only ${words.words} with this value.', example: ${quote(example)} })
  ${field.name}?: boolean;`;
  }
  const description = 'Any of these values; repeat the parameter or separate by commas.';
  const options = `{ description: ${quote(description)}, example: [${quote(example)}] }`;
  return `@EnumListParam(${nameValues(field, words)}, ${options})
  ${field.name}?: ${typeOf('enum').type(field, words)}[];`;
}

/** @param {Shape} shape */
function buildEntityCode({ words, fields, parent }) {
  const enums = fields.filter(isEnum).map((field) => typeOf('enum').type(field, words));
  const hasMoney = fields.some(({ type }) => type === 'money');
  const reference = parent ? `@Column('bigint', { name: '${parent.column}' })\n  ${parent.field}: number;\n\n` : '';
  return {
    entityBase: ['BaseEntity', 'InstantColumn', ...(hasMoney ? ['MoneyColumn'] : [])].join(', '),
    entityTypes: enums.length > 0 ? `import type { ${enums.join(', ')} } from './${words.plural}.dto';` : '',
    entityColumns: reference + fields.map((field) => buildColumn(field, words)).join('\n\n'),
  };
}

/** @param {Field} field @param {Words} words */
function buildColumn(field, words) {
  const { column, type } = typeOf(field.type);
  const isNullable = field.isNullable ? 'nullable: true' : '';
  const name = field.column === field.name ? '' : `name: '${field.column}'`;
  const options = [name, isNullable].filter((option) => option !== '').join(', ');
  const decorators = {
    money: `@MoneyColumn('${field.column}', { nullable: ${field.isNullable} })`,
    instant: `@InstantColumn('${field.column}'${isNullable && `, { ${isNullable} }`})`,
  };
  const decorator = decorators[/** @type {keyof typeof decorators} */ (field.type)];
  return `${decorator ?? `@Column('${column}'${options && `, { ${options} }`})`}
  ${field.name}: ${type(field, words)}${field.isNullable ? ' | null' : ''};`;
}

/** @param {Shape} shape */
function buildServiceCode({ words, fields, parent }) {
  const { table } = words;
  const filters = fields.filter(isFilter);
  const conditions = filters.map(({ name, column, type }) =>
    type === 'enum' ? `.anyOf('${column}', query.${name})` : `.add('${column} = $?', query.${name})`,
  );
  if (parent) conditions.unshift(`.add('${parent.column} = $?', query.${parent.field})`);
  return {
    conditions: conditions.join('\n'),
    jsonFields: fields.filter(isJson),
    parent,
    constraintImport: parent ? `import { declareConstraint } from '../platform/errors/postgres-errors';` : '',
    constraint: parent
      ? `declareConstraint('${table}_${parent.column}_fk', {
  code: 'reference.not_found',
  pointer: '/${parent.field}',
  message: 'You have no ${parent.words.word} with this id.',
});\n`
      : '',
  };
}

/** @param {Shape} shape */
function buildTableCode({ words: { table }, fields, parent }) {
  const indexed = [...(parent ? [parent] : []), ...fields.filter(isFilter)];
  const columns = fields.map(({ column }) => column);
  return {
    tableColumns: [
      ...(parent ? [`    ${parent.column} bigint NOT NULL,`] : []),
      ...fields.map((field) => buildTableColumn(field, table)),
    ].join('\n'),
    foreignKey: parent
      ? `,\n    CONSTRAINT ${table}_${parent.column}_fk FOREIGN KEY (user_id, ${parent.column})
      REFERENCES ${parent.words.table} (user_id, id) ON DELETE CASCADE`
      : '',
    filterIndexes: indexed
      .map(
        ({ column }) => `
  CREATE INDEX idx_${table}_${column}
    ON ${table} (user_id, ${column}, created_at DESC, id DESC);`,
      )
      .join(''),
    settableColumns: wrapList(columns, '    '),
  };
}

/** @param {Field} field @param {string} table */
function buildTableColumn(field, table) {
  const { column, check } = typeOf(field.type);
  const declared = `    ${field.column} ${column}${field.isNullable ? '' : ' NOT NULL'}`;
  if (!check) return `${declared},`;
  const [suffix, condition] = check(field);
  return `${declared}\n      CONSTRAINT ${table}_${field.column}_${suffix}\n      CHECK (${condition}),`;
}

/** @param {Pick<Field, 'type'>} field */
const isEnum = ({ type }) => type === 'enum';

/** @param {Pick<Field, 'type'>} field */
const isJson = ({ type }) => type === 'json';

/** Returns whether the list has a filter for the field. @param {Pick<Field, 'type'>} field */
const isFilter = ({ type }) => type === 'enum' || type === 'boolean';

/** @param {string} type */
const paramOf = (type) => (type === 'enum' ? 'EnumListParam' : 'BooleanParam');

/** @param {Field} field @param {Words} words */
const nameValues = ({ column }, { constant }) => `${constant}_${column.toUpperCase()}_VALUES`;

/** Returns a value as source code of TypeScript. @param {unknown} value @returns {string} */
function quote(value) {
  return JSON.stringify(value);
}

module.exports = { buildFieldCode, isFilter, isJson, quote, typeOf };
