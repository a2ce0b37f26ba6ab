/** Where a secret may stand in something logged, at the top and one level below. */
const SECRET_NAMES = [
  'authorization',
  'cookie',
  'set-cookie',
  'proxy-authorization',
  'password',
  'currentPassword',
  'newPassword',
  'token',
  'accessToken',
  'refreshToken',
  'mfaToken',
  'code',
  'backupCode',
  'backupCodes',
  'secret',
  'otpauthUrl',
  'coverLetter',
  'content',
  'prompt',
  'instructions',
];

/** What stands in a secret's place. */
export const CENSOR = '[redacted]';

/** pino's redaction paths for `SECRET_NAMES`; bodies and headers are not logged in the first place, this is the net below. */
export const REDACTED_PATHS: string[] = SECRET_NAMES.flatMap((name) => {
  const step = `["${name}"]`;
  return [step.slice(1, -1).includes('-') ? step : name, `*${step}`, `*.*${step}`];
});

/** Query parameters that carry a secret (links of mails, OAuth callbacks), and every character that could forge a line. */
const SECRET_PARAMETERS = /([?&](?:token|code|state|accessToken|refreshToken|password)=)[^&#]*/gi;

/** Returns a URL that may be logged. */
export function loggableUrl(url: string): string {
  return printable(url.replace(SECRET_PARAMETERS, `$1${CENSOR}`)).slice(0, 2_000);
}

/** Returns the text with its control characters escaped, so that no sender writes log lines or moves a terminal's cursor. */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
