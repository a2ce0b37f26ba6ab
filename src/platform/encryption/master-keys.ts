/**
 * The keys that wrap data keys, and that no database and no backup holds. LocalMasterKeys has them in the process, from
 * the settings or the key file of the launcher; a key management service takes its place by implementing these methods.
 */
export abstract class MasterKeys {
  /** Wraps from now on. */
  abstract readonly currentId: string;

  /** All that unwrap, the current one first. */
  abstract readonly ids: readonly string[];

  /** Returns a data key in the form in which it is stored, `w1.<master key id>.…`; it opens with the same `associated`. */
  abstract wrap(dataKey: Buffer, associated: Buffer): Promise<string>;

  /** Returns the data key. @throws EncryptionError when it was altered or moved, or its master key is not there */
  abstract unwrap(wrapped: string, associated: Buffer): Promise<Buffer>;
}
