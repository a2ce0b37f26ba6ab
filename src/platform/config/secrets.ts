import { hkdfSync } from 'node:crypto';

/**
 * The root key of the installation. It lives in a private field, so that no log or error can print it with the
 * configuration it is part of.
 */
export class Secrets {
  readonly #root: Buffer;

  constructor(root: Buffer) {
    this.#root = root;
  }

  /** The root itself, for who derives by his own rule; prefer `derive`. */
  get key(): Buffer {
    return Buffer.from(this.#root);
  }

  /**
   * Returns the key of one purpose; the same purpose always gives the same key, no purpose tells another's.
   * @param purpose kebab-case and lasting: renaming it changes the key. In use: `access-token`, `password-pepper`, `cursor`, `email-hash`
   * @param bytes length of the key
   * @see RFC 5869 (HKDF)
   */
  derive(purpose: string, bytes = 32): Buffer {
    return Buffer.from(hkdfSync('sha256', this.#root, '', `gigvault/${purpose}`, bytes));
  }
}
