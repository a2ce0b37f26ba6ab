/**
 * The statements of the second factor, run as the tenant. Each code is accepted by one UPDATE whose condition is the
 * check, so that only one of several parallel uses succeeds.
 */

/** Reads the second factor. */
export const FIND_MFA = `
  SELECT encrypted_totp_secret AS "encryptedSecret", totp_enabled AS "isEnabled",
    cardinality(backup_codes_hash) AS "codesLeft"
    FROM user_mfa WHERE user_id = (SELECT tenant FROM auth.context)`;

/** Stores an unconfirmed secret. $1: encrypted secret. Returns no row when a second factor is on. */
export const ENROL_TOTP = `
  INSERT INTO user_mfa (encrypted_totp_secret) VALUES ($1)
  ON CONFLICT (user_id) DO UPDATE SET encrypted_totp_secret = excluded.encrypted_totp_secret
  WHERE NOT user_mfa.totp_enabled
  RETURNING id`;

/** Turns the second factor on. $1: confirmed secret, encrypted; $2: step of its code; $3: hashes of backup codes. */
export const ENABLE_TOTP = `
  UPDATE user_mfa SET totp_enabled = true, last_totp_step = $2, backup_codes_hash = $3, backup_codes_used = 0
   WHERE user_id = (SELECT tenant FROM auth.context) AND NOT totp_enabled AND encrypted_totp_secret = $1
  RETURNING id`;

/** Accepts a code of the authenticator once. $1: its step. */
export const CONSUME_TOTP_STEP = `
  UPDATE user_mfa SET last_totp_step = $1
   WHERE user_id = (SELECT tenant FROM auth.context) AND totp_enabled
     AND (last_totp_step IS NULL OR last_totp_step < $1)
  RETURNING id`;

/** Accepts a backup code once. $1: its hash. */
export const CONSUME_BACKUP_CODE = `
  UPDATE user_mfa SET backup_codes_hash = array_remove(backup_codes_hash, $1), backup_codes_used = backup_codes_used + 1
   WHERE user_id = (SELECT tenant FROM auth.context) AND totp_enabled AND $1 = ANY (backup_codes_hash)
  RETURNING id`;

/** Replaces the backup codes. $1: hashes. */
export const REPLACE_BACKUP_CODES = `
  UPDATE user_mfa SET backup_codes_hash = $1, backup_codes_used = 0
   WHERE user_id = (SELECT tenant FROM auth.context) AND totp_enabled
  RETURNING id`;

/** Turns the second factor off. Keeps the last step, so that a new secret accepts no code of an earlier step. */
export const DISABLE_TOTP = `
  UPDATE user_mfa SET totp_enabled = false, encrypted_totp_secret = NULL, backup_codes_hash = '{}'
   WHERE user_id = (SELECT tenant FROM auth.context) AND totp_enabled
  RETURNING id`;
