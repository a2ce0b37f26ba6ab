import { Injectable } from '@nestjs/common';
import { Config } from '../config/config';
import { type AdminAct, requireAct, requireAdmin } from '../context/admin-acts';
import { currentContext } from '../context/request-context';
import { ContextSigner } from './context-signer';
import { RolePools, type SystemRole } from './driver/role-pools';
import { UnitOfWork } from './unit-of-work';

/** A function that runs one read-only unit of work as gigvault_admin. */
export type AdminReader = <T>(work: (unit: UnitOfWork) => Promise<T>) => Promise<T>;

const READ_ONLY = `SELECT set_config('transaction_read_only', 'on', true)`;

/** Makes the transaction of a unit read-only, in the same round trip as its first statement. */
function readOnly<T>(work: (unit: UnitOfWork) => Promise<T>): (unit: UnitOfWork) => Promise<T> {
  return (unit) => {
    // A failure is thrown when the unit ends.
    void unit.query(READ_ONLY);
    return work(unit);
  };
}

/**
 * The database access of all roles other than gigvault_app. A search for its name finds every use without a tenant.
 * Grants and functions of the schema limit each role.
 */
@Injectable()
export class SystemDatabase {
  private readonly signers = new Map<SystemRole, ContextSigner>();

  constructor(
    private readonly pools: RolePools,
    private readonly config: Config,
  ) {}

  /**
   * Runs `work` as gigvault_auth, before the user is known. This role may only call the functions of schema auth, which
   * log their own security events.
   */
  asAuth<T>(work: (unit: UnitOfWork) => Promise<T>): Promise<T> {
    return this.run('auth', null, work);
  }

  /** Runs `work` as gigvault_worker for a task. Logs the security event `system.worker` with the reason. */
  asWorker<T>(reason: string, work: (unit: UnitOfWork) => Promise<T>): Promise<T> {
    return this.run('worker', reason, work);
  }

  /**
   * Runs `work` as gigvault_worker for task_runs, task_settings and the outbox, which contain no tenant rows, and for
   * the hashes of log rows. Logs no event, since it runs every few seconds.
   */
  asScheduler<T>(work: (unit: UnitOfWork) => Promise<T>): Promise<T> {
    return this.run('worker', null, work);
  }

  /**
   * Runs `work` as gigvault_admin for a signed-in admin, in a read-only transaction. Logs the security event
   * `system.admin` with the reason, and the event `account.admin_access` of the user whose data it is about, who can
   * read it.
   * @throws AppError `auth.forbidden` before any SQL for everyone else
   */
  async asAdmin<T>(reason: string, work: (unit: UnitOfWork) => Promise<T>, aboutUserId?: number): Promise<T> {
    requireAdmin();
    if (aboutUserId !== undefined) await this.recordAccess(aboutUserId);
    return this.run('admin', reason, readOnly(work));
  }

  /**
   * Runs `work` like `asAdmin`, in a transaction that may write. ADMIN_ACTS says whether the admin must have
   * re-authenticated; no other way lets an admin change anything.
   * @throws AppError `auth.forbidden`, `auth.step_up_required` before any SQL
   */
  async performAsAdmin<T>(
    act: AdminAct,
    reason: string,
    work: (unit: UnitOfWork) => Promise<T>,
    aboutUserId?: number,
  ): Promise<T> {
    requireAct(act);
    if (aboutUserId !== undefined) await this.recordAccess(aboutUserId);
    return this.run('admin', reason, work);
  }

  /**
   * Opens a live view for a signed-in admin. Logs the event `system.admin` with the reason once, and returns a function
   * that runs read-only units as gigvault_admin. The caller must end the view with the admin's session.
   * @throws AppError `auth.forbidden` before any SQL for everyone else
   */
  async openAdminView(reason: string): Promise<AdminReader> {
    await this.asAdmin(reason, () => Promise.resolve());
    return (work) => this.run('admin', null, readOnly(work));
  }

  /** Runs `work` as gigvault_monitor, which reads cluster statistics and no tenant rows. Logs no event. */
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

  /** Logs the event in a separate transaction before the work, so that failed attempts are on record too. */
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

  /**
   * The user learns which admin did what, and no address of theirs. Admins need no event of their own account, and an
   * id without an account has no reader.
   */
  private async recordAccess(userId: number): Promise<void> {
    const { principal, operation } = currentContext() ?? {};
    if (principal?.userId === userId) return;
    const details = JSON.stringify({ adminId: principal?.userId, operation });
    await this.begin('admin', 'tell a user about an access to their data').queryOnce(
      'SELECT app.log_admin_access($1, $2)',
      [userId, details],
    );
  }

  private signerOf(role: SystemRole): ContextSigner {
    let signer = this.signers.get(role);
    if (!signer) this.signers.set(role, (signer = new ContextSigner(this.config.contextKey, `gigvault_${role}`)));
    return signer;
  }

  private begin(role: SystemRole, reason: string | null): UnitOfWork {
    const { preparedStatements, statementTimeoutMs } = this.config.database;
    return new UnitOfWork({
      pool: this.pools.of(role),
      settings: { userId: null, reason, statementTimeoutMs },
      signer: this.signerOf(role),
      named: preparedStatements,
    });
  }
}
