/** A backup was not made, or did not stand the check, for a reason an admin can read; it never holds a secret. */
export class BackupError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = BackupError.name;
  }
}
