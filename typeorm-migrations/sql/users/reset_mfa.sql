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
  'Removes the second factor of an account and ends its sessions; false when it has none. last_totp_step stays, so '
  'that used codes stay invalid.';
GRANT EXECUTE ON FUNCTION app.reset_mfa(bigint) TO gigvault_admin;
ALTER FUNCTION app.reset_mfa(bigint) OWNER TO gigvault_definer;
