/** A sealed value did not open: altered, moved, or its key is not configured. Never says anything of the value. */
export class EncryptionError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = EncryptionError.name;
  }
}
