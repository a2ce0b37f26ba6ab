import { AppError } from '../errors/app-error';
import { currentContext, type Principal } from './request-context';

/** The rule of an act of admins. */
interface AdminActRule {
  /**
   * True when every admin must have re-authenticated within 10 minutes. False: only admins with a second factor must,
   * which they need for every act.
   */
  readonly needsStepUp: boolean;
}

/**
 * Everything that admins change. `SystemDatabase.performAsAdmin` takes the name of an act, so its rule holds for the
 * API and the dashboard alike, and an act that is not listed here cannot write: other units of admins are read-only.
 */
export const ADMIN_ACTS = {
  'change-user': { needsStepUp: true },
  'end-user-sessions': { needsStepUp: true },
  'reset-mfa': { needsStepUp: true },
  'create-backup': { needsStepUp: true },
  'verify-backup': { needsStepUp: true },
  'verify-logs': { needsStepUp: true },
  'rotate-encryption-keys': { needsStepUp: true },
  'retire-encryption-key': { needsStepUp: true },
  // A run does what the schedule does anyway, and each of these is undone by another.
  'run-task': { needsStepUp: false },
  'pause-task': { needsStepUp: false },
  'dismiss-alert': { needsStepUp: false },
  // Shared rows of a generated domain: no secret and no account.
  'change-reference-data': { needsStepUp: false },
} as const satisfies Readonly<Record<string, AdminActRule>>;

/** Name of an act. */
export type AdminAct = keyof typeof ADMIN_ACTS;

/** Returns whether a user must re-authenticate before an act. */
export function mustReauthenticate({ hasMfa, recentAuthUntil }: Principal, act: AdminAct): boolean {
  if ((recentAuthUntil ?? 0) > Date.now()) return false;
  return ADMIN_ACTS[act].needsStepUp || hasMfa === true;
}

/** Rejects everyone but admins. @throws AppError `auth.forbidden` */
export function requireAdmin(): Principal {
  const principal = currentContext()?.principal;
  if (principal?.role !== 'admin') throw new AppError('auth.forbidden', { detail: 'This needs the role admin.' });
  return principal;
}

/**
 * Rejects everyone but admins who may perform the act now.
 * @throws AppError `auth.forbidden`, `auth.step_up_required`
 */
export function requireAct(act: AdminAct): void {
  if (mustReauthenticate(requireAdmin(), act)) throw new AppError('auth.step_up_required');
}
