import type { Endpoint } from '../fake-faults';

/** Answer that the fake gives once, on command, instead of its own data. */
export interface FakeCase {
  readonly endpoint: Endpoint;
  /** Field that a document must ask for to get the answer; every call gets a case without one. */
  readonly field?: string;
  /** Variables for which Upwork would give the answer. */
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

const JSON_HEADERS = { 'content-type': 'application/json' };

/** Builds a case with data, and with errors when parts of the data are missing. */
export function buildDataCase(
  variables: FakeCase['variables'],
  data: Readonly<Record<string, unknown>>,
  errors?: readonly unknown[],
): FakeCase {
  const body = { ...(errors && { errors }), data };
  const [field] = Object.keys(data);
  return { endpoint: 'graphql', field, variables, status: 200, headers: JSON_HEADERS, body };
}

/** Builds a case with a JSON body that is sent as it is. */
export function buildJsonCase(endpoint: Endpoint, status: number, body: unknown): FakeCase {
  return { endpoint, status, headers: JSON_HEADERS, body };
}

/** Builds the error of a field that is missing in spite of its type. */
export function buildMissingField(path: readonly (string | number)[]): unknown {
  const where = path.reduce<string>(
    (text, each) => (typeof each === 'number' ? `${text}[${each}]` : `${text}/${each}`),
    '',
  );
  return {
    message:
      `The field at path '${where}' was declared as a non null type, ` +
      'but the code involved in retrieving data has wrongly returned a null value.',
    path,
    extensions: { classification: 'NullValueInNonNullableField' },
  };
}
