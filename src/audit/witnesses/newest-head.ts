import { Config } from '../../platform/config/config';
import { SystemDatabase } from '../../platform/database/system-database';
import type { TaskContext } from '../../platform/scheduler/scheduled-task';
import { AuditSealer } from '../seals/audit-sealer';
import { whyNotExtended } from '../seals/head-file';
import { type Checkpoint, NoteSigner } from '../seals/signed-note';

/** The newest head of the log. */
export interface SignedHead extends Checkpoint {
  /** The signed note. */
  readonly note: string;
  /** The verifier key of the log. */
  readonly verifierKey: string;
}

/**
 * Returns the newest head, which is that of the stored tree; undefined before the first seal. Session: gigvault_worker.
 * @throws Error for a head that the key of the settings has not signed, and for one of another tree
 */
export async function readNewestHead(service: TaskContext['service']): Promise<SignedHead | undefined> {
  const { audit } = service(Config);
  const database = service(SystemDatabase);
  const createSigner = (origin: string | null): NoteSigner => new NoteSigner(origin ?? audit.origin, audit.signingKey);
  const stored = await new AuditSealer(database, createSigner).readHead();
  if (!stored) return undefined;
  const { verifier } = createSigner(stored.origin);
  const head = verifier.readCheckpoint(stored.checkpoint);
  if (!head)
    throw new Error(
      'the newest head is not signed by the key of AUDIT_SIGNING_KEY; after a change of it, the next seal is',
    );
  const reason = await whyNotExtended(head, head.size, (work) => database.asScheduler(work));
  if (reason !== undefined) throw new Error(`${reason}: the stored tree is not that of its newest head`);
  return { ...head, note: stored.checkpoint, verifierKey: verifier.text };
}
