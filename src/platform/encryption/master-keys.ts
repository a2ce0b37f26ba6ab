/**
 * The keys that wrap data keys, and that no database and no backup holds. LocalMasterKeys has them in the process, from
 * the settings or a key file; a key management service takes its place by implementing these methods.
 */
export abstract class MasterKeys {
  /** Wraps from now on. */
  abstract readonly currentId: string;

  /** All that unwrap, the current one first. */
  abstract readonly ids: readonly string[];

  /** Whether `prepare`, `promote` and `retire` work; else the operator does that, in the settings. */
  abstract readonly makesKeys: boolean;

  /** Returns a data key in the form in which it is stored, `w1.<master key id>.…`; it opens with the same `associated`. */
  abstract wrap(dataKey: Buffer, associated: Buffer): Promise<string>;

  /** Returns the data key. @throws EncryptionError when it was altered or moved, or its master key is not there */
  abstract unwrap(wrapped: string, associated: Buffer): Promise<Buffer>;

  /** Makes a key of this id, which unwraps and does not wrap yet. An id that is there stays as it is. */
  abstract prepare(id: string): Promise<void>;

  /** Lets a prepared key wrap from now on, in all processes. */
  abstract promote(id: string): Promise<void>;

  /** Destroys a key other than the current one: what it still wraps does not open again. */
  abstract retire(id: string): Promise<void>;
}
