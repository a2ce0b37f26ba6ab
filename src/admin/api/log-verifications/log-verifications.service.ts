import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { VERIFY_AUDIT_LOGS } from '../../../audit/seals/seal-audit-logs.task';
import { SessionsService } from '../../../auth/sessions/sessions.service';
import { FairSemaphore } from '../../../platform/concurrency/fair-semaphore';
import { currentContext, runInContext } from '../../../platform/context/request-context';
import { type AdminReader, SystemDatabase } from '../../../platform/database/system-database';
import { AppError } from '../../../platform/errors/app-error';
import { DrainingService } from '../../../platform/http/edge/draining.service';
import { formatEvent, runStepsInContext } from '../../../platform/http/responses/event-stream';
import { describeAction } from '../reason.dto';
import { AdminTasksService } from '../tasks/admin-tasks.service';
import type { LogVerificationDto, VerifyLogsDto } from './log-verifications.dto';
import { findVerification, insertVerification, LOCK_VERIFICATIONS } from './log-verifications.queries';

const POLL_INTERVAL_MS = 1_000;

/** Open streams of an admin: each polls the database every second. */
const MAX_STREAMS = 3;

/** Verifications of the logs that admins request; a worker runs them. Runs as gigvault_admin, with security events. */
@Injectable()
export class LogVerificationsService {
  private readonly streamSlots = new FairSemaphore({
    resource: 'event streams',
    perKey: MAX_STREAMS,
    maxWaitingPerKey: 0,
    retryAfterSeconds: 10,
  });

  constructor(
    private readonly system: SystemDatabase,
    private readonly tasks: AdminTasksService,
    private readonly sessions: SessionsService,
    private readonly draining: DrainingService,
  ) {}

  /**
   * Queues a verification. A worker takes it as soon as one is free.
   * @throws AppError `audit.verification_running`: another one may have other rows, so it does not serve this request
   */
  async start({ from, to, reason }: VerifyLogsDto): Promise<LogVerificationDto> {
    const adminId = currentContext()?.principal?.userId ?? 0;
    const auditReason = describeAction('verify the logs', reason);
    const verification = await this.system.performAsAdmin('verify-logs', auditReason, async (unit) => {
      await unit.query(LOCK_VERIFICATIONS);
      const [created] = await unit.query<LogVerificationDto>(...insertVerification(adminId, from, to));
      return created;
    });
    if (!verification) throw new AppError('audit.verification_running');
    await this.tasks.run(VERIFY_AUDIT_LOGS.id, auditReason);
    return verification;
  }

  /**
   * Returns a verification with its report.
   * @throws AppError `audit.verification_not_found`
   */
  get(id: number): Promise<LogVerificationDto> {
    return this.system.asAdmin(`read verification ${id} of the logs`, async (unit) => {
      const [found] = await unit.query<LogVerificationDto>(...findVerification(id));
      if (!found) throw new AppError('audit.verification_not_found');
      return found;
    });
  }

  /**
   * Returns the events of a verification: `progress` for each change, then `done`; `end` when the session is over. Side
   * effects: one security event `system.admin`.
   * @throws AppError `audit.verification_not_found` before the first event; `rate.too_many_at_once`
   */
  async openStream(id: number, reply: FastifyReply): Promise<AsyncGenerator<string>> {
    const context = { ...currentContext()! };
    const release = await this.streamSlots.acquire(context.principal?.userId ?? 0);
    if (reply.raw.closed) release();
    else reply.raw.once('close', release);
    await this.get(id);
    const read = await this.system.openAdminView(`watch verification ${id} of the logs`);
    return runStepsInContext(this.pollEvents(id, read), (work) => runInContext(context, work));
  }

  private async *pollEvents(id: number, read: AdminReader): AsyncGenerator<string> {
    let known = '';
    for (let number = 1; !this.draining.isDraining;) {
      if (await this.isSignedOut()) {
        yield formatEvent('end', number, {});
        return;
      }
      const [verification] = await read((unit) => unit.query<LogVerificationDto>(...findVerification(id)));
      const { status, progress } = verification!;
      if (status === 'finished' || status === 'failed') {
        yield formatEvent('done', number, verification);
        return;
      }
      const current = `${status} ${progress}`;
      if (current === known) yield ': no change\n\n';
      else yield formatEvent('progress', number++, { status, progress });
      known = current;
      await sleep(POLL_INTERVAL_MS, undefined, { ref: false });
    }
  }

  /** A session that cannot be read now is checked again in a second. */
  private async isSignedOut(): Promise<boolean> {
    const session = await this.sessions.findLive(currentContext()?.principal?.sessionId ?? '').catch(() => undefined);
    return session === null;
  }
}
