import { Injectable } from '@nestjs/common';
import type { AccessAlert } from '../auth/access-alert-mail';
import { SystemDatabase } from '../platform/database/system-database';
import type { Unit } from '../platform/database/unit';
import { AppError } from '../platform/errors/app-error';

/** An alert on the dashboard. */
export type ShownAlert = AccessAlert & { readonly userId: number | null };

/** Alerts an admin has not dismissed, of the last week; the newest of them. */
const STANDING = `
  SELECT id, kind, user_id AS "userId", host(ip_address) AS "ipAddress", details, created_at AS "createdAt"
  FROM access_alerts WHERE dismissed_at IS NULL AND created_at > now() - interval '7 days' ORDER BY id DESC LIMIT 20`;

const DISMISS = `UPDATE access_alerts SET dismissed_at = now() WHERE id = $1 AND dismissed_at IS NULL RETURNING id`;

/** What the watch over sign-ins has found, as admins see it. */
@Injectable()
export class AccessAlertsService {
  constructor(private readonly system: SystemDatabase) {}

  /** The alerts that stand, newest first, at most 20. Session: a unit of gigvault_admin. */
  standing(unit: Unit): Promise<ShownAlert[]> {
    return unit.query<ShownAlert>(STANDING);
  }

  /**
   * Takes an alert off the dashboard; it stays in the table.
   * @throws AppError `alert.not_found` when there is no such alert that stands
   */
  async dismiss(id: number, reason: string): Promise<void> {
    const rows = await this.system.asAdmin(`dismiss access alert ${id}: ${reason}`, (unit) =>
      unit.query(DISMISS, [id]),
    );
    if (rows.length === 0) throw new AppError('alert.not_found');
  }
}
