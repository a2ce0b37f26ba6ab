import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Makes what an admin may do to an account: deactivate it, change its role, end its sessions, take a lost second factor
 * away. He never sees or chooses a secret. Every act moves users.sessions_valid_from, so it also ends sessions a Redis
 * would remember.
 */
export class CreateAccountAdministration implements MigrationInterface {
  readonly name = 'CreateAccountAdministration1795305661000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE POLICY user_mfa_admin_select ON user_mfa FOR SELECT TO gigvault_admin USING (true);
      GRANT SELECT (user_id, totp_enabled) ON user_mfa TO gigvault_admin;
    `);
    await queryRunner.query(ACTS);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      SET LOCAL ROLE gigvault_definer;
      REVOKE EXECUTE ON FUNCTION auth.end_sessions(bigint) FROM gigvault_admin;
      SET LOCAL ROLE gigvault_owner;
      DROP FUNCTION app.reset_mfa(bigint);
      DROP FUNCTION app.set_standing(bigint, boolean, text);
      REVOKE SELECT (user_id, totp_enabled) ON user_mfa FROM gigvault_admin;
      DROP POLICY user_mfa_admin_select ON user_mfa;
    `);
  }
}

const ACTS = `
  CREATE FUNCTION app.set_standing(user_id bigint, is_active boolean, role text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    #variable_conflict use_column
    DECLARE
      account public.users;
    BEGIN
      -- In one order, so that two admins who demote each other do not both succeed.
      PERFORM FROM public.users u WHERE u.role = 'admin' ORDER BY u.id FOR UPDATE;
      SELECT * INTO account FROM public.users u WHERE u.id = set_standing.user_id FOR UPDATE;
      IF NOT FOUND THEN
        RETURN 'not_found';
      END IF;
      IF account.is_active = coalesce(set_standing.is_active, account.is_active) AND account.role = coalesce(set_standing.role, account.role) THEN
        RETURN 'unchanged';
      END IF;
      IF account.role = 'admin' AND account.is_active
        AND (set_standing.is_active IS FALSE OR set_standing.role <> 'admin')
        AND NOT EXISTS (SELECT FROM public.users u WHERE u.role = 'admin' AND u.is_active AND u.id <> account.id)
      THEN
        RETURN 'last_admin';
      END IF;
      UPDATE public.users u
      SET is_active = coalesce(set_standing.is_active, u.is_active), role = coalesce(set_standing.role, u.role),
          sessions_valid_from = clock_timestamp()
      WHERE u.id = account.id;
      RETURN 'changed';
    END $$;
  COMMENT ON FUNCTION app.set_standing(bigint, boolean, text) IS
    'Changes whether an account is active and its role (NULL: as it is) and ends its sessions: changed, unchanged, not_found or last_admin.';

  CREATE FUNCTION app.reset_mfa(user_id bigint) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    #variable_conflict use_column
    BEGIN
      UPDATE public.user_mfa m SET totp_enabled = false, encrypted_totp_secret = NULL, backup_codes_hash = '{}'
      WHERE m.user_id = reset_mfa.user_id AND m.encrypted_totp_secret IS NOT NULL;
      IF NOT FOUND THEN
        RETURN false;
      END IF;
      UPDATE public.users u SET sessions_valid_from = clock_timestamp() WHERE u.id = reset_mfa.user_id;
      RETURN true;
    END $$;
  COMMENT ON FUNCTION app.reset_mfa(bigint) IS
    'Takes the second factor of an account away and ends its sessions; false when it has none. last_totp_step stays: spent codes stay dead.';

  GRANT EXECUTE ON FUNCTION app.set_standing(bigint, boolean, text), app.reset_mfa(bigint) TO gigvault_admin;
  ALTER FUNCTION app.set_standing(bigint, boolean, text) OWNER TO gigvault_definer;
  ALTER FUNCTION app.reset_mfa(bigint) OWNER TO gigvault_definer;
  SET LOCAL ROLE gigvault_definer;
  GRANT EXECUTE ON FUNCTION auth.end_sessions(bigint) TO gigvault_admin;
  SET LOCAL ROLE gigvault_owner;
`;
