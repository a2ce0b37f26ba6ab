import { Injectable } from '@nestjs/common';
import { Config } from '../config/config';
import { currentContext } from '../context/request-context';
import { AppError } from '../errors/app-error';
import { RolePools, type SystemRole } from './driver/role-pools';
import { UnitOfWork } from './unit-of-work';

/** Runs one reading unit of a watch. */
export type AdminReader = <T>(work: (unit: UnitOfWork) => Promise<T>) => Promise<T>;

const READ_ONLY = `SELECT set_config('transaction_read_only', 'on', true)`;

/**
 * The one named door past the tenant: every act that needs another role than gigvault_app goes through here, so that a
 * search for its name finds them all. Each role may do only what schema and functions grant it.
 */
@Injectable()
export class SystemDatabase {
  constructor(
    private readonly pools: RolePools,
    private readonly config: Config,
  ) {}

  /**
   * Runs `work` as gigvault_auth, before a user is known: it may only call the functions of schema auth, which log their
   * own security events.
   */
  asAuth<T>(work: (unit: UnitOfWork) => Promise<T>): Promise<T> {
    return this.run('auth', null, work);
  }

  /** Runs `work` as gigvault_worker for a task; leaves the security event `system.worker` with the reason. */
  asWorker<T>(reason: string, work: (unit: UnitOfWork) => Promise<T>): Promise<T> {
    return this.run('worker', reason, work);
  }

  /**
   * Runs `work` as gigvault_worker for the scheduler's own books (task_runs, task_settings) and the outbox, which hold no tenant's row;
   * leaves no event, since it happens every few seconds.
   */
  asScheduler<T>(work: (unit: UnitOfWork) => Promise<T>): Promise<T> {
    return this.run('worker', null, work);
  }

  /**
   * Runs `work` as gigvault_admin for a signed-in admin; leaves the security event `system.admin` with the reason.
   * @throws AppError `auth.forbidden` before any SQL for anyone else
   */
  async asAdmin<T>(reason: string, work: (unit: UnitOfWork) => Promise<T>): Promise<T> {
    if (currentContext()?.principal?.role !== 'admin')
      throw new AppError('auth.forbidden', { detail: 'This needs the role admin.' });
    return this.run('admin', reason, work);
  }

  /**
   * Opens the watch of a signed-in admin: leaves the event `system.admin` with the reason once, now, and returns what runs
   * reading units as gigvault_admin under it, as often as he looks. Who watches must end it with the admin's session.
   * @throws AppError `auth.forbidden` before any SQL for anyone else
   */
  async openAdminView(reason: string): Promise<AdminReader> {
    await this.asAdmin(reason, () => Promise.resolve());
    return (work) =>
      this.run('admin', null, async (unit) => {
        await unit.query(READ_ONLY);
        return work(unit);
      });
  }

  /** Runs `work` as gigvault_monitor, which reads statistics of the cluster and no tenant's row; leaves no event. */
  asMonitor<T>(work: (unit: UnitOfWork) => Promise<T>): Promise<T> {
    return this.run('monitor', null, work);
  }

  private async run<T>(role: SystemRole, reason: string | null, work: (unit: UnitOfWork) => Promise<T>): Promise<T> {
    if (reason !== null) await this.recordEvent(role, reason);
    const unit = this.begin(role, reason);
    let result: T;
    try {
      result = await work(unit);
    } catch (error) {
      await unit.rollback();
      throw error;
    }
    await unit.commit();
    return result;
  }

  /** In a transaction of its own, before the act: an act that fails was tried all the same. */
  private async recordEvent(role: SystemRole, reason: string): Promise<void> {
    const context = currentContext();
    await this.begin(role, reason).queryOnce(`SELECT auth.log_event($1, $2, true, $3, $4, $5)`, [
      `system.${role}`,
      context?.principal?.userId ?? null,
      context?.ip ?? null,
      context?.userAgent ?? null,
      JSON.stringify({ reason, operation: context?.operation }),
    ]);
  }

  private begin(role: SystemRole, reason: string | null): UnitOfWork {
    const { preparedStatements, statementTimeoutMs } = this.config.database;
    return new UnitOfWork({
      pool: this.pools.of(role),
      settings: { userId: null, reason, statementTimeoutMs },
      named: preparedStatements,
    });
  }
}
