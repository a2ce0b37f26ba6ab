/** Providers a connection can be to. */
export const PROVIDERS = ['upwork'] as const;
/** One of PROVIDERS. */
export type Provider = (typeof PROVIDERS)[number];

/** Where a connection stands; the CHECK of user_tokens.status lists the same. */
export const TOKEN_STATUSES = ['active', 'failing', 'reconnect_needed'] as const;
/** One of TOKEN_STATUSES. */
export type TokenStatus = (typeof TOKEN_STATUSES)[number];

/** What its owner should think of a connection. */
export const TOKEN_HEALTHS = ['healthy', 'retrying', 'expired', 'reconnect_needed'] as const;
/** One of TOKEN_HEALTHS. */
export type TokenHealth = (typeof TOKEN_HEALTHS)[number];

/** The health that status and expiry amount to. */
export function healthOf(
  { status, expiresAt }: { status: TokenStatus; expiresAt: Date },
  now = new Date(),
): TokenHealth {
  if (status === 'reconnect_needed') return 'reconnect_needed';
  if (expiresAt <= now) return 'expired';
  return status === 'failing' ? 'retrying' : 'healthy';
}
