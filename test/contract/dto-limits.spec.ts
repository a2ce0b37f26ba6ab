import { readdirSync, readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { Type } from '@nestjs/common';
import { getMetadataStorage } from 'class-validator';
import { ChangeUserDto } from '../../src/admin/api/users/users.dto';
import { RunTaskDto } from '../../src/admin/api/reason.dto';
import { CreateGenerationDto } from '../../src/ai/generations/generations.dto';
import { PutBudgetDto } from '../../src/ai/ai.dto';
import { PutMetricDto } from '../../src/analytics/metrics.dto';
import { RegisterDto } from '../../src/auth/auth.dto';
import { CreateJobDto } from '../../src/jobs/jobs.dto';
import { readLimits } from '../../src/platform/http/validation/request-validation.pipe';
import { PutProfileDto } from '../../src/profile/profile.dto';
import { CreateTokenDto, UpdateTokenDto } from '../../src/tokens/tokens.dto';

const json = <T>(name: string): T => JSON.parse(readFileSync(`test/contract/${name}`, 'utf8')) as T;
const catalog = json<{ relations: Record<string, Relation>; domains: Record<string, Domain> }>('catalog.json');
const relations = Object.fromEntries(
  Object.entries(catalog.relations).map(([name, relation]) => [name, resolveDomains(relation)]),
);
const { paths, components } = json<Contract>('openapi.json');
const { schemas } = components;

/** The table of each body whose file is not named after it. */
const OTHER_TABLES: readonly (readonly [Type, string])[] = [
  [PutProfileDto, 'profiles'],
  [PutMetricDto, 'analytics'],
  [CreateGenerationDto, 'ai_generations'],
  [RegisterDto, 'users'],
  [ChangeUserDto, 'users'],
  [CreateTokenDto, 'user_tokens'],
  [UpdateTokenDto, 'user_tokens'],
  [PutBudgetDto, 'ai_budgets'],
  [RunTaskDto, 'backups'],
];

/** Returns the bodies Create… and Update… of the files `src/<domain>/<table>.dto.ts`, each with its table. */
function findBodies(): (readonly [Type, string])[] {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => /^[^/]+\/[^/]+\.dto\.ts$/.test(file))
    .flatMap((file) => {
      const table = basename(file, '.dto.ts').replaceAll('-', '_');
      if (!(`public.${table}` in relations)) return [];
      const types = Object.values(jest.requireActual<Record<string, Type>>(resolve('src', file)));
      return types.filter(({ name }) => /^(Create|Update)\w+Dto$/.test(name)).map((type) => [type, table] as const);
    });
}

/** The table that the fields of each body are stored in. */
const TABLES = [...findBodies(), ...OTHER_TABLES];

/** Columns with another name than their field. */
const COLUMNS: Readonly<Record<string, string>> = {
  'PutMetricDto.metric': 'metric_name',
  'PutMetricDto.value': 'metric_value',
  'PutMetricDto.data': 'metric_data',
  'CreateGenerationDto.type': 'generation_type',
  'CreateTemplateDto.type': 'generation_type',
  'UpdateTemplateDto.type': 'generation_type',
};

interface Relation {
  readonly columns: Readonly<Record<string, string>>;
  readonly constraints: Readonly<Record<string, string>>;
}

interface Domain {
  readonly type: string;
  readonly constraints: Readonly<Record<string, string>>;
}

interface Property {
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
}

/**
 * Fields without a column with a limit: used for a search or comparison, or stored encrypted, hashed or in a document.
 */
const NOT_STORED: readonly string[] = [
  'AcceptGenerationDto.proposalId',
  'ChangePasswordDto.currentPassword',
  'ChangePasswordDto.newPassword',
  'ChangeUserDto.reason',
  'ConfirmTotpDto.code',
  'CreateGenerationDto.model',
  'CreateMessageDto.send',
  'CreateTokenDto.accessToken',
  'CreateTokenDto.refreshToken',
  'EmailDto.email',
  'EnrolTotpDto.password',
  'LoginDto.email',
  'LoginDto.password',
  'LoginMfaDto.mfaToken',
  'LoginMfaDto.code',
  'LoginMfaDto.backupCode',
  'LogoutDto.refreshToken',
  'PasswordAndCodeDto.password',
  'PasswordAndCodeDto.code',
  'ReadMessagesDto.jobId',
  'ReasonDto.reason',
  'RefreshDto.refreshToken',
  'RegisterDto.password',
  'ResetPasswordDto.token',
  'ResetPasswordDto.password',
  'RestoreDto.auditId',
  'StepUpDto.password',
  'StepUpDto.code',
  'VerifyEmailDto.token',
  'VerifyEmailDto.password',
  'VerifyLogsDto.reason',
  'VerifyLogsDto.from',
  'VerifyLogsDto.to',
];

/** Fields with weaker rules than their column. */
type Laxer = string;

interface Operation {
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly schema: { readonly $ref?: string } }>>;
  };
}

interface Contract {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, { properties?: Record<string, Property> }> };
}

/** Returns the body classes of operations. */
const bodies = [
  ...new Set(
    Object.values(paths)
      .flatMap((item) => Object.values(item))
      .flatMap(({ requestBody }) =>
        Object.values(requestBody?.content ?? {}).map(({ schema }) => schema.$ref?.split('/').at(-1)),
      )
      .filter((name) => name !== undefined),
  ),
].sort();

const columnOf = (type: string, field: string): string =>
  COLUMNS[`${type}.${field}`] ?? field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const numberIn = (text: string, pattern: RegExp): number | undefined => {
  const [, number] = pattern.exec(text) ?? [];
  return number === undefined ? undefined : Number(number);
};
const isLaxer = (own: number | undefined, column: number | undefined): boolean =>
  column !== undefined && (own === undefined || own > column);

/** Returns the limits of one column in the CHECKs of its table. */
function checksOf({ constraints }: Relation, column: string) {
  const text = Object.values(constraints)
    .filter((constraint) => constraint.startsWith('CHECK'))
    .join('\n');
  const [, list] = new RegExp(`\\(${column} = ANY \\(ARRAY\\[([^\\]]*)\\]`).exec(text) ?? [];
  return {
    length: numberIn(text, new RegExp(`char_length\\(${column}\\) <= (\\d+)`)),
    items: numberIn(text, new RegExp(`cardinality\\(${column}\\) <= (\\d+)`)),
    minimum: numberIn(text, new RegExp(`\\(${column} >= (\\d+)\\)`)),
    maximum: numberIn(text, new RegExp(`\\(${column} <= (\\d+)\\)`)),
    values: list === undefined ? undefined : [...list.matchAll(/'([^']*)'/g)].map(([, value]) => value),
  };
}

function rulesOf(type: Type, field: string) {
  return getMetadataStorage()
    .getTargetValidationMetadatas(type, '', true, false)
    .filter(({ propertyName }) => propertyName === field);
}

/** Returns the relation as if each column with a domain had its type and CHECKs. */
function resolveDomains({ columns, constraints }: Relation): Relation {
  const resolved = Object.entries(columns).map(([column, type]) => {
    const name = type.split(' ', 1)[0]!;
    const domain = catalog.domains[name];
    const checks = Object.values(domain?.constraints ?? {}).map((check) => check.replaceAll('VALUE', column));
    return { column, type: domain ? type.replace(name, domain.type) : type, checks };
  });
  const checks = resolved.flatMap((one) => one.checks.map((check, i) => [`${one.column} ${i}`, check] as const));
  return {
    columns: Object.fromEntries(resolved.map(({ column, type }) => [column, type])),
    constraints: { ...constraints, ...Object.fromEntries(checks) },
  };
}

/** Compares the rules of a field and its OpenAPI schema with the column. */
function laxerThan(type: Type, field: string, property: Property, relation: Relation): Laxer[] {
  const column = columnOf(type.name, field);
  const checks = checksOf(relation, column);
  const rules = rulesOf(type, field);
  const limits = readLimits(rules);
  const constraintOf = (name: string) => rules.find((rule) => rule.name === name)?.constraints?.[0] as unknown;
  const [min, max] = [constraintOf('min'), constraintOf('max')] as (number | undefined)[];
  const values = (constraintOf('isIn') ?? property.enum) as readonly unknown[] | undefined;
  const length = limits.length ?? (values && Math.max(...values.map((value) => String(value).length)));
  const money = /^numeric\((\d+),2\)/.exec(relation.columns[column] ?? '');
  const faults: [string, boolean][] = [
    ['length', isLaxer(length, checks.length)],
    ['maxLength of OpenAPI', limits.length !== undefined && property.maxLength !== limits.length],
    ['items', isLaxer(limits.items, checks.items)],
    ['maxItems of OpenAPI', checks.items !== undefined && property.maxItems !== limits.items],
    ['maximum', isLaxer(max, checks.maximum)],
    [
      'minimum',
      checks.minimum !== undefined && checks.maximum !== undefined && (min === undefined || min < checks.minimum),
    ],
    ['range of OpenAPI', checks.maximum !== undefined && (property.maximum !== max || property.minimum !== min)],
    [
      'values',
      checks.values !== undefined &&
        !(values ?? ['?']).every((value) => value === null || checks.values?.includes(value as string)),
    ],
    [
      'places of money',
      money !== null &&
        (property.pattern === undefined || new RegExp(property.pattern).test(`${'9'.repeat(Number(money[1]) - 1)}.99`)),
    ],
  ];
  return faults.filter(([, isFault]) => isFault).map(([what]) => `${type.name}.${field}: ${what}`);
}

describe('the limits of bodies', () => {
  const compared = TABLES.flatMap(([type, table]) => {
    const relation = relations[`public.${table}`]!;
    const fields = Object.entries(schemas[type.name]?.properties ?? {}).filter(
      ([field]) => columnOf(type.name, field) in relation.columns,
    );
    return fields.map(([field, property]) => ({ type, field, property, relation }));
  });

  it('are at least as strict as the CHECKs and types of their columns, in code points, and match OpenAPI', () => {
    expect(
      compared.flatMap(({ type, field, property, relation }) => laxerThan(type, field, property, relation)),
    ).toEqual([]);
  });

  it('are compared for each field of each body that has a column', () => {
    const fields = bodies.flatMap((body) =>
      Object.keys(schemas[body]?.properties ?? {}).map((field) => `${body}.${field}`),
    );
    const isCompared = new Set(compared.map(({ type, field }) => `${type.name}.${field}`));

    expect(fields.filter((field) => !isCompared.has(field))).toEqual(NOT_STORED);
  });

  it('are compared for the fields of every table, and a weaker one is found', () => {
    expect(compared.length).toBeGreaterThan(70);
    expect(new Set(compared.map(({ type }) => type)).size).toBe(TABLES.length);
    const relation: Relation = {
      columns: { title: 'text', budget_min: 'numeric(8,2)' },
      constraints: { a: 'CHECK ((char_length(title) <= 499))' },
    };

    expect(laxerThan(CreateJobDto, 'title', { maxLength: 500 }, relation)).toEqual(['CreateJobDto.title: length']);
    expect(laxerThan(CreateJobDto, 'budgetMin', { pattern: '^\\d{1,8}\\.\\d{2}$' }, relation)).toEqual([
      'CreateJobDto.budgetMin: places of money',
    ]);
  });
});
