import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Makes user_mfa and user_tokens: what a user has entrusted, as ciphertext made by the server. The key that sealed it is
 * named inside the ciphertext, so a rotation knows what it still has to do.
 */
export class CreateSecrets implements MigrationInterface {
  readonly name = 'CreateSecrets1795305605000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(USER_MFA);
    await queryRunner.query(USER_TOKENS);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TABLE user_tokens;
      DROP TABLE user_mfa;
      DELETE FROM audit.audited_tables WHERE table_name IN ('user_tokens', 'user_mfa');
    `);
  }
}

/** last_totp_step moves with every sign-in and only refuses a code used before: it is no change of the settings. */
const USER_MFA = `
  CREATE TABLE user_mfa (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT user_mfa_pkey PRIMARY KEY,
    user_id bigint NOT NULL DEFAULT auth.uid() CONSTRAINT user_mfa_user_id_fk REFERENCES users (id) ON DELETE CASCADE,
    encrypted_totp_secret text CONSTRAINT user_mfa_encrypted_totp_secret_length CHECK (char_length(encrypted_totp_secret) <= 1000),
    totp_enabled boolean NOT NULL DEFAULT false,
    backup_codes_hash text[] NOT NULL DEFAULT '{}' CONSTRAINT user_mfa_backup_codes_count CHECK (cardinality(backup_codes_hash) <= 20),
    backup_codes_used integer NOT NULL DEFAULT 0 CONSTRAINT user_mfa_backup_codes_used_positive CHECK (backup_codes_used >= 0),
    last_totp_step bigint,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT user_mfa_user_id_key UNIQUE (user_id),
    -- An enabled second factor without a secret would accept a code anyone can compute.
    CONSTRAINT user_mfa_enabled_has_secret CHECK (NOT totp_enabled OR encrypted_totp_secret IS NOT NULL)
  );
  CREATE TRIGGER touch_row BEFORE UPDATE ON user_mfa FOR EACH ROW EXECUTE FUNCTION app.touch_row();
  SELECT audit.watch('user_mfa', secrets => '{encrypted_totp_secret,backup_codes_hash}', ignored => '{last_totp_step}');

  ALTER TABLE user_mfa ENABLE ROW LEVEL SECURITY;
  ALTER TABLE user_mfa FORCE ROW LEVEL SECURITY;
  CREATE POLICY user_mfa_own_data_select ON user_mfa FOR SELECT USING (user_id = (SELECT auth.uid()));
  CREATE POLICY user_mfa_own_data_insert ON user_mfa FOR INSERT WITH CHECK (user_id = (SELECT auth.uid()));
  CREATE POLICY user_mfa_own_data_update ON user_mfa FOR UPDATE USING (user_id = (SELECT auth.uid()));
  CREATE POLICY user_mfa_definer_select ON user_mfa FOR SELECT TO gigvault_definer USING (true);
  CREATE POLICY user_mfa_definer_update ON user_mfa FOR UPDATE TO gigvault_definer USING (true);
  GRANT SELECT, INSERT ON user_mfa TO gigvault_app;
  GRANT UPDATE (encrypted_totp_secret, totp_enabled, backup_codes_hash, backup_codes_used, last_totp_step) ON user_mfa TO gigvault_app;
  GRANT SELECT, UPDATE ON user_mfa TO gigvault_definer;
`;

/** The lease (refresh_owner, refresh_until) is who is calling the provider just now: it is no change of the connection. */
const USER_TOKENS = `
  CREATE TABLE user_tokens (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT user_tokens_pkey PRIMARY KEY,
    user_id bigint NOT NULL DEFAULT auth.uid() CONSTRAINT user_tokens_user_id_fk REFERENCES users (id) ON DELETE CASCADE,
    provider text NOT NULL DEFAULT 'upwork' CONSTRAINT user_tokens_provider_length CHECK (char_length(provider) BETWEEN 1 AND 50),
    organization_id text CONSTRAINT user_tokens_organization_id_length CHECK (char_length(organization_id) BETWEEN 1 AND 100),
    seal_key uuid NOT NULL,
    encrypted_access_token text NOT NULL CONSTRAINT user_tokens_encrypted_access_token_length CHECK (char_length(encrypted_access_token) BETWEEN 1 AND 20000),
    encrypted_refresh_token text NOT NULL CONSTRAINT user_tokens_encrypted_refresh_token_length CHECK (char_length(encrypted_refresh_token) BETWEEN 1 AND 20000),
    expires_at timestamptz NOT NULL,
    scopes text[] NOT NULL DEFAULT '{}' CONSTRAINT user_tokens_scopes_count CHECK (cardinality(scopes) <= 100),
    status text NOT NULL DEFAULT 'active' CONSTRAINT user_tokens_status_known CHECK (status IN ('active', 'expired', 'revoked', 'failed')),
    last_refreshed_at timestamptz,
    last_error text CONSTRAINT user_tokens_last_error_length CHECK (char_length(last_error) <= 1000),
    refresh_owner text CONSTRAINT user_tokens_refresh_owner_length CHECK (char_length(refresh_owner) <= 200),
    refresh_until timestamptz,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT user_tokens_connection_key UNIQUE NULLS NOT DISTINCT (user_id, provider, organization_id)
  );
  COMMENT ON COLUMN user_tokens.seal_key IS 'Made by the server; bound into the ciphertexts, so none can be moved to another row.';
  CREATE TRIGGER touch_row BEFORE UPDATE ON user_tokens FOR EACH ROW EXECUTE FUNCTION app.touch_row();
  SELECT audit.watch('user_tokens', secrets => '{encrypted_access_token,encrypted_refresh_token}', ignored => '{refresh_owner,refresh_until}');

  ALTER TABLE user_tokens ENABLE ROW LEVEL SECURITY;
  ALTER TABLE user_tokens FORCE ROW LEVEL SECURITY;
  CREATE POLICY user_tokens_own_data_select ON user_tokens FOR SELECT USING (user_id = (SELECT auth.uid()));
  CREATE POLICY user_tokens_own_data_insert ON user_tokens FOR INSERT WITH CHECK (user_id = (SELECT auth.uid()));
  CREATE POLICY user_tokens_own_data_update ON user_tokens FOR UPDATE USING (user_id = (SELECT auth.uid()));
  CREATE POLICY user_tokens_own_data_delete ON user_tokens FOR DELETE USING (user_id = (SELECT auth.uid()));
  GRANT SELECT, INSERT, DELETE ON user_tokens TO gigvault_app;
  GRANT UPDATE (seal_key, encrypted_access_token, encrypted_refresh_token, expires_at, scopes, status, last_refreshed_at,
    last_error, refresh_owner, refresh_until) ON user_tokens TO gigvault_app;
`;
