import type { SystemDatabase } from '../../platform/database/system-database';
import type { VerificationReport, VerifyOptions } from './log-verifier';

/** Interval of writing the progress. */
const WRITE_EVERY_MS = 1_000;

const MAX_ERROR_LENGTH = 1_000;

/** Takes a verification that no worker runs: one that is running is seen every second. */
const TAKE = `
  UPDATE audit.verifications SET status = 'running', progress = 0, started_at = now(), seen_at = now()
  WHERE id = (
    SELECT id FROM audit.verifications
    WHERE status = 'pending' OR (status = 'running' AND seen_at < now() - interval '15 seconds')
    ORDER BY id DESC LIMIT 1 FOR UPDATE SKIP LOCKED)
  RETURNING id, from_time AS "from", until_time AS until`;

const SET_PROGRESS = `
  UPDATE audit.verifications SET progress = $2, seen_at = now() WHERE id = $1 AND status = 'running'`;

const SET_FINISHED = `
  UPDATE audit.verifications SET status = 'finished', progress = 1, report = $2, ended_at = now() WHERE id = $1`;

const SET_FAILED = `UPDATE audit.verifications SET status = 'failed', error = $2, ended_at = now() WHERE id = $1`;

interface TakenRow {
  readonly id: number;
  readonly from: Date | null;
  readonly until: Date | null;
}

/** A verification that an admin requested, a row of audit.verifications. Session: gigvault_worker. */
export class RequestedVerification {
  private constructor(
    private readonly database: SystemDatabase,
    private readonly row: TakenRow,
  ) {}

  /** Takes the newest verification that waits; undefined without one. */
  static async take(database: SystemDatabase): Promise<RequestedVerification | undefined> {
    const [row] = await database.asScheduler((unit) => unit.query<TakenRow>(TAKE));
    return row && new RequestedVerification(database, row);
  }

  /** Runs it, and stores its progress each second, and its report or error. */
  async run<Report extends VerificationReport>(verify: (options: VerifyOptions) => Promise<Report>): Promise<Report> {
    const { from, until } = this.row;
    let progress = 0;
    const writing = setInterval(
      // A progress that is not written is replaced a second later.
      () => void this.write(SET_PROGRESS, progress).catch(() => undefined),
      WRITE_EVERY_MS,
    );
    try {
      const report = await verify({
        from: from ?? undefined,
        until: until ?? undefined,
        onProgress: (share) => (progress = share),
      });
      await this.write(SET_FINISHED, JSON.stringify(report));
      return report;
    } catch (error) {
      await this.write(SET_FAILED, (error as Error).message.slice(0, MAX_ERROR_LENGTH));
      throw error;
    } finally {
      clearInterval(writing);
    }
  }

  private write(sql: string, value: unknown): Promise<unknown> {
    return this.database.asScheduler((unit) => unit.query(sql, [this.row.id, value]));
  }
}
