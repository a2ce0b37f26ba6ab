import { z } from 'zod';
import type { UpworkAnswer, UpworkDocument } from './documents/upwork-document';
import { hasJsonBody, readRetryAfterMs, UpworkError, type UpworkErrorKind } from './upwork.error';

/** Parses the body of a response. @throws UpworkError by the status and the content type */
export function parseResponse(name: string, { status, headers }: Response, body: string): unknown {
  const error = classifyStatus(name, status, headers);
  if (error) throw error;
  try {
    return JSON.parse(body);
  } catch {
    throw new UpworkError('unusable', `${name}: Upwork's answer is not valid JSON`);
  }
}

function classifyStatus(name: string, status: number, headers: Headers): UpworkError | undefined {
  const retryAfterMs = readRetryAfterMs(headers);
  const isJson = hasJsonBody(headers);
  if (status === 429) return new UpworkError('limited', 'Upwork allows no more calls for now', { retryAfterMs });
  // A 403 in HTML is from a proxy and says nothing about the connection.
  if (status >= 500 || (status === 403 && !isJson))
    return new UpworkError('unavailable', `Upwork answered ${status}`, { retryAfterMs });
  if (status === 401) return new UpworkError('refused', 'Upwork answered 401: the access token is invalid');
  if (status === 403) return buildPermissionError(name, name);
  if (isJson) return undefined;
  const type = (headers.get('content-type') ?? 'nothing').split(';', 1)[0];
  return new UpworkError('unusable', `${name}: Upwork answered ${status} with ${type} instead of JSON`);
}

const graphqlError = z.object({
  message: z.string().catch(''),
  path: z
    .array(z.union([z.string(), z.number()]))
    .nullish()
    .catch(null),
  extensions: z.object({ classification: z.string().nullish() }).nullish().catch(null),
});

type GraphqlError = z.output<typeof graphqlError>;

const envelope = z.object({ data: z.unknown().optional(), errors: z.array(graphqlError).nullish() });

/**
 * Reads the data of an answer. Data with a valid shape is used even beside errors, because Upwork omits what it cannot
 * read. @throws UpworkError when nothing could be read, or the whole operation was refused
 */
export function readAnswer<Schema extends z.ZodType>(
  { name, data: schema }: UpworkDocument<Schema>,
  answer: unknown,
): UpworkAnswer<z.output<Schema>> {
  const response = envelope.safeParse(answer);
  if (!response.success) throw new UpworkError('unusable', `${name}: Upwork's answer is not a GraphQL response`);
  const { data, errors } = response.data;
  const hasData = data !== null && data !== undefined;
  const failures = (errors ?? []).map((error) => classifyError(name, error, hasData)).sort(compareSeverity);
  const parsed = schema.safeParse(data);
  const [worst] = failures;
  if (worst && (isEmpty(data) || !parsed.success || CONCERNS_ALL.has(worst.kind))) throw worst;
  if (parsed.success) {
    const missingPermissions = [...new Set(failures.flatMap(({ permission }) => permission ?? []))];
    const isWorthRepeating = failures.some(({ kind }) => kind !== 'permission_missing');
    return { data: parsed.data, isPartial: failures.length > 0, isWorthRepeating, missingPermissions };
  }
  const where = parsed.error.issues[0]?.path.join('.');
  throw new UpworkError(
    'unusable',
    `${name}: Upwork's answer has an unexpected shape at ${where === '' ? 'its top' : where}`,
  );
}

/** Kinds, the most severe first. */
const SEVERITY: readonly UpworkErrorKind[] = [
  ...(['refused', 'document_refused', 'permission_missing'] as const),
  ...(['limited', 'unavailable', 'unusable'] as const),
];

/** Errors of these kinds concern the whole call, also beside data. */
const CONCERNS_ALL: ReadonlySet<UpworkErrorKind> = new Set(['refused', 'document_refused']);

function compareSeverity(one: UpworkError, other: UpworkError): number {
  return SEVERITY.indexOf(one.kind) - SEVERITY.indexOf(other.kind);
}

/** Words in the errors of Upwork; its sentences are not documented and vary. Earlier rows win. */
const KIND_BY_WORDS: readonly (readonly [UpworkErrorKind, RegExp])[] = [
  ['document_refused', /^validation error|^invalid syntax/i],
  ['permission_missing', /permissions?\/scopes|oauth2 permissions|\bscopes?\b/i],
  ['refused', /authentication failed|invalid token|token (?:has )?expired|unauthorized/i],
  ['limited', /too many (?:requests|calls)|rate limit/i],
  ['unavailable', /time-?out|timed out|exception|unavailable|^5\d\d\b/i],
];

const DOCUMENT_CLASSIFICATIONS = new Set(['ValidationError', 'InvalidSyntax']);

/** Maps an error. Messages may quote texts of the user, so only their kind, path and permission are kept. */
function classifyError(name: string, error: GraphqlError, hasData: boolean): UpworkError {
  const { message, path } = error;
  const where = path?.join('.') ?? 'the operation';
  const kind = findKind(error, hasData);
  if (kind === 'permission_missing') return buildPermissionError(name, readPermission(message) ?? path?.join('.'));
  if (kind === 'document_refused')
    return new UpworkError(kind, `${name}: Upwork does not accept this request any more. The operator must update it.`);
  if (kind === 'refused') return new UpworkError(kind, `${name}: Upwork reports that the access token is invalid`);
  return new UpworkError(kind ?? 'unusable', `${name}: Upwork reports an error at ${where}`);
}

/**
 * Finds the kind of an error. Upwork checks the token and the document before it reads data, so an error at a path
 * beside data concerns that path only: "unauthorized" is then one room or proposal, not the token.
 */
function findKind({ message, path, extensions }: GraphqlError, hasData: boolean): UpworkErrorKind | undefined {
  const kind = DOCUMENT_CLASSIFICATIONS.has(extensions?.classification ?? '')
    ? 'document_refused'
    : KIND_BY_WORDS.find(([, words]) => words.test(message))?.[0];
  return kind && CONCERNS_ALL.has(kind) && hasData && path?.length ? 'unusable' : kind;
}

/** Reads the part of the schema that the message names in brackets. */
function readPermission(message: string): string | undefined {
  return /\[(\w+(?:\.\w+)*)\]/.exec(message)?.[1];
}

const MAX_PERMISSION_LENGTH = 100;

/** Builds the error of a permission. Its name has no indexes: a field of many nodes is one permission. */
function buildPermissionError(name: string, part = name): UpworkError {
  const permission = part.replace(/\.\d+(?=\.|$)/g, '').slice(0, MAX_PERMISSION_LENGTH);
  return new UpworkError(
    'permission_missing',
    `${name}: the API key lacks Upwork's permission for ${permission}. The owner of the key must add it.`,
    { permission },
  );
}

/** Returns whether an answer has neither a value nor a list for any of its operations. */
function isEmpty(data: unknown): boolean {
  return Object.values(data ?? {}).every((value: unknown) => value === null || hasNullEdges(value));
}

function hasNullEdges(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'edges' in value && value.edges === null;
}
