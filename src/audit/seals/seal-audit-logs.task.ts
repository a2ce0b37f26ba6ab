import { Config } from '../../platform/config/config';
import { type AdminReader, SystemDatabase } from '../../platform/database/system-database';
import type { ScheduledTask, Skipped, TaskContext, TaskResult } from '../../platform/scheduler/scheduled-task';
import { AuditSealer } from './audit-sealer';
import { HeadFile, whyNotExtended } from './head-file';
import { findWitnessedHeads } from './cosigned-heads';
import type { Tampering } from './findings';
import { LogVerifier, type VerificationReport, type VerifyOptions } from './log-verifier';
import { RequestedVerification } from './requested-verification';
import { NoteSigner } from './signed-note';

/** Differences that an error names. */
const MAX_SHOWN = 10;

/** Signs the committed rows of both logs, so that a later change of them is found. */
export const SEAL_AUDIT_LOGS: ScheduledTask = {
  id: 'seal-audit-logs',
  description: 'Adds the committed rows of the audit and security logs to their Merkle tree, and signs its head.',
  cron: '* * * * *',
  timezone: 'UTC',
  timeoutMs: 15 * 60_000,
  retries: 2,
  missedRunImpact: 'The owner of the database could change new rows of the logs unnoticed.',
  runsAtBoot: true,
  run: sealAuditLogs,
};

/** Compares both logs with their seals. A difference fails the run, so admins get an email. */
export const VERIFY_AUDIT_LOGS: ScheduledTask = {
  id: 'verify-audit-logs',
  description: 'Compares each row of the audit and security logs with its seal, and reports changed and missing ones.',
  cron: '41 4 * * *',
  timezone: 'UTC',
  timeoutMs: 60 * 60_000,
  retries: 0,
  missedRunImpact: 'A change of the logs is found at a later run.',
  run: verifyAuditLogs,
};

async function sealAuditLogs({ service, signal }: TaskContext): Promise<TaskResult | Skipped> {
  const log = openLog(service);
  const { rows, seals } = await sealAll(log, signal);
  return seals === 0 ? { skipped: 'all rows are sealed' } : { rows, seals };
}

/**
 * Seals all committed rows, and replaces the head in the file.
 * @throws Error when the log does not extend that head; the rows are sealed, and the head stays as evidence
 */
async function sealAll(log: OpenLog, signal: AbortSignal): Promise<{ rows: number; seals: number }> {
  const problem = await advanceHead(log);
  let [rows, seals] = [0, 0];
  for (;;) {
    signal.throwIfAborted();
    const sealed = await log.sealer.sealNext();
    if (sealed === 0) break;
    rows += sealed;
    seals += 1;
  }
  const later = problem ?? (seals > 0 ? await advanceHead(log) : undefined);
  if (later !== undefined) throw new Error(later);
  return { rows, seals };
}

async function verifyAuditLogs({ service, signal, startedBy }: TaskContext): Promise<TaskResult | Skipped> {
  const verify = (options: VerifyOptions): Promise<LogReport> => verifyLog(service, { ...options, signal });
  const request = startedBy === 'admin' ? await RequestedVerification.take(service(SystemDatabase)) : undefined;
  const { tampering, treeSize, differences, ...counts } = await (request ? request.run(verify) : verify({}));
  if (differences > 0) throw new Error(describeTampering(differences, tampering));
  return treeSize === 0 ? { skipped: 'no row is sealed yet' } : { ...counts, entries: treeSize };
}

/** A report with the number of entries that a witness of the settings has cosigned. */
type LogReport = VerificationReport & { readonly witnessed: number };

/** Seals all rows, and verifies the log with the head in the file and those of the witnesses. */
async function verifyLog(
  service: TaskContext['service'],
  options: VerifyOptions & { readonly signal: AbortSignal },
): Promise<LogReport> {
  const log = openLog(service);
  const { sealer, file, createSigner, database } = log;
  // An event that explains a missing row must be on record. The verification reports what is wrong with the head.
  const seal = () => sealAll(log, options.signal).catch(() => undefined);
  await seal();
  const head = await sealer.readHead();
  const key = createSigner(head?.origin ?? null).verifier;
  const kept = file?.exists ? file.read(key) : undefined;
  const witnessed = await findWitnessedHeads(service);
  const trusted = { keys: [key], heads: [...(kept ? [kept] : []), ...witnessed.heads] };
  const read: AdminReader = (work) => database.asScheduler(work);
  const report = await new LogVerifier(read, trusted, { ...options, seal }).verify();
  const foreign = file?.exists && !kept ? [{ place: file.path, problem: 'it is not signed by the key' }] : [];
  const outside = [...foreign, ...witnessed.tampering];
  return {
    ...report,
    witnessed: Math.max(0, ...witnessed.heads.map(({ size }) => size)),
    differences: report.differences + outside.length,
    tampering: [...outside, ...report.tampering],
  };
}

function describeTampering(count: number, tampering: readonly Tampering[]): string {
  const shown = tampering.slice(0, MAX_SHOWN).map(({ place, problem }) => `${place}: ${problem}`);
  return `the logs differ from their seals (${count} times): ${shown.join('; ')}`;
}

/** The log of an installation and its key. */
interface OpenLog {
  readonly database: SystemDatabase;
  readonly sealer: AuditSealer;
  readonly createSigner: (origin: string | null) => NoteSigner;
  readonly file: HeadFile | undefined;
}

function openLog(service: TaskContext['service']): OpenLog {
  const { audit } = service(Config);
  const database = service(SystemDatabase);
  const createSigner = (origin: string | null): NoteSigner => new NoteSigner(origin ?? audit.origin, audit.signingKey);
  const file = audit.headFile === undefined ? undefined : new HeadFile(audit.headFile);
  return { database, sealer: new AuditSealer(database, createSigner), createSigner, file };
}

/**
 * Replaces the head in the file by the newest one, if the log extends both. Only the key is trusted: a seal may have
 * been given an older head.
 * @returns why it was not replaced, with a cure; undefined when the file has the newest head
 */
async function advanceHead({ database, sealer, createSigner, file }: OpenLog): Promise<string | undefined> {
  if (!file) return undefined;
  const stored = await sealer.readHead();
  const key = createSigner(stored?.origin ?? null).verifier;
  const kept = file.exists ? file.read(key) : undefined;
  if (file.exists && !kept)
    return `${file.path} is not signed by the key of AUDIT_SIGNING_KEY. After a change of it, move the file away.`;
  const newest = stored && key.readCheckpoint(stored.checkpoint);
  for (const head of [kept, newest].filter((each) => each !== undefined)) {
    const reason = await whyNotExtended(head, newest?.size ?? 0, (work) => database.asScheduler(work));
    if (reason !== undefined)
      return `${reason}. After the restore of a backup this is expected: move ${file.path} away.`;
  }
  if (newest && newest.size > (kept?.size ?? -1)) file.write(stored.checkpoint);
  return undefined;
}
