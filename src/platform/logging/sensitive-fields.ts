/** Headers with credentials. */
const HEADERS = ['authorization', 'cookie', 'set-cookie', 'proxy-authorization'];

/** Names of secrets outside bodies: in settings, rows and requests to AI providers. The worker loads few DTOs. */
const OUTSIDE_BODIES = [
  'password',
  'token',
  'accessToken',
  'refreshToken',
  'secret',
  'prompt',
  'instructions',
  'content',
  'coverLetter',
  'letter',
];

const names = new Set([...HEADERS, ...OUTSIDE_BODIES]);

/** Marks a field of a DTO whose value is never logged: credentials and private texts. Logs redact its name. */
export function Sensitive(): PropertyDecorator {
  return (_dto, field) => void names.add(String(field));
}

/** Returns the names whose values are redacted: those of `@Sensitive()` fields in this process, and the fixed ones. */
export function listSensitiveNames(): string[] {
  return [...names];
}

/**
 * Returns the redaction paths of pino: each name at the top and two levels below. Bodies and headers are not logged;
 * this is a second line of defence.
 */
export function listRedactedPaths(): string[] {
  return listSensitiveNames().flatMap((name) => {
    const step = `["${name}"]`;
    return [name.includes('-') ? step : name, `*${step}`, `*.*${step}`];
  });
}
