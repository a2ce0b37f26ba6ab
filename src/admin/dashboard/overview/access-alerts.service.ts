import { Injectable } from '@nestjs/common';
import type { AccessAlert } from '../../../auth/security-events/detect-suspicious-access.task';
import { SystemDatabase } from '../../../platform/database/system-database';
import type { UnitOfWork } from '../../../platform/database/unit-of-work';
import { AppError } from '../../../platform/errors/app-error';

/** An open access alert. */
export type OpenAccessAlert = AccessAlert & { readonly userId: number | null };

/** The newest alerts of the last week that no admin has dismissed. */
const OPEN_ACCESS_ALERTS = `
  SELECT id, kind, user_id AS "userId", host(ip_address) AS "ipAddress", details, created_at AS "createdAt"
  FROM access_alerts WHERE dismissed_at IS NULL AND created_at > now() - interval '7 days' ORDER BY id DESC LIMIT 20`;

const DISMISS_ACCESS_ALERT = `
  UPDATE access_alerts SET dismissed_at = now() WHERE id = $1 AND dismissed_at IS NULL RETURNING id`;

/** Alerts about suspicious sign-ins, for admins. */
@Injectable()
export class AccessAlertsService {
  constructor(private readonly system: SystemDatabase) {}

  /** Lists the open alerts of the last week, newest first, at most 20. @param unit a unit of gigvault_admin */
  listOpen(unit: UnitOfWork): Promise<OpenAccessAlert[]> {
    return unit.query<OpenAccessAlert>(OPEN_ACCESS_ALERTS);
  }

  /**
   * Removes an alert from the dashboard; its row stays.
   * @throws AppError `alert.not_found` when there is no open alert with this id
   */
  async dismiss(id: number, reason: string): Promise<void> {
    const rows = await this.system.performAsAdmin('dismiss-alert', `dismiss access alert ${id}: ${reason}`, (unit) =>
      unit.query(DISMISS_ACCESS_ALERT, [id]),
    );
    if (rows.length === 0) throw new AppError('alert.not_found');
  }
}

interface AccessAlertText {
  readonly describe: (alert: OpenAccessAlert) => string;
  readonly advice: string;
}

const UNKNOWN_SIGN_IN_ADVICE =
  'The user got an email with instructions. If they do not recognize this sign-in, end their sessions, or lock ' +
  'them out until they have set a new password.';

/** Texts of alerts for admins; emails to users have their own texts. */
const ACCESS_ALERT_TEXTS: Readonly<Record<OpenAccessAlert['kind'], AccessAlertText>> = {
  failure_burst: {
    describe: ({ details }) =>
      `${formatCount(details['failures'], 'sign-in')} to the account of this user failed within minutes, ` +
      `from ${formatCount(details['addresses'], 'address')}.`,
    advice: 'None of these attempts succeeded, and further ones are slowed down. The user got an email.',
  },
  address_sweep: {
    describe: ({ details, ipAddress }) =>
      `${formatCount(details['failures'], 'sign-in')} to ${formatCount(details['accounts'], 'account')} ` +
      `failed within minutes, all from ${ipAddress}.`,
    advice:
      'Further attempts from there are slowed down. Look for sign-ins from this address that succeeded, end ' +
      'the sessions of those users, and block the address in front of the server.',
  },
  new_device: {
    describe: ({ details, ipAddress }) =>
      `A new device or place signed in to the account of this user: ${details['device'] ?? 'unknown'}, ${ipAddress}.`,
    advice: UNKNOWN_SIGN_IN_ADVICE,
  },
  far_addresses: {
    describe: ({ details, ipAddress }) =>
      `Within ten minutes this account was used from two networks: ${details['otherAddress']} and ${ipAddress}.`,
    advice: UNKNOWN_SIGN_IN_ADVICE,
  },
};

/** Describes an alert in a sentence. */
export function describeAccessAlert(alert: OpenAccessAlert): string {
  return ACCESS_ALERT_TEXTS[alert.kind].describe(alert);
}

/** Returns advice for the admin. */
export function getAccessAlertAdvice({ kind }: OpenAccessAlert): string {
  return ACCESS_ALERT_TEXTS[kind].advice;
}

function formatCount(value: string | number | null | undefined, noun: string): string {
  const plural = noun.endsWith('s') ? `${noun}es` : `${noun}s`;
  return `${value ?? 'several'} ${Number(value) === 1 ? noun : plural}`;
}
