import { readFileSync } from 'node:fs';
import { AppModule } from '../../src/app.module';
import { openapiContract } from '../../src/platform/http/openapi-contract';

interface Operation {
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly responses: Record<string, { readonly description?: string; readonly $ref?: string }>;
}

interface Schema {
  readonly description?: string;
  readonly $ref?: string;
  readonly allOf?: unknown;
  readonly properties?: Record<string, Schema>;
}

interface Contract {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, Schema> };
}

describe('the OpenAPI contract', () => {
  let text: string;
  let operations: [string, Operation][];
  let schemas: [string, Schema][];

  beforeAll(async () => {
    text = await openapiContract(AppModule);
    const { paths, components } = JSON.parse(text) as Contract;
    operations = Object.entries(paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]): [string, Operation] => [`${method.toUpperCase()} ${path}`, operation]),
    );
    schemas = Object.entries(components.schemas);
  });

  function failing(isWrong: (operation: Operation, name: string) => boolean): string[] {
    return operations.filter(([name, operation]) => isWrong(operation, name)).map(([name]) => name);
  }

  it('is what test/contract/openapi.json says; after a wanted change, `npm run openapi` writes it anew', () => {
    expect(JSON.parse(text)).toEqual(JSON.parse(readFileSync('test/contract/openapi.json', 'utf8')));
  });

  it('has a short summary, a description and a tag for every operation', () => {
    expect(failing(({ summary = '' }) => summary.length === 0 || summary.length > 60)).toEqual([]);
    expect(failing(({ description = '' }) => description.length === 0)).toEqual([]);
    expect(failing(({ tags = [] }) => tags.length !== 1)).toEqual([]);
  });

  it('has one success and the 4xx answers of every operation', () => {
    const statuses = ({ responses }: Operation) => Object.keys(responses);

    expect(failing((operation) => !statuses(operation).some((status) => status.startsWith('2')))).toEqual([]);
    expect(failing((operation, name) => /^(POST|PUT|PATCH) .*\}/.test(name) && !statuses(operation).includes('404'))).toEqual([]);
    expect(failing((operation) => !statuses(operation).includes('429'))).toEqual([]);
  });

  it('describes every field', () => {
    const bare = schemas.flatMap(([name, { properties = {} }]) =>
      Object.entries(properties)
        .filter(([, { description, $ref, allOf }]) => !description && !$ref && !allOf)
        .map(([field]) => `${name}.${field}`),
    );

    expect(bare.filter((field) => !field.startsWith('Problem.'))).toEqual([]);
  });
});
