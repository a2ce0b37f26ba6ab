/** What an admin does and, if he said so, why: the reason that goes on record. */
export function explained(act: string, reason: string | undefined): string {
  return reason === undefined ? act : `${act}: ${reason}`;
}
