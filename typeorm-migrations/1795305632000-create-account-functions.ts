import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Makes what keeps an account its owner's: changing and resetting the password, ending sessions. Each of them moves
 * users.sessions_valid_from, so that a Redis that forgets what was ended cannot bring it back.
 */
export class CreateAccountFunctions implements MigrationInterface {
  readonly name = 'CreateAccountFunctions1795305632000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(READS);
    await queryRunner.query(WRITES);
    await queryRunner.query(OWNERS);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION auth.rehash_password(bigint, text, text);
      DROP FUNCTION auth.end_sessions(bigint);
      DROP FUNCTION auth.set_password(bigint, text);
      DROP FUNCTION auth.reset_password(bytea, text);
      DROP FUNCTION auth.find_reset(bytea);
      DROP FUNCTION auth.find_account(bigint);
    `);
  }
}

const READS = `
  CREATE FUNCTION auth.find_account(user_id bigint) RETURNS TABLE (
    email text, first_name text, last_name text, encrypted_password text, is_active boolean, totp_enabled boolean
  )
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      SELECT u.email, u.first_name, u.last_name, u.encrypted_password, u.is_active, coalesce(m.totp_enabled, false)
      FROM public.users u LEFT JOIN public.user_mfa m ON m.user_id = u.id
      WHERE u.id = find_account.user_id
    $$;
  COMMENT ON FUNCTION auth.find_account(bigint) IS 'What confirming an owner, and writing to him, needs to know.';

  CREATE FUNCTION auth.find_reset(token_hash bytea) RETURNS TABLE (user_id bigint, email text, first_name text, last_name text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      SELECT u.id, u.email, u.first_name, u.last_name
      FROM public.one_time_tokens t JOIN public.users u ON u.id = t.user_id
      WHERE t.token_hash = find_reset.token_hash AND t.purpose = 'reset_password' AND t.expires_at > now() AND u.is_active
    $$;
  COMMENT ON FUNCTION auth.find_reset(bytea) IS 'Whose password a reset token may set, without spending it.';
`;

const WRITES = `
  CREATE FUNCTION auth.reset_password(token_hash bytea, encrypted_password text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    #variable_conflict use_column
    DECLARE
      owner bigint;
    BEGIN
      DELETE FROM public.one_time_tokens t
      WHERE t.token_hash = reset_password.token_hash AND t.purpose = 'reset_password' AND t.expires_at > now()
      RETURNING t.user_id INTO owner;
      -- Whoever opened the letter owns the address, so it is verified by that too.
      UPDATE public.users u
      SET encrypted_password = reset_password.encrypted_password, is_verified = true, sessions_valid_from = clock_timestamp()
      WHERE u.id = owner AND u.is_active;
      IF NOT FOUND THEN
        RETURN NULL;
      END IF;
      DELETE FROM public.one_time_tokens t WHERE t.user_id = owner;
      RETURN owner;
    END $$;
  COMMENT ON FUNCTION auth.reset_password(bytea, text) IS
    'Spends a reset token: sets the password and ends all sessions; returns the account, or NULL.';

  CREATE FUNCTION auth.set_password(user_id bigint, encrypted_password text) RETURNS timestamptz
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      WITH spent AS (DELETE FROM public.one_time_tokens t WHERE t.user_id = set_password.user_id AND t.purpose = 'reset_password')
      UPDATE public.users u
      SET encrypted_password = set_password.encrypted_password, sessions_valid_from = clock_timestamp()
      WHERE u.id = set_password.user_id
      RETURNING u.sessions_valid_from
    $$;
  COMMENT ON FUNCTION auth.set_password(bigint, text) IS
    'Sets a password; sessions proven before the returned time, and reset links, are over.';

  CREATE FUNCTION auth.end_sessions(user_id bigint) RETURNS timestamptz
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      UPDATE public.users u SET sessions_valid_from = clock_timestamp() WHERE u.id = end_sessions.user_id
      RETURNING u.sessions_valid_from
    $$;
  COMMENT ON FUNCTION auth.end_sessions(bigint) IS 'Sessions proven before the returned time are over.';

  CREATE FUNCTION auth.rehash_password(user_id bigint, old_hash text, new_hash text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      UPDATE public.users u SET encrypted_password = new_hash WHERE u.id = rehash_password.user_id AND u.encrypted_password = old_hash
    $$;
  COMMENT ON FUNCTION auth.rehash_password(bigint, text, text) IS
    'Stores the same password at another cost, unless it was changed meanwhile; ends nothing.';
`;

const OWNERS = `
  GRANT EXECUTE ON FUNCTION auth.find_account(bigint), auth.find_reset(bytea), auth.reset_password(bytea, text),
    auth.set_password(bigint, text), auth.end_sessions(bigint), auth.rehash_password(bigint, text, text) TO gigvault_auth;
  ALTER FUNCTION auth.find_account(bigint) OWNER TO gigvault_definer;
  ALTER FUNCTION auth.find_reset(bytea) OWNER TO gigvault_definer;
  ALTER FUNCTION auth.reset_password(bytea, text) OWNER TO gigvault_definer;
  ALTER FUNCTION auth.set_password(bigint, text) OWNER TO gigvault_definer;
  ALTER FUNCTION auth.end_sessions(bigint) OWNER TO gigvault_definer;
  ALTER FUNCTION auth.rehash_password(bigint, text, text) OWNER TO gigvault_definer;
`;
