/** Why a vendor did not write. The message is ours: a vendor's own may repeat the key or the prompt. */
export class VendorError extends Error {
  constructor(
    message: string,
    /** Another try, or another vendor, may succeed. */
    readonly isTransient: boolean,
    /** The vendor refused the call, so it charges nothing. */
    readonly isRefusal: boolean,
  ) {
    super(message);
  }
}
