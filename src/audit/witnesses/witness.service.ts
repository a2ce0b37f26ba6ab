import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Config } from '../../platform/config/config';
import { SystemDatabase } from '../../platform/database/system-database';
import { AppError } from '../../platform/errors/app-error';
import { CosignatureSigner } from '../seals/cosignature';
import { isExtension } from '../seals/merkle-tree';
import { isOfKey, type Note, NoteVerifier, parseCheckpoint, parseNote } from '../seals/signed-note';
import { parseSubmission, type Submission } from './submission';
import type { WitnessDto } from './witness.dto';

const FIND_LOG = 'SELECT tree_size AS size, root_hash AS root, checkpoint FROM auth.find_witnessed_log($1)';

const STORE_LOG = 'SELECT auth.store_witnessed_log($1, $2, $3, $4, $5, $6) AS "isStored"';

const LIST_LOGS = `
  SELECT origin, tree_size AS "treeSize", checkpoint, cosigned_at AS "cosignedAt"
  FROM audit.witnessed_logs ORDER BY origin`;

const EMPTY_ROOT = hash('sha256', '', 'buffer');

/** The newest head of a log that this installation has cosigned. */
interface KnownHead {
  readonly size: number;
  readonly root: Buffer;
  /** The cosigned note; undefined before the first. */
  readonly checkpoint?: string;
}

/** The answer to a submitted head: the cosignatures, or the size from which the witness needs a proof. */
export type WitnessAnswer = { readonly cosignatures: string } | { readonly expectedSize: number };

/**
 * This installation as a witness of other logs: it cosigns a head of a log that it knows only when the head extends the
 * last one. So a log cannot show two histories.
 * @see https://c2sp.org/tlog-witness
 */
@Injectable()
export class WitnessService {
  private readonly signers: readonly CosignatureSigner[];
  /** The keys of each log, by its origin. */
  private readonly logs = new Map<string, NoteVerifier[]>();

  constructor(
    private readonly database: SystemDatabase,
    { audit: { witness } }: Config,
  ) {
    this.signers = witness.keys.map((key) => new CosignatureSigner(witness.name, key));
    for (const { name, publicKey } of witness.logs) {
      this.logs.set(name, [...(this.logs.get(name) ?? []), new NoteVerifier(name, publicKey)]);
    }
  }

  /**
   * Cosigns a head that extends the last one of its log, and stores it. Role: gigvault_auth. Of two heads that extend
   * the same one, one is cosigned.
   * @throws AppError `audit.submission_invalid`, `audit.log_unknown`, `audit.head_unsigned`, `audit.head_inconsistent`
   */
  async addCheckpoint(body: Buffer): Promise<WitnessAnswer> {
    const submission = parseSubmission(body);
    if (!submission) throw new AppError('audit.submission_invalid');
    const { oldSize, proof, note, head } = submission;
    const logSignatures = this.verifySignatures(submission);
    if (oldSize > head.size)
      throw new AppError('audit.submission_invalid', { detail: 'The old size is above that of the checkpoint.' });
    const known = await this.findLog(head.origin);
    if (known.size !== oldSize) return { expectedSize: known.size };
    const isTree = head.size > 0 || head.root.equals(EMPTY_ROOT);
    if (!isTree || !isExtension(known, head, proof)) throw new AppError('audit.head_inconsistent');
    const time = Math.floor(Date.now() / 1_000);
    const cosignatures = this.signers.map((signer) => signer.sign(note.text, time)).join('');
    const checkpoint = `${note.text}\n${logSignatures}${cosignatures}`;
    const values = [head.origin, known.size, known.root, head.size, head.root, checkpoint];
    const [row] = await this.database.asAuth((unit) => unit.query<{ isStored: boolean }>(STORE_LOG, values));
    return row!.isStored ? { cosignatures } : { expectedSize: (await this.findLog(head.origin)).size };
  }

  /**
   * Returns the newest cosigned head of a log. Role: gigvault_auth.
   * @param originHash SHA-256 of the origin in lower-case hexadecimal digits
   * @throws AppError `audit.log_unknown`, also before the first head
   */
  async getCheckpoint(originHash: string): Promise<string> {
    const origin = [...this.logs.keys()].find((each) => hash('sha256', each) === originHash);
    const known = origin === undefined ? undefined : await this.findLog(origin);
    if (known?.checkpoint === undefined) throw new AppError('audit.log_unknown');
    return known.checkpoint;
  }

  /** Returns the keys of this witness and the logs it has cosigned, as gigvault_admin; the access is logged. */
  async describe(): Promise<WitnessDto> {
    const logs = await this.database.asAdmin('list the witnessed logs', (unit) =>
      unit.query<WitnessDto['logs'][number]>(LIST_LOGS),
    );
    return { verifierKeys: this.signers.map(({ verifier }) => verifier.text), logs };
  }

  /** Returns the lines of the log's signatures; those of other keys are ignored. */
  private verifySignatures({ note, head }: Submission): string {
    const keys = this.logs.get(head.origin);
    if (!keys) throw new AppError('audit.log_unknown');
    const own = note.signatures.flatMap((signature) => {
      const key = keys.find((each) => isOfKey(signature, each));
      return key ? [{ signature, key }] : [];
    });
    if (own.length === 0 || !own.every(({ signature, key }) => key.hasSigned(note.text, signature)))
      throw new AppError('audit.head_unsigned');
    return own.map(({ signature }) => `${signature.line}\n`).join('');
  }

  private async findLog(origin: string): Promise<KnownHead> {
    const [known] = await this.database.asAuth((unit) => unit.query<Required<KnownHead>>(FIND_LOG, [origin]));
    if (!known) return { size: 0, root: EMPTY_ROOT };
    this.assertOwnRecord(origin, known);
    return known;
  }

  /** A record that this witness has not signed would let a log show another history. */
  private assertOwnRecord(origin: string, { size, root, checkpoint }: Required<KnownHead>): void {
    const note = parseNote(checkpoint);
    const head = note && this.hasCosigned(note) ? parseCheckpoint(note.text) : undefined;
    if (head?.origin !== origin || head.size !== size || !head.root.equals(root))
      throw new Error(`the record of the log ${origin} is not signed by a key of AUDIT_WITNESS_KEYS`);
  }

  private hasCosigned({ text, signatures }: Note): boolean {
    return this.signers.some(({ verifier }) => verifier.find(text, signatures) !== undefined);
  }
}
