import js from '@eslint/js';
import jsdoc from 'eslint-plugin-jsdoc';
import regexp from 'eslint-plugin-regexp';
import globals from 'globals';
import tseslint from 'typescript-eslint';
import { rules } from './eslint-rules.mjs';

const noBypass = {
  paths: [
    {
      name: '@nestjs/typeorm',
      importNames: [
        ...['InjectRepository', 'InjectDataSource', 'InjectEntityManager'],
        ...['getRepositoryToken', 'getDataSourceToken', 'getEntityManagerToken'],
      ],
      message: 'Every query goes through Database: inject it from src/platform/database.',
    },
    {
      name: 'typeorm',
      importNames: ['DataSource', 'EntityManager', 'Repository', 'TreeRepository'],
      message: 'Every query goes through Database: inject it from src/platform/database.',
    },
    {
      name: 'typeorm',
      importNames: ['BaseEntity'],
      message: 'It bypasses Database: extend BaseEntity of src/platform/database/base.entity.',
    },
    {
      name: 'class-validator',
      importNames: ['Length', 'MaxLength', 'MinLength'],
      message:
        'It counts characters differently from PostgreSQL: use TextLength of src/platform/http/validation/fields.',
    },
    { name: 'pg', message: 'Only src/platform/database opens connections: inject Database.' },
  ],
};

const unsafeSyntax = [
  {
    selector: 'MemberExpression[object.name="process"][property.name="env"]',
    message: 'Only src/platform/config reads settings: inject Config.',
  },
  {
    selector:
      'ClassDeclaration:has(Decorator > CallExpression[callee.name="Controller"]):not(:has(Decorator > CallExpression[callee.name=/^(SignedIn|AdminOnly|Public)$/]))',
    message: 'Not safe yet: say who may call these routes with @SignedIn(), @AdminOnly() or @Public(reason).',
  },
  {
    selector:
      'CallExpression[callee.property.name=/^(query|only)$/] > TemplateLiteral.arguments[expressions.length>0]:first-child',
    message: 'Do not build SQL from strings: pass values as parameters ($1), keep fragments in *.queries.ts.',
  },
  {
    selector: '[name.name="dangerouslySetInnerHTML"], [key.name="dangerouslySetInnerHTML"]',
    message: 'Preact escapes every value, and this attribute would bypass it: pass the value as a child.',
  },
  {
    selector: 'TSAsExpression > TSAnyKeyword',
    message: 'Use a specific type instead of any.',
  },
];

const FIXED_TIME = 'Wait for an event or with waitFor; a fixed time needs a reason: pause(ms, reason) of test/support.';

/** A fixed time is too short on a slow machine and too long on others. */
const noFixedTime = {
  imports: ['timers/promises', 'node:timers/promises'].map((name) => ({
    name,
    importNames: ['setTimeout', 'scheduler', 'default'],
    message: FIXED_TIME,
  })),
  syntax: {
    selector:
      'CallExpression[callee.name=/^(setTimeout|sleep)$/], CallExpression[callee.object.name="globalThis"][callee.property.name="setTimeout"]',
    message: FIXED_TIME,
  },
};

export default tseslint.config(
  {
    ignores: [
      'dist/**',
      'node_modules/**',
      '.gigvault/**',
      'coverage/**',
      'src/schematics/*/files/**',
      'test/contract/clients/**',
    ],
  },
  js.configs.recommended,
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    plugins: { jsdoc, gigvault: { rules } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      'gigvault/no-promise-over-await': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false },
      ],
      '@typescript-eslint/ban-ts-comment': ['error', { 'ts-expect-error': { descriptionFormat: '^ -- ' } }],
      'no-restricted-imports': ['error', noBypass],
      'no-restricted-syntax': ['error', ...unsafeSyntax],
      'no-console': 'error',
      'max-lines': ['error', { max: 300, skipBlankLines: false, skipComments: false }],
      'max-lines-per-function': ['error', { max: 50 }],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', destructuredArrayIgnorePattern: '^_' },
      ],
      eqeqeq: ['error', 'always'],
      // Some patterns search for control characters on purpose.
      'no-control-regex': 'off',
    },
  },
  {
    files: ['src/**/*.{ts,tsx}'],
    ignores: ['src/**/*.spec.{ts,tsx}'],
    plugins: { regexp },
    rules: {
      // Most patterns read untrusted texts, and a slow pattern blocks the whole process.
      'regexp/no-super-linear-backtracking': ['error', { report: 'potential' }],
      'regexp/no-super-linear-move': ['error', { report: 'potential' }],
      'jsdoc/require-jsdoc': [
        'error',
        {
          publicOnly: true,
          enableFixer: false,
          contexts: ['TSInterfaceDeclaration', 'TSTypeAliasDeclaration'],
          require: { ClassDeclaration: true, FunctionDeclaration: true },
        },
      ],
    },
  },
  {
    // Database itself, and the processes that create and serve it.
    files: [
      'src/platform/database/**/*.ts',
      'src/local-services/**/*.ts',
      'src/cli/**/*.ts',
      'ormconfig.ts',
      'test/**/*.ts',
    ],
    rules: { 'no-restricted-imports': 'off' },
  },
  {
    files: [
      'src/platform/config/**/*.ts',
      'src/local-services/**/*.ts',
      'src/cli/**/*.ts',
      'src/demo/**/*.ts',
      'ormconfig.ts',
      'test/**/*.ts',
    ],
    rules: { 'no-restricted-syntax': ['error', ...unsafeSyntax.slice(1)] },
  },
  {
    files: ['test/**/*.ts', 'src/**/*.spec.{ts,tsx}'],
    rules: {
      'no-restricted-imports': ['error', { paths: noFixedTime.imports }],
      'no-restricted-syntax': ['error', noFixedTime.syntax],
      // A describe block is a function, and a spec may be long.
      'max-lines-per-function': 'off',
      // Tables of cases are long once they are formatted.
      'max-lines': ['error', { max: 750 }],
      '@typescript-eslint/unbound-method': 'off',
      // A test starts work and then observes it, and fails when an error is unhandled.
      'gigvault/no-promise-over-await': 'off',
      // A test checks the bodies of responses; a wrong assumption fails it.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
    },
  },
  {
    files: ['src/**/*.spec.{ts,tsx}'],
    ignores: ['src/platform/database/**', 'src/local-services/**', 'src/cli/**'],
    rules: { 'no-restricted-imports': ['error', { paths: [...noBypass.paths, ...noFixedTime.imports] }] },
  },
  {
    files: ['test/support/wait-for.ts'],
    rules: { 'no-restricted-imports': 'off', 'no-restricted-syntax': 'off' },
  },
  {
    // Programs for a terminal, which print their output.
    files: [
      'src/local-services/**/*.ts',
      'src/cli/**/*.ts',
      'src/demo/**/*.ts',
      'test/matrix/**/*.ts',
      'test/stress/**/*.ts',
      'test/bench/**/*.ts',
      'src/platform/config/env-example.ts',
    ],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['**/*.{js,cjs,mjs}'],
    extends: [tseslint.configs.disableTypeChecked],
    rules: {
      '@typescript-eslint/no-require-imports': 'off',
      'gigvault/no-promise-over-await': 'off',
      'no-restricted-syntax': 'off',
    },
    languageOptions: { globals: globals.node },
  },
  {
    files: ['test/groups/*.cjs'],
    languageOptions: { globals: globals.jest },
  },
  {
    // Scripts that the dashboard sends to browsers.
    files: ['src/admin/dashboard/assets/*.js'],
    languageOptions: { sourceType: 'script', globals: globals.browser },
  },
);
