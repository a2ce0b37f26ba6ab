import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createFunctions } from './create-functions';

/**
 * Creates users, their second factors, the tokens of emailed links, and the functions for sign-in and accounts.
 *
 * Before sign-in there is no tenant, and under forced row security the login gigvault_auth sees no row of users. It may
 * only call functions with one narrow purpose each. gigvault_definer owns them, and its policies limit them.
 *
 * Functions that change a password, end sessions, or let an admin deactivate an account, change its role or remove a
 * lost second factor move users.sessions_valid_from. So ended sessions stay ended even if Redis loses its data. An
 * admin never sees or chooses a secret.
 *
 * auth.erase_account() deletes a user with all their rows, and audit.erase_user() erases what the two logs have about
 * them.
 */
export class Users implements MigrationInterface {
  readonly name = 'Users1795305903000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(USERS);
    await queryRunner.query(USER_MFA);
    await queryRunner.query(ONE_TIME_TOKENS);
    await createFunctions(queryRunner, 'users', [
      ...['find_credentials', 'account_status', 'find_account', 'find_password_reset', 'find_verification'],
      ...['register', 'issue_token', 'verify_email'],
      ...['ensure_admin', 'reset_password', 'set_password', 'end_sessions', 'rehash_password', 'purge_one_time_tokens'],
      ...['set_account_status', 'reset_mfa', 'erase_account', 'log_admin_access'],
    ]);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION
        app.log_admin_access(bigint, jsonb),
        auth.erase_account(bytea),
        app.reset_mfa(bigint),
        app.set_account_status(bigint, boolean, text),
        app.purge_one_time_tokens(),
        auth.rehash_password(bigint, text, text),
        auth.end_sessions(bigint),
        auth.set_password(bigint, text),
        auth.reset_password(bytea, text),
        auth.ensure_admin(text, text, text),
        auth.verify_email(bytea, text),
        auth.issue_token(text, text, bytea, integer),
        auth.register(text, text, text, text, text, bytea, integer),
        auth.find_verification(bytea),
        auth.find_password_reset(bytea),
        auth.find_account(bigint),
        auth.account_status(bigint),
        auth.find_credentials(text);
      DROP TABLE one_time_tokens, user_mfa, users;
      DELETE FROM audit.audited_tables WHERE table_name IN ('user_mfa', 'users');
    `);
  }
}

/**
 * Users read their own row without the password hash, and change their names. Functions of gigvault_definer do
 * everything else. One policy FOR ALL would let users delete their own row, with all that depends on it, or verify it
 * by mass assignment.
 *
 * Addresses are equal in any letter case, and in both spellings of an international domain (RFC 5890 section 2.3.2.4).
 * The address keeps its first spelling. ascii_domain has the ASCII form of its domain, which the unique index uses.
 */
const USERS = `
  CREATE TABLE users (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT users_pkey PRIMARY KEY,
    email text NOT NULL CONSTRAINT users_email_form
      CHECK (char_length(email) BETWEEN 3 AND 254 AND email ~ '^[^@"[:space:]]+@[^@"[:space:]]+$'),
    encrypted_password text NOT NULL
      CONSTRAINT users_encrypted_password_length CHECK (char_length(encrypted_password) BETWEEN 1 AND 255),
    first_name text CONSTRAINT users_first_name_length CHECK (char_length(first_name) <= 100),
    last_name text CONSTRAINT users_last_name_length CHECK (char_length(last_name) <= 100),
    is_active boolean NOT NULL DEFAULT true,
    is_verified boolean NOT NULL DEFAULT false,
    role text NOT NULL DEFAULT 'user' CONSTRAINT users_role_known CHECK (role IN ('user', 'admin')),
    sessions_valid_from timestamptz NOT NULL DEFAULT now(),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    ascii_domain text CONSTRAINT users_ascii_domain_form
      CHECK (char_length(ascii_domain) <= 253 AND ascii_domain ~ '^[a-z0-9._-]+$')
  );
  COMMENT ON COLUMN users.encrypted_password IS
    'bcrypt of a keyed hash, because bcrypt ignores all bytes after the 72nd.';
  COMMENT ON COLUMN users.sessions_valid_from IS 'Sessions that began earlier are invalid.';
  COMMENT ON COLUMN users.ascii_domain IS 'The ASCII form of an international domain in email.';

  CREATE UNIQUE INDEX idx_users_email
    ON users (lower(coalesce(split_part(email, '@', 1) || '@' || ascii_domain, email)));
  CREATE INDEX idx_users_created_at ON users (created_at DESC, id DESC);
  CREATE INDEX idx_users_is_active ON users (is_active, created_at DESC, id DESC);

  CREATE TRIGGER set_updated_at BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION app.set_updated_at();
  SELECT audit.enable('users', secrets => '{encrypted_password}');

  ALTER TABLE users ENABLE ROW LEVEL SECURITY;
  ALTER TABLE users FORCE ROW LEVEL SECURITY;
  CREATE POLICY users_own_data_select ON users FOR SELECT USING (id = (SELECT tenant FROM auth.context));
  CREATE POLICY users_own_data_update ON users FOR UPDATE USING (id = (SELECT tenant FROM auth.context));
  CREATE POLICY users_admin_select ON users
    FOR SELECT TO gigvault_admin USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY users_definer_select ON users
    FOR SELECT TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY users_definer_insert ON users
    FOR INSERT TO gigvault_definer WITH CHECK (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY users_definer_update ON users
    FOR UPDATE TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY users_definer_delete ON users
    FOR DELETE TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));

  GRANT SELECT (id, email, first_name, last_name, is_active, is_verified, role, sessions_valid_from, version,
    created_at, updated_at) ON users TO gigvault_app, gigvault_admin;
  GRANT UPDATE (first_name, last_name) ON users TO gigvault_app;
  GRANT SELECT, INSERT, UPDATE, DELETE ON users TO gigvault_definer;
`;

/** last_totp_step rejects a used code and changes with every sign-in, so the audit ignores it. */
const USER_MFA = `
  CREATE TABLE user_mfa (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT user_mfa_pkey PRIMARY KEY,
    user_id bigint NOT NULL DEFAULT auth.unverified_uid()
      CONSTRAINT user_mfa_user_id_fk REFERENCES users (id) ON DELETE CASCADE,
    encrypted_totp_secret text
      CONSTRAINT user_mfa_encrypted_totp_secret_length CHECK (char_length(encrypted_totp_secret) <= 1000),
    totp_enabled boolean NOT NULL DEFAULT false,
    backup_codes_hash text[] NOT NULL DEFAULT '{}'
      CONSTRAINT user_mfa_backup_codes_count CHECK (cardinality(backup_codes_hash) <= 20),
    backup_codes_used integer NOT NULL DEFAULT 0
      CONSTRAINT user_mfa_backup_codes_used_positive CHECK (backup_codes_used >= 0),
    last_totp_step bigint,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT user_mfa_user_id_key UNIQUE (user_id),
    -- An enabled second factor without a secret would accept a code that anyone can compute.
    CONSTRAINT user_mfa_enabled_has_secret CHECK (NOT totp_enabled OR encrypted_totp_secret IS NOT NULL)
  );
  CREATE TRIGGER set_updated_at BEFORE UPDATE ON user_mfa FOR EACH ROW EXECUTE FUNCTION app.set_updated_at();
  SELECT audit.enable('user_mfa',
    secrets => '{encrypted_totp_secret,backup_codes_hash}', ignored => '{last_totp_step}');

  ALTER TABLE user_mfa ENABLE ROW LEVEL SECURITY;
  ALTER TABLE user_mfa FORCE ROW LEVEL SECURITY;
  CREATE POLICY user_mfa_own_data_select ON user_mfa FOR SELECT USING (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY user_mfa_own_data_insert ON user_mfa
    FOR INSERT WITH CHECK (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY user_mfa_own_data_update ON user_mfa FOR UPDATE USING (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY user_mfa_admin_select ON user_mfa
    FOR SELECT TO gigvault_admin USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY user_mfa_definer_select ON user_mfa
    FOR SELECT TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY user_mfa_definer_update ON user_mfa
    FOR UPDATE TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));
  GRANT SELECT, INSERT ON user_mfa TO gigvault_app;
  GRANT UPDATE (encrypted_totp_secret, totp_enabled, backup_codes_hash, backup_codes_used, last_totp_step)
    ON user_mfa TO gigvault_app;
  GRANT SELECT (user_id, totp_enabled) ON user_mfa TO gigvault_admin;
  GRANT SELECT, UPDATE ON user_mfa TO gigvault_definer;
`;

/**
 * A token is stored as SHA-256 of 256 random bits. The token of a registration carries that registration's password and
 * names, and a link works only with that password. So a stranger who registers the address of an owner, before or after
 * them, chooses neither, whichever link the owner opens. Several tokens may be valid at once, or a stranger could
 * invalidate a link by requesting another. The first one used invalidates the others.
 */
const ONE_TIME_TOKENS = `
  CREATE TABLE one_time_tokens (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT one_time_tokens_pkey PRIMARY KEY,
    user_id bigint NOT NULL CONSTRAINT one_time_tokens_user_id_fk REFERENCES users (id) ON DELETE CASCADE,
    purpose text NOT NULL
      CONSTRAINT one_time_tokens_purpose_known CHECK (purpose IN ('verify_email', 'reset_password')),
    token_hash bytea NOT NULL CONSTRAINT one_time_tokens_token_hash_length CHECK (octet_length(token_hash) = 32),
    encrypted_password text
      CONSTRAINT one_time_tokens_encrypted_password_length CHECK (char_length(encrypted_password) BETWEEN 1 AND 255),
    first_name text CONSTRAINT one_time_tokens_first_name_length CHECK (char_length(first_name) <= 100),
    last_name text CONSTRAINT one_time_tokens_last_name_length CHECK (char_length(last_name) <= 100),
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT one_time_tokens_token_hash_key UNIQUE (token_hash)
  );
  COMMENT ON COLUMN one_time_tokens.encrypted_password IS
    'The password of the registration, which must be given with the token; NULL for a resent link and a reset.';
  CREATE INDEX idx_one_time_tokens_user_id ON one_time_tokens (user_id, purpose);
  CREATE INDEX idx_one_time_tokens_expires_at ON one_time_tokens (expires_at);

  ALTER TABLE one_time_tokens ENABLE ROW LEVEL SECURITY;
  ALTER TABLE one_time_tokens FORCE ROW LEVEL SECURITY;
  CREATE POLICY one_time_tokens_definer_select ON one_time_tokens
    FOR SELECT TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY one_time_tokens_definer_insert ON one_time_tokens
    FOR INSERT TO gigvault_definer WITH CHECK (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY one_time_tokens_definer_delete ON one_time_tokens
    FOR DELETE TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));
  GRANT SELECT, INSERT, DELETE ON one_time_tokens TO gigvault_definer;
`;
