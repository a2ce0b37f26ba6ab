import type { SystemDatabase } from '../../platform/database/system-database';
import { createTileReader } from '../seals/audit-sealer';
import { MerkleTree } from '../seals/merkle-tree';
import { parseNote, parseSignatureLines } from '../seals/signed-note';
import type { Cosignature, CosignatureVerifier } from '../seals/cosignature';
import type { CosignedHeads } from '../seals/cosigned-heads';
import type { SignedHead } from './newest-head';
import { postText, type TextResponse } from './post-text';

/** Answers 409 in a row after which a witness contradicts itself; another worker may submit heads too. */
const MAX_CONFLICTS = 3;

/** A cosignature may be from a clock that is ahead. */
const MAX_CLOCK_DIFFERENCE_SECONDS = 3_600;

/** What a witness needs to know about the log. */
export interface WitnessedLog {
  readonly database: SystemDatabase;
  readonly heads: CosignedHeads;
  /** Reads the newest head of the log, which has one. */
  readonly readHead: () => Promise<SignedHead>;
  readonly signal: AbortSignal;
}

/**
 * A witness of the log, which cosigns each head that extends the last one it has seen. So a log that was cut or
 * rewritten is found.
 * @see https://c2sp.org/tlog-witness
 */
export class LogWitness {
  /** @param url the submission prefix */
  constructor(
    private readonly key: CosignatureVerifier,
    private readonly url: string,
    private readonly log: WitnessedLog,
  ) {}

  /**
   * Gets the newest head cosigned, and stores the cosignature. Returns whether there was a newer one.
   * @throws Error when the log does not extend what the witness has cosigned, without a valid cosignature, and, after
   *   the cosignature is stored, when the witness or the installation has lost its record
   */
  async submitNewestHead(): Promise<boolean> {
    const { heads, readHead } = this.log;
    const last = await heads.findNewest(this.key);
    const head = await readHead();
    const problem = last && (await heads.whyNotExtended(this.key, last, head.size));
    if (problem !== undefined) throw new Error(problem);
    if (head.size === (last?.size ?? 0)) return false;
    const expected = last?.size ?? 0;
    const found = await this.submit(head, expected);
    if (found < expected)
      throw new Error(`it has lost its record: it had cosigned ${expected} entries, and then knew ${found}`);
    if (!last && found > 0 && !(await heads.hasSize(found)))
      throw new Error(
        `it had cosigned ${found} entries, of which this installation has no record. After the first call, or after ` +
          'a restore, this is expected once; otherwise the record was deleted',
      );
    return true;
  }

  /** Returns the size from which the witness accepted the proof. */
  private async submit(newest: SignedHead, expected: number): Promise<number> {
    let [head, oldSize] = [newest, expected];
    for (let conflicts = 0; conflicts <= MAX_CONFLICTS; conflicts += 1) {
      const answer = await this.post(head, oldSize);
      if (answer.status === 200) {
        await this.log.heads.store(this.key, head.size, head.note, this.readCosignature(answer, head));
        return oldSize;
      }
      if (answer.status !== 409) throw new Error(this.describeRefusal(answer, head, oldSize));
      const known = readSize(answer);
      if (known === oldSize) break;
      // Another worker may have sealed and submitted rows meanwhile.
      head = await this.log.readHead();
      if (known > head.size)
        throw new Error(
          `the log was cut: it has ${head.size} entries, and ${this.key.name} has cosigned ${known} of ${head.origin}`,
        );
      oldSize = known;
    }
    throw new Error('it contradicts itself about the size that it has cosigned');
  }

  private async post(head: SignedHead, oldSize: number): Promise<TextResponse> {
    const proof = await this.prove(head, oldSize);
    const lines = [`old ${oldSize}`, ...proof.map((hash) => hash.toString('base64'))];
    return postText(`${this.url}/add-checkpoint`, `${lines.join('\n')}\n\n${head.note}`, this.log.signal);
  }

  private prove(head: SignedHead, oldSize: number): Promise<Buffer[]> {
    if (oldSize === 0) return Promise.resolve([]);
    return this.log.database.asScheduler((unit) =>
      new MerkleTree(head.size, createTileReader(unit)).proveConsistency(oldSize),
    );
  }

  /** @throws Error without a valid cosignature of the witness */
  private readCosignature({ text }: TextResponse, head: SignedHead): Cosignature {
    const signed = parseNote(head.note)!.text;
    const cosignature = this.key.find(signed, parseSignatureLines(text) ?? []);
    if (!cosignature) throw new Error('its answer has no valid cosignature of its key');
    const now = Date.now() / 1_000;
    if (cosignature.time > now + MAX_CLOCK_DIFFERENCE_SECONDS)
      throw new Error('its answer has a cosignature of the future');
    return cosignature;
  }

  private describeRefusal({ status }: TextResponse, { verifierKey }: SignedHead, oldSize: number): string {
    if (status === 404) return `it does not know this log: its operator must add ${verifierKey}`;
    if (status === 403) return `it does not trust the key of this log: its operator must add ${verifierKey}`;
    if (status === 422 && oldSize > 0)
      return `the log was rewritten before its entry ${oldSize}, of which ${this.key.name} has cosigned the head`;
    return `it answered ${status}`;
  }
}

/** Returns the size in an answer 409. @see https://c2sp.org/tlog-witness#add-checkpoint */
function readSize({ mediaType, text }: TextResponse): number {
  if (mediaType !== 'text/x.tlog.size' || !/^(?:0|[1-9]\d{0,15})\n$/.test(text))
    throw new Error('its answer 409 has no size');
  return Number(text);
}
