/** How a check of OWASP ASVS 5.0 is covered: by a test, or by a reason why there is none. */
export type AsvsEntry = { readonly file: string; readonly test: string } | { readonly reason: string };

const auth = (test: string): AsvsEntry => ({ file: 'test/e2e/auth.e2e-spec.ts', test });
const mfa = (test: string): AsvsEntry => ({ file: 'test/e2e/auth-mfa.e2e-spec.ts', test });
const password = (test: string): AsvsEntry => ({ file: 'test/e2e/auth-password.e2e-spec.ts', test });
const sessions = (test: string): AsvsEntry => ({ file: 'test/e2e/auth-sessions.e2e-spec.ts', test });
const throttle = (test: string): AsvsEntry => ({ file: 'test/e2e/auth-throttle.e2e-spec.ts', test });
const policy = (test: string): AsvsEntry => ({ file: 'src/auth/passwords/password-policy.spec.ts', test });
const totp = (test: string): AsvsEntry => ({ file: 'src/auth/mfa/totp.spec.ts', test });
const enumeration = (test: string): AsvsEntry => ({ file: 'test/e2e/auth-enumeration.e2e-spec.ts', test });
const admin = (test: string): AsvsEntry => ({ file: 'test/e2e/admin-users.e2e-spec.ts', test });
const dataExport = (test: string): AsvsEntry => ({ file: 'test/e2e/data-export.e2e-spec.ts', test });
const accessAlerts = (test: string): AsvsEntry => ({ file: 'test/e2e/access-alerts.e2e-spec.ts', test });

/**
 * The checks of V6 (authentication), V7 (sessions) and V9 (self-contained tokens) that apply to a REST service.
 * @see https://github.com/OWASP/ASVS/tree/v5.0.0_release
 */
export const ASVS: Readonly<Record<string, AsvsEntry>> = {
  '6.1.1': { reason: 'documentation: src/auth/README.md, "Login throttling"' },
  '6.2.1': auth('names the wrong value in %j'),
  '6.2.2': password('changes with the current password, ends the other sessions and notifies the owner'),
  '6.2.3': password('does not change with a wrong current password or to an unfit one'),
  '6.2.4': policy('rejects %j'),
  '6.2.5': auth('accepts any 8 to 128 characters'),
  '6.2.6': { reason: 'of password fields on pages; this is a REST service' },
  '6.2.7': { reason: 'of password fields on pages; this is a REST service' },
  '6.2.8': auth('compares every character of a password, also after 36 Cyrillic letters'),
  '6.2.9': auth('accepts any 8 to 128 characters'),
  '6.2.10': { reason: 'nothing makes a password expire' },
  '6.2.11': policy('rejects %j'),
  '6.2.12': {
    reason:
      'the common passwords are checked; ' +
      'a service of breached ones would be called from an installation that trusts nobody',
  },
  '6.3.1': throttle('of 300 attempts from %s at most 20 reach bcrypt, and the owner can sign in from a known device'),
  '6.3.2': {
    file: 'test/integration/auth-first-admin.integration-spec.ts',
    test: 'is created from the environment, verified, with any password of 8 characters',
  },
  '6.3.3': mfa('covers the whole flow: secret, first code, backup codes, sign-in with a code'),
  '6.3.4': mfa('is not bypassed by a password reset'),
  '6.3.5': accessAlerts('notifies an owner of a burst of failures, once an hour, with advice'),
  '6.3.7': password('changes with the current password, ends the other sessions and notifies the owner'),
  '6.3.8': enumeration('costs and answers the same as a wrong password at signing in'),
  '6.4.1': auth('accepts a verification link once, and no unknown one'),
  '6.4.3': mfa('is not bypassed by a password reset'),
  '6.4.6': admin('rejects a change %s'),
  '6.5.1': mfa('accepts one of eight parallel sign-ins with one code'),
  '6.5.2': mfa('accepts one of eight parallel uses of one backup code, and counts it'),
  '6.5.3': totp('generates secrets of 160 bits with evenly distributed letters'),
  '6.5.4': totp('generates secrets of 160 bits with evenly distributed letters'),
  '6.5.5': totp('accepts the code of the step before and after, and returns the step'),
  '6.5.8': totp('accepts the code of the step before and after, and returns the step'),
  '6.6.2': mfa('starts one session per mfaToken'),
  '6.6.3': throttle('of the second factor have their own count, on every route'),
  '7.1.1': { reason: 'documentation: src/auth/README.md, "Sessions"' },
  '7.1.2': { reason: 'documentation: src/auth/README.md, "Sessions"' },
  '7.2.3': {
    reason: 'ids have 128 and refresh tokens 256 bits of node:crypto (sessions.service.ts, access-tokens.service.ts)',
  },
  '7.2.4': auth('covers the whole flow: register, verify, sign in, read, refresh, sign out'),
  '7.3.1': sessions('end after the idle limit, and after the absolute limit in any case'),
  '7.3.2': sessions('end after the idle limit, and after the absolute limit in any case'),
  '7.4.1': sessions('end within a second even if the message is lost'),
  '7.4.2': sessions('of a user who is %s are rejected by a process that has not seen them'),
  '7.4.3': password('lists sessions with device and address, and ends one or all others'),
  '7.4.5': admin('ends all sessions, also those restored in Redis'),
  '7.5.1': mfa('is turned off with password and code, and on again only with another secret'),
  '7.5.2': password('lists sessions with device and address, and ends one or all others'),
  '7.5.3': dataExport('is exported or erased (%s) only after a step-up'),
  '9.1.1': sessions('%s are rejected'),
  '9.1.2': sessions('%s are rejected'),
  '9.1.3': sessions('%s are rejected'),
  '9.2.1': sessions('%s are rejected'),
  '9.2.2': sessions('%s are rejected'),
  '9.2.3': sessions('%s are rejected'),
  '9.2.4': sessions('%s are rejected'),
};

/** The checks that apply to a REST service, by their numbers in the standard. */
export const ASVS_REQUIRED: readonly string[] = [
  '6.1.1',
  ...Array.from({ length: 12 }, (_, i) => `6.2.${i + 1}`),
  ...['6.3.1', '6.3.2', '6.3.3', '6.3.4', '6.3.5', '6.3.7', '6.3.8', '6.4.1', '6.4.3', '6.4.6'],
  ...['6.5.1', '6.5.2', '6.5.3', '6.5.4', '6.5.5', '6.5.8', '6.6.2', '6.6.3'],
  ...[
    '7.1.1',
    '7.1.2',
    '7.2.3',
    '7.2.4',
    '7.3.1',
    '7.3.2',
    '7.4.1',
    '7.4.2',
    '7.4.3',
    '7.4.5',
    '7.5.1',
    '7.5.2',
    '7.5.3',
  ],
  ...['9.1.1', '9.1.2', '9.1.3', '9.2.1', '9.2.2', '9.2.3', '9.2.4'],
];
