import { domainToASCII } from 'node:url';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Makes one account of the two spellings of an international domain (RFC 5890 section 2.3.2.4): an address stays as it was
 * first given, its domain's ASCII form is kept beside it, and addresses are compared with that domain. PostgreSQL has no
 * IDNA, so the server gives the form and looks addresses up by it.
 *
 * Of two accounts that are one by this rule, the one with the ASCII spelling keeps the address; the other stays without the
 * form, for an admin to look at.
 */
export class JoinInternationalAddresses implements MigrationInterface {
  readonly name = 'JoinInternationalAddresses1795305810001';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(ADD_DOMAIN);
    await queryRunner.query('SET LOCAL ROLE gigvault_definer');
    await fillDomains(queryRunner);
    await queryRunner.query('SET LOCAL ROLE gigvault_owner');
    await queryRunner.query(FORMER_SIGNATURES);
    await queryRunner.query(FUNCTIONS);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION auth.register(text, text, text, text, text, bytea, integer);
      DROP FUNCTION auth.issue_token(text, text, bytea, integer);
      DROP FUNCTION auth.ensure_admin(text, text, text);
      DROP INDEX idx_users_email;
      CREATE UNIQUE INDEX idx_users_email ON users (lower(email));
    `);
    await queryRunner.query(FORMER_FUNCTIONS);
    await queryRunner.query('ALTER TABLE users DROP COLUMN ascii_domain');
  }
}

/** What two addresses must not share. */
const KEY = `lower(coalesce(split_part(email, '@', 1) || '@' || ascii_domain, email))`;
const KEY_OF_USER = `lower(coalesce(split_part(u.email, '@', 1) || '@' || u.ascii_domain, u.email))`;

const ADD_DOMAIN = `
  ALTER TABLE users ADD COLUMN ascii_domain text
    CONSTRAINT users_ascii_domain_form CHECK (char_length(ascii_domain) <= 253 AND ascii_domain ~ '^[a-z0-9._-]+$');
  COMMENT ON COLUMN users.ascii_domain IS 'The domain of email in ASCII, when it is an international one.';
  DROP INDEX idx_users_email;
  CREATE UNIQUE INDEX idx_users_email ON users (${KEY});
`;

const FILL_DOMAIN = `UPDATE users SET ascii_domain = $2 WHERE id = $1 AND NOT EXISTS (SELECT FROM users WHERE ${KEY} = lower($3))`;

async function fillDomains(queryRunner: QueryRunner): Promise<void> {
  const rows = (await queryRunner.query(`SELECT id, email FROM users WHERE email ~ '@.*[^[:ascii:]]' ORDER BY id`)) as {
    id: string;
    email: string;
  }[];
  for (const { id, email } of rows) {
    const [local = '', domain = ''] = email.toLowerCase().split('@');
    const ascii = domainToASCII(domain);
    if (ascii === '') continue;
    await queryRunner.query(FILL_DOMAIN, [id, ascii, `${local}@${ascii}`]);
  }
}

const FORMER_SIGNATURES = `
  DROP FUNCTION auth.register(text, text, text, text, bytea, integer);
  DROP FUNCTION auth.issue_token(text, text, bytea, integer);
  DROP FUNCTION auth.ensure_admin(text, text);
`;

const FUNCTIONS = `
  SET LOCAL ROLE gigvault_definer;
  ${findCredentials(KEY_OF_USER)}
  SET LOCAL ROLE gigvault_owner;

  CREATE FUNCTION auth.register(
    email text, ascii_domain text, encrypted_password text, first_name text, last_name text, token_hash bytea,
    token_seconds integer, OUT user_id bigint, OUT mail_to text, OUT is_known boolean
  )
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    #variable_conflict use_column
    BEGIN
      -- An account nobody has verified belongs to nobody yet: the latest registration renews it.
      INSERT INTO public.users AS u (email, ascii_domain, encrypted_password, first_name, last_name)
      VALUES (register.email, register.ascii_domain, register.encrypted_password, register.first_name, register.last_name)
      ON CONFLICT (${KEY}) DO UPDATE
        SET encrypted_password = excluded.encrypted_password, first_name = excluded.first_name, last_name = excluded.last_name
        WHERE NOT u.is_verified AND u.is_active
      RETURNING u.id, u.email INTO register.user_id, register.mail_to;
      register.is_known := register.user_id IS NULL;
      IF register.is_known THEN
        SELECT u.id, u.email INTO register.user_id, register.mail_to FROM public.users u
        WHERE ${KEY_OF_USER} = lower(coalesce(split_part(register.email, '@', 1) || '@' || register.ascii_domain, register.email));
        RETURN;
      END IF;
      INSERT INTO public.one_time_tokens (user_id, purpose, token_hash, encrypted_password, expires_at)
      VALUES (register.user_id, 'verify_email', register.token_hash, register.encrypted_password,
              now() + make_interval(secs => register.token_seconds));
    END $$;
  COMMENT ON FUNCTION auth.register(text, text, text, text, text, bytea, integer) IS
    'Makes an account, or renews one never verified, with the token that verifies it; is_known: it was there, nothing changed.';

  CREATE FUNCTION auth.issue_token(email text, purpose text, token_hash bytea, token_seconds integer)
    RETURNS TABLE (user_id bigint, mail_to text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    #variable_conflict use_column
    BEGIN
      RETURN QUERY
        WITH receiver AS (
          SELECT u.id, u.email FROM public.users u
          WHERE ${KEY_OF_USER} = lower(issue_token.email) AND u.is_active
            AND (issue_token.purpose <> 'verify_email' OR NOT u.is_verified)
        ), issued AS (
          INSERT INTO public.one_time_tokens AS t (user_id, purpose, token_hash, expires_at)
          SELECT r.id, issue_token.purpose, issue_token.token_hash, now() + make_interval(secs => issue_token.token_seconds)
          FROM receiver r
          RETURNING t.user_id
        )
        SELECT r.id, r.email FROM issued i JOIN receiver r ON r.id = i.user_id;
      IF NOT FOUND THEN
        PERFORM pg_logical_emit_message(true, 'decoy', repeat(' ', 200));
      END IF;
    END $$;
  COMMENT ON FUNCTION auth.issue_token(text, text, bytea, integer) IS
    'Stores a token for the account of an address; no row when there is no active one, or nothing to verify.';

  CREATE FUNCTION auth.ensure_admin(email text, ascii_domain text, encrypted_password text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    #variable_conflict use_column
    BEGIN
      INSERT INTO public.users (email, ascii_domain, encrypted_password, role, is_verified)
      VALUES (ensure_admin.email, ensure_admin.ascii_domain, ensure_admin.encrypted_password, 'admin', true)
      ON CONFLICT (${KEY}) DO NOTHING;
      IF FOUND THEN
        RETURN 'created';
      END IF;
      UPDATE public.users u
      SET role = 'admin', is_verified = true, sessions_valid_from = clock_timestamp(),
          encrypted_password = CASE WHEN u.is_verified THEN u.encrypted_password ELSE ensure_admin.encrypted_password END
      WHERE ${KEY_OF_USER} = lower(coalesce(split_part(ensure_admin.email, '@', 1) || '@' || ensure_admin.ascii_domain, ensure_admin.email))
        AND (NOT u.is_verified OR NOT EXISTS (SELECT FROM public.users a WHERE a.role = 'admin' AND a.is_active));
      RETURN CASE WHEN FOUND THEN 'promoted' ELSE 'unchanged' END;
    END $$;
  COMMENT ON FUNCTION auth.ensure_admin(text, text, text) IS
    'Makes the account of an address a verified admin: created, promoted or unchanged. Safe to repeat.';
  ${ownersOf('auth.register(text, text, text, text, text, bytea, integer)', 'auth.ensure_admin(text, text, text)')}
`;

function findCredentials(key: string): string {
  return `
  CREATE OR REPLACE FUNCTION auth.find_credentials(email text) RETURNS TABLE (
    user_id bigint, encrypted_password text, role text, is_active boolean, is_verified boolean, totp_enabled boolean,
    read_at timestamptz
  )
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      SELECT u.id, u.encrypted_password, u.role, u.is_active, u.is_verified, coalesce(m.totp_enabled, false), statement_timestamp()
      FROM public.users u LEFT JOIN public.user_mfa m ON m.user_id = u.id
      WHERE ${key} = lower(find_credentials.email)
    $$;`;
}

function ownersOf(register: string, ensureAdmin: string): string {
  const functions = [register, 'auth.issue_token(text, text, bytea, integer)', ensureAdmin];
  return `
  GRANT EXECUTE ON FUNCTION ${functions.join(', ')} TO gigvault_auth;
  ${functions.map((name) => `ALTER FUNCTION ${name} OWNER TO gigvault_definer;`).join('\n  ')}`;
}

const FORMER_FUNCTIONS = `
  SET LOCAL ROLE gigvault_definer;
  ${findCredentials('lower(u.email)')}
  SET LOCAL ROLE gigvault_owner;
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
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    #variable_conflict use_column
    BEGIN
      RETURN QUERY
        INSERT INTO public.one_time_tokens AS t (user_id, purpose, token_hash, expires_at)
        SELECT u.id, issue_token.purpose, issue_token.token_hash, now() + make_interval(secs => issue_token.token_seconds)
        FROM public.users u
        WHERE lower(u.email) = lower(issue_token.email) AND u.is_active
          AND (issue_token.purpose <> 'verify_email' OR NOT u.is_verified)
        RETURNING t.user_id;
      IF NOT FOUND THEN
        PERFORM pg_logical_emit_message(true, 'decoy', repeat(' ', 200));
      END IF;
    END $$;
  COMMENT ON FUNCTION auth.issue_token(text, text, bytea, integer) IS
    'Stores a token for the account of an address; no row when there is no active one, or nothing to verify.';

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
  ${ownersOf('auth.register(text, text, text, text, bytea, integer)', 'auth.ensure_admin(text, text)')}
`;
