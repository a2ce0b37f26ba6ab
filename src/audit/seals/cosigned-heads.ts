import { Config } from '../../platform/config/config';
import { SystemDatabase } from '../../platform/database/system-database';
import type { TaskContext } from '../../platform/scheduler/scheduled-task';
import { whyNotExtended } from './head-file';
import type { Tampering } from './findings';
import { type Checkpoint, parseCheckpoint, parseNote, parseSignatureLines } from './signed-note';
import { type Cosignature, CosignatureVerifier } from './cosignature';

const FIND_NEWEST = `
  SELECT tree_size AS "treeSize", checkpoint, cosignature FROM audit.cosignatures
  WHERE witness = $1 ORDER BY tree_size DESC LIMIT 1`;

const FIND_OLDER = `
  SELECT tree_size AS "treeSize", checkpoint, cosignature FROM audit.cosignatures
  WHERE witness = $1 AND tree_size > $2 AND tree_size < $3 ORDER BY tree_size
  OFFSET (
    SELECT count(*) / 2 FROM audit.cosignatures WHERE witness = $1 AND tree_size > $2 AND tree_size < $3
  ) LIMIT 1`;

const HAS_SIZE = 'SELECT EXISTS (SELECT FROM audit.cosignatures WHERE tree_size = $1) AS found';

const STORE = `
  INSERT INTO audit.cosignatures (tree_size, witness, checkpoint, cosignature, cosigned_at)
  VALUES ($1, $2, $3, $4, to_timestamp($5)) ON CONFLICT (tree_size, witness) DO NOTHING`;

interface StoredHead {
  readonly treeSize: number;
  readonly checkpoint: string;
  readonly cosignature: string;
}

/** The heads of the log that witnesses have cosigned. Session: gigvault_worker. */
export class CosignedHeads {
  constructor(private readonly database: SystemDatabase) {}

  /**
   * Returns the newest head that the witness has cosigned; undefined before the first.
   * @throws Error when its key has not signed the stored head
   */
  async findNewest(witness: CosignatureVerifier): Promise<Checkpoint | undefined> {
    const [stored] = await this.read(FIND_NEWEST, [witness.text]);
    return stored && readHead(stored, witness);
  }

  /** Returns whether any witness has cosigned a head of this size. */
  async hasSize(size: number): Promise<boolean> {
    const [row] = await this.database.asScheduler((unit) => unit.query<{ found: boolean }>(HAS_SIZE, [size]));
    return row!.found;
  }

  /** Stores a head that the witness has cosigned. */
  async store(witness: CosignatureVerifier, size: number, checkpoint: string, { time, line }: Cosignature) {
    await this.database.asScheduler((unit) => unit.query(STORE, [size, witness.text, checkpoint, line, time]));
  }

  /**
   * Returns why the log does not extend a cosigned head, with the place; undefined when it does.
   * @param treeSize the size of the log
   */
  async whyNotExtended(witness: CosignatureVerifier, head: Checkpoint, treeSize: number): Promise<string | undefined> {
    const reason = await this.compare(head, treeSize);
    if (reason === undefined) return undefined;
    // Each head extends the ones before it, so a search by halves finds the last one that the log still extends.
    let [intact, broken] = [0, head.size];
    for (;;) {
      const [stored] = await this.read(FIND_OLDER, [witness.text, intact, broken]);
      if (!stored) break;
      if ((await this.compare(readHead(stored, witness), treeSize)) === undefined) intact = stored.treeSize;
      else broken = stored.treeSize;
    }
    const place = `the entries ${intact} to ${broken - 1}`;
    return `${reason}, ${witness.name} has cosigned that, and the first difference is in ${place}`;
  }

  private compare(head: Checkpoint, treeSize: number): Promise<string | undefined> {
    return whyNotExtended(head, treeSize, (work) => this.database.asScheduler(work));
  }

  private read(sql: string, values: readonly unknown[]): Promise<StoredHead[]> {
    return this.database.asScheduler((unit) => unit.query<StoredHead>(sql, [...values]));
  }
}

function readHead({ treeSize, checkpoint, cosignature }: StoredHead, witness: CosignatureVerifier): Checkpoint {
  const note = parseNote(checkpoint);
  const signatures = parseSignatureLines(cosignature) ?? [];
  const head = note && witness.find(note.text, signatures) && parseCheckpoint(note.text);
  if (head?.size !== treeSize)
    throw new Error(`the stored head of ${treeSize} entries is not cosigned by ${witness.name}: it was changed`);
  return head;
}

/**
 * Returns the newest head of each witness of the settings, as evidence: nobody else can sign it. Session:
 * gigvault_worker.
 */
export async function findWitnessedHeads(
  service: TaskContext['service'],
): Promise<{ heads: Checkpoint[]; tampering: Tampering[] }> {
  const heads: Checkpoint[] = [];
  const tampering: Tampering[] = [];
  const stored = new CosignedHeads(service(SystemDatabase));
  for (const { name, publicKey } of service(Config).audit.witnesses) {
    const head = await stored.findNewest(new CosignatureVerifier(name, publicKey)).catch((error: Error) => {
      tampering.push({ place: `witness ${name}`, problem: error.message });
      return undefined;
    });
    if (head) heads.push(head);
  }
  return { heads, tampering };
}
