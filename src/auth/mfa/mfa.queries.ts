/**
 * The statements of the second factor, run as the tenant. Each that accepts something is one UPDATE whose condition is
 * the check: of parallel uses of one code the database lets one through.
 */

/** What is set up. */
export const FIND_MFA = `
  SELECT encrypted_totp_secret AS "encryptedSecret", totp_enabled AS "isEnabled", cardinality(backup_codes_hash) AS "codesLeft"
    FROM user_mfa WHERE user_id = (SELECT auth.uid())`;

/** $1 encrypted secret. No row when a second factor is on. */
export const ENROL_TOTP = `
  INSERT INTO user_mfa (encrypted_totp_secret) VALUES ($1)
  ON CONFLICT (user_id) DO UPDATE SET encrypted_totp_secret = excluded.encrypted_totp_secret WHERE NOT user_mfa.totp_enabled
  RETURNING id`;

/** $1 the encrypted secret that was confirmed, $2 the step of the code, dead from now on, $3 hashes of backup codes. */
export const ENABLE_TOTP = `
  UPDATE user_mfa SET totp_enabled = true, last_totp_step = $2, backup_codes_hash = $3, backup_codes_used = 0
   WHERE user_id = (SELECT auth.uid()) AND NOT totp_enabled AND encrypted_totp_secret = $1
  RETURNING id`;

/** $1 step. */
export const CONSUME_TOTP_STEP = `
  UPDATE user_mfa SET last_totp_step = $1
   WHERE user_id = (SELECT auth.uid()) AND totp_enabled AND (last_totp_step IS NULL OR last_totp_step < $1)
  RETURNING id`;

/** $1 hash of the code. */
export const CONSUME_BACKUP_CODE = `
  UPDATE user_mfa SET backup_codes_hash = array_remove(backup_codes_hash, $1), backup_codes_used = backup_codes_used + 1
   WHERE user_id = (SELECT auth.uid()) AND totp_enabled AND $1 = ANY (backup_codes_hash)
  RETURNING id`;

/** $1 hashes. */
export const REPLACE_BACKUP_CODES = `
  UPDATE user_mfa SET backup_codes_hash = $1, backup_codes_used = 0
   WHERE user_id = (SELECT auth.uid()) AND totp_enabled
  RETURNING id`;

/** The last step stays: a code seen before must not come alive under a new secret by chance of the clock. */
export const DISABLE_TOTP = `
  UPDATE user_mfa SET totp_enabled = false, encrypted_totp_secret = NULL, backup_codes_hash = '{}'
   WHERE user_id = (SELECT auth.uid()) AND totp_enabled
  RETURNING id`;
