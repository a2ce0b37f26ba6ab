import { Config } from '../../platform/config/config';
import { SystemDatabase } from '../../platform/database/system-database';
import type { ScheduledTask, Skipped, TaskContext, TaskResult } from '../../platform/scheduler/scheduled-task';
import { CosignatureVerifier } from '../seals/cosignature';
import { CosignedHeads } from '../seals/cosigned-heads';
import { LogWitness, type WitnessedLog } from './log-witness';
import { readNewestHead } from './newest-head';

/** Sends the newest head of the log to the witnesses, apart from sealing, which must go on while a witness is down. */
export const WITNESS_AUDIT_HEAD: ScheduledTask = {
  id: 'witness-audit-head',
  description: 'Gets the newest head of the audit log cosigned by the witnesses of AUDIT_WITNESSES.',
  cron: '* * * * *',
  timezone: 'UTC',
  timeoutMs: 5 * 60_000,
  retries: 2,
  missedRunImpact: 'The owner of the database could cut or rewrite the newest entries of the log unnoticed.',
  run: witnessAuditHead,
};

async function witnessAuditHead({ service, signal }: TaskContext): Promise<TaskResult | Skipped> {
  const { witnesses } = service(Config).audit;
  if (witnesses.length === 0) return { skipped: 'AUDIT_WITNESSES is not set' };
  const head = await readNewestHead(service);
  if (!head) return { skipped: 'no row is sealed yet' };
  const database = service(SystemDatabase);
  const readHead = async (): ReturnType<WitnessedLog['readHead']> => (await readNewestHead(service)) ?? head;
  const log: WitnessedLog = { database, heads: new CosignedHeads(database), readHead, signal };
  const results = await Promise.allSettled(
    witnesses.map(({ name, publicKey, url }) =>
      new LogWitness(new CosignatureVerifier(name, publicKey), url, log).submitNewestHead(),
    ),
  );
  const problems = results.flatMap((result, i) =>
    result.status === 'rejected' ? [`${witnesses[i]!.name}: ${(result.reason as Error).message}`] : [],
  );
  if (problems.length > 0) throw new Error(`witnesses: ${problems.join('; ')}`);
  const cosigned = results.filter((result) => result.status === 'fulfilled' && result.value).length;
  return cosigned === 0 ? { skipped: 'all witnesses have the newest head' } : { cosigned };
}
