-- An erasure leaves the event audit.forgotten, which is sealed itself. A seal does not cover values beside a stored
-- hash, and salts and hashes of other lengths could move bytes from one to the other.
CREATE FUNCTION audit.check_entries(log text, after bigint, until bigint) RETURNS bytea
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    SET plan_cache_mode = force_custom_plan
    SET jit = off
    AS $$
    BEGIN
      RETURN CASE log
        WHEN 'audit' THEN (
          SELECT string_agg(audit.audit_entry(a) || CASE
              WHEN octet_length(a.values_salt) = 32 AND num_nonnulls(a.values_hash, a.address_hash) = 0
                THEN '\x2e'::bytea
              WHEN a.ip_address IS NOT NULL OR octet_length(a.address_hash) <> 32 THEN '\x78'
              WHEN CASE WHEN a.values_hash IS NULL
                THEN octet_length(a.values_salt) IS DISTINCT FROM 16
                ELSE octet_length(a.values_hash) <> 32
                  OR num_nonnulls(a.old_values, a.new_values, a.reason, a.values_salt) > 0 END THEN '\x78'
              WHEN CASE WHEN a.values_hash IS NULL THEN a.actor_id ELSE a.user_id END IN (
                SELECT f.user_id FROM public.security_logs f WHERE f.event_type = 'audit.forgotten') THEN '\x65'
              ELSE '\x78' END, '' ORDER BY a.id)
          FROM public.audit_logs a WHERE a.id > after AND a.id <= until)
        WHEN 'security' THEN (
          SELECT string_agg(audit.security_entry(s) || CASE
              WHEN octet_length(s.details_salt) = 16 AND s.details_hash IS NULL THEN '\x2e'::bytea
              WHEN octet_length(s.details_hash) IS DISTINCT FROM 32
                OR num_nonnulls(s.ip_address, s.user_agent, s.details, s.details_salt) > 0 THEN '\x78'
              WHEN coalesce(s.user_id, f.any_user) IN (
                SELECT f.user_id FROM public.security_logs f WHERE f.event_type = 'audit.forgotten') THEN '\x65'
              ELSE '\x78' END, '' ORDER BY s.id)
          FROM public.security_logs s,
            (SELECT max(e.user_id) FROM public.security_logs e WHERE e.event_type = 'audit.forgotten') AS f (any_user)
          WHERE s.id > after AND s.id <= until)
      END;
    END $$;
COMMENT ON FUNCTION audit.check_entries(text, bigint, bigint) IS
  'Returns the entries of the rows of a log (audit or security) with ids in a range, by id, each with a letter: . for '
  'a whole row, e for an erased one, x for values that are gone without an erasure or are not covered by a seal.';
GRANT EXECUTE ON FUNCTION audit.check_entries(text, bigint, bigint) TO gigvault_worker, gigvault_admin;
ALTER FUNCTION audit.check_entries(text, bigint, bigint) OWNER TO gigvault_auditor;
