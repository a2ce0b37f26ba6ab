import { Injectable } from '@nestjs/common';
import { SystemDatabase } from '../platform/database/system-database';
import type { Unit } from '../platform/database/unit';
import type { TaskAlertDto } from './dto/task-alert.dto';

const STANDING = `
  SELECT id, task, kind, reason, created_at AS "createdAt", mailed_at AS "mailedAt"
  FROM task_alerts WHERE cleared_at IS NULL ORDER BY id DESC LIMIT 100`;

/** What the watch over scheduled tasks has found, as admins see it. An alert ends by itself, when its task is well again. */
@Injectable()
export class TaskAlertsService {
  constructor(private readonly system: SystemDatabase) {}

  /** Returns the alerts that stand, newest first, at most 100. Runs as gigvault_admin; the reading is a security event. */
  list(): Promise<TaskAlertDto[]> {
    return this.system.asAdmin('list the alerts of tasks', (unit) => this.standing(unit));
  }

  /** The same within a unit of gigvault_admin. */
  standing(unit: Unit): Promise<TaskAlertDto[]> {
    return unit.query<TaskAlertDto>(STANDING);
  }
}
