import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Makes what sign-in stands on: one_time_tokens and the functions of schema auth. Before a user is known there is no
 * tenant, and under forced RLS the login gigvault_auth sees no row of users; it may only call these, each of which does one
 * narrow thing. They are owned by gigvault_definer, whose policies say what they may touch.
 */
export class CreateAuthFunctions implements MigrationInterface {
  readonly name = 'CreateAuthFunctions1795305630000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(ONE_TIME_TOKENS);
    await queryRunner.query(READS);
    await queryRunner.query(REGISTRATION);
    await queryRunner.query(FIRST_ADMIN);
    await queryRunner.query(OWNERS);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION app.purge_one_time_tokens();
      DROP FUNCTION auth.ensure_admin(text, text);
      DROP FUNCTION auth.verify_email(bytea);
      DROP FUNCTION auth.issue_token(text, text, bytea, integer);
      DROP FUNCTION auth.register(text, text, text, text, bytea, integer);
      DROP FUNCTION auth.standing(bigint);
      DROP FUNCTION auth.find_credentials(text);
      DROP TABLE one_time_tokens;
    `);
  }
}

/**
 * Tokens of mailed links, as SHA-256 of 256 random bits. A token of a registration carries the password of that very
 * registration: whoever opens the link of his own mail gets the password he chose, even if a stranger registered the
 * same address before or after him. Several may be open at once, or a stranger could make a link useless by asking for
 * another; the first one used ends the others.
 */
const ONE_TIME_TOKENS = `
  CREATE TABLE one_time_tokens (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT one_time_tokens_pkey PRIMARY KEY,
    user_id bigint NOT NULL CONSTRAINT one_time_tokens_user_id_fk REFERENCES users (id) ON DELETE CASCADE,
    purpose text NOT NULL CONSTRAINT one_time_tokens_purpose_known CHECK (purpose IN ('verify_email', 'reset_password')),
    token_hash bytea NOT NULL CONSTRAINT one_time_tokens_token_hash_length CHECK (octet_length(token_hash) = 32),
    encrypted_password text CONSTRAINT one_time_tokens_encrypted_password_length CHECK (char_length(encrypted_password) BETWEEN 1 AND 255),
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT one_time_tokens_token_hash_key UNIQUE (token_hash)
  );
  COMMENT ON COLUMN one_time_tokens.encrypted_password IS 'The password that becomes the account''s when the token is spent.';
  CREATE INDEX idx_one_time_tokens_user_id ON one_time_tokens (user_id, purpose);
  CREATE INDEX idx_one_time_tokens_expires_at ON one_time_tokens (expires_at);

  ALTER TABLE one_time_tokens ENABLE ROW LEVEL SECURITY;
  ALTER TABLE one_time_tokens FORCE ROW LEVEL SECURITY;
  CREATE POLICY one_time_tokens_definer_select ON one_time_tokens FOR SELECT TO gigvault_definer USING (true);
  CREATE POLICY one_time_tokens_definer_insert ON one_time_tokens FOR INSERT TO gigvault_definer WITH CHECK (true);
  CREATE POLICY one_time_tokens_definer_delete ON one_time_tokens FOR DELETE TO gigvault_definer USING (true);
  GRANT SELECT, INSERT, DELETE ON one_time_tokens TO gigvault_definer;

  CREATE FUNCTION app.purge_one_time_tokens() RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      WITH gone AS (DELETE FROM public.one_time_tokens WHERE expires_at < now() RETURNING 1) SELECT count(*) FROM gone
    $$;
  COMMENT ON FUNCTION app.purge_one_time_tokens() IS 'Removes expired tokens; returns how many.';
`;

/** read_at is the clock a session's proof is measured by: users.sessions_valid_from is kept by the same one. */
const READS = `
  CREATE FUNCTION auth.find_credentials(email text) RETURNS TABLE (
    user_id bigint, encrypted_password text, role text, is_active boolean, is_verified boolean, totp_enabled boolean,
    read_at timestamptz
  )
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      SELECT u.id, u.encrypted_password, u.role, u.is_active, u.is_verified, coalesce(m.totp_enabled, false), statement_timestamp()
      FROM public.users u LEFT JOIN public.user_mfa m ON m.user_id = u.id
      WHERE lower(u.email) = lower(find_credentials.email)
    $$;
  COMMENT ON FUNCTION auth.find_credentials(text) IS 'What sign-in needs to know of the account of an address, in any letter case.';

  CREATE FUNCTION auth.standing(user_id bigint) RETURNS TABLE (role text, is_active boolean, sessions_valid_from timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      SELECT u.role, u.is_active, u.sessions_valid_from FROM public.users u WHERE u.id = standing.user_id
    $$;
  COMMENT ON FUNCTION auth.standing(bigint) IS 'Whether an account may have sessions, and since when.';
`;

const REGISTRATION = `
  CREATE FUNCTION auth.register(
    email text, encrypted_password text, first_name text, last_name text, token_hash bytea, token_seconds integer,
    OUT user_id bigint, OUT is_known boolean
  )
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    #variable_conflict use_column
    BEGIN
      -- An account nobody has verified belongs to nobody yet: the latest registration renews it.
      INSERT INTO public.users AS u (email, encrypted_password, first_name, last_name)
      VALUES (register.email, register.encrypted_password, register.first_name, register.last_name)
      ON CONFLICT (lower(email)) DO UPDATE
        SET encrypted_password = excluded.encrypted_password, first_name = excluded.first_name, last_name = excluded.last_name
        WHERE NOT u.is_verified AND u.is_active
      RETURNING u.id INTO register.user_id;
      register.is_known := register.user_id IS NULL;
      IF register.is_known THEN
        SELECT u.id INTO register.user_id FROM public.users u WHERE lower(u.email) = lower(register.email);
        RETURN;
      END IF;
      INSERT INTO public.one_time_tokens (user_id, purpose, token_hash, encrypted_password, expires_at)
      VALUES (register.user_id, 'verify_email', register.token_hash, register.encrypted_password,
              now() + make_interval(secs => register.token_seconds));
    END $$;
  COMMENT ON FUNCTION auth.register(text, text, text, text, bytea, integer) IS
    'Makes an account, or renews one never verified, with the token that verifies it; is_known: it was there, nothing changed.';

  CREATE FUNCTION auth.issue_token(email text, purpose text, token_hash bytea, token_seconds integer) RETURNS TABLE (user_id bigint)
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      INSERT INTO public.one_time_tokens (user_id, purpose, token_hash, expires_at)
      SELECT u.id, issue_token.purpose, issue_token.token_hash, now() + make_interval(secs => issue_token.token_seconds)
      FROM public.users u
      WHERE lower(u.email) = lower(issue_token.email) AND u.is_active
        AND (issue_token.purpose <> 'verify_email' OR NOT u.is_verified)
      RETURNING user_id
    $$;
  COMMENT ON FUNCTION auth.issue_token(text, text, bytea, integer) IS
    'Stores a token for the account of an address; no row when there is no active one, or nothing to verify.';

  CREATE FUNCTION auth.verify_email(token_hash bytea) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    #variable_conflict use_column
    DECLARE
      spent record;
    BEGIN
      -- The DELETE is what makes the token single: of parallel uses one finds the row.
      DELETE FROM public.one_time_tokens t
      WHERE t.token_hash = verify_email.token_hash AND t.purpose = 'verify_email' AND t.expires_at > now()
      RETURNING t.user_id, t.encrypted_password INTO spent;
      IF NOT FOUND THEN
        RETURN NULL;
      END IF;
      UPDATE public.users u
      SET is_verified = true, encrypted_password = coalesce(spent.encrypted_password, u.encrypted_password)
      WHERE u.id = spent.user_id AND NOT u.is_verified;
      DELETE FROM public.one_time_tokens t WHERE t.user_id = spent.user_id AND t.purpose = 'verify_email';
      RETURN spent.user_id;
    END $$;
  COMMENT ON FUNCTION auth.verify_email(bytea) IS 'Spends a verification token; returns the account it verified, or NULL.';
`;

/**
 * The environment names an admin at every start, so this must be safe to repeat: it never changes the password of an
 * account somebody has verified, nor gives back a role that was taken away while there is another admin. An account
 * nobody has verified may be a stranger's, who guessed the address: his password goes.
 */
const FIRST_ADMIN = `
  CREATE FUNCTION auth.ensure_admin(email text, encrypted_password text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    #variable_conflict use_column
    BEGIN
      INSERT INTO public.users (email, encrypted_password, role, is_verified)
      VALUES (ensure_admin.email, ensure_admin.encrypted_password, 'admin', true)
      ON CONFLICT (lower(email)) DO NOTHING;
      IF FOUND THEN
        RETURN 'created';
      END IF;
      UPDATE public.users u
      SET role = 'admin', is_verified = true, sessions_valid_from = clock_timestamp(),
          encrypted_password = CASE WHEN u.is_verified THEN u.encrypted_password ELSE ensure_admin.encrypted_password END
      WHERE lower(u.email) = lower(ensure_admin.email)
        AND (NOT u.is_verified OR NOT EXISTS (SELECT FROM public.users a WHERE a.role = 'admin' AND a.is_active));
      RETURN CASE WHEN FOUND THEN 'promoted' ELSE 'unchanged' END;
    END $$;
  COMMENT ON FUNCTION auth.ensure_admin(text, text) IS
    'Makes the account of an address a verified admin: created, promoted or unchanged. Safe to repeat.';
`;

const OWNERS = `
  GRANT EXECUTE ON FUNCTION auth.find_credentials(text), auth.standing(bigint),
    auth.register(text, text, text, text, bytea, integer), auth.issue_token(text, text, bytea, integer),
    auth.verify_email(bytea), auth.ensure_admin(text, text) TO gigvault_auth;
  GRANT EXECUTE ON FUNCTION app.purge_one_time_tokens() TO gigvault_worker;
  ALTER FUNCTION auth.find_credentials(text) OWNER TO gigvault_definer;
  ALTER FUNCTION auth.standing(bigint) OWNER TO gigvault_definer;
  ALTER FUNCTION auth.register(text, text, text, text, bytea, integer) OWNER TO gigvault_definer;
  ALTER FUNCTION auth.issue_token(text, text, bytea, integer) OWNER TO gigvault_definer;
  ALTER FUNCTION auth.verify_email(bytea) OWNER TO gigvault_definer;
  ALTER FUNCTION auth.ensure_admin(text, text) OWNER TO gigvault_definer;
  ALTER FUNCTION app.purge_one_time_tokens() OWNER TO gigvault_definer;
`;
