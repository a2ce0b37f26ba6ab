-- An erasure leaves the event audit.forgotten, which is sealed itself, and names the erased events without a user. A
-- seal does not cover values beside a stored hash, and salts and hashes of other lengths could move bytes from one to
-- the other.
CREATE FUNCTION audit.check_entries(log text, after bigint, until bigint, from_time timestamptz DEFAULT NULL,
    until_time timestamptz DEFAULT NULL) RETURNS bytea
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    SET plan_cache_mode = force_custom_plan
    SET jit = off
    AS $$
    DECLARE
      first_time CONSTANT timestamptz := coalesce(from_time, '-infinity');
      end_time CONSTANT timestamptz := coalesce(until_time, 'infinity');
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
          FROM public.audit_logs a
          WHERE a.id > after AND a.id <= until AND a.created_at >= first_time AND a.created_at < end_time)
        WHEN 'security' THEN (
          SELECT string_agg(audit.security_entry(s) || CASE
              WHEN octet_length(s.details_salt) = 16 AND s.details_hash IS NULL THEN '\x2e'::bytea
              WHEN octet_length(s.details_hash) IS DISTINCT FROM 32
                OR num_nonnulls(s.ip_address, s.user_agent, s.details, s.details_salt) > 0 THEN '\x78'
              WHEN s.user_id IN (
                SELECT f.user_id FROM public.security_logs f WHERE f.event_type = 'audit.forgotten') THEN '\x65'
              WHEN s.user_id IS NULL AND s.id IN (
                SELECT i.id::bigint FROM public.security_logs f,
                  jsonb_array_elements_text(f.details -> 'eventsWithoutUser') AS i (id)
                WHERE f.event_type = 'audit.forgotten') THEN '\x65'
              ELSE '\x78' END, '' ORDER BY s.id)
          FROM public.security_logs s
          WHERE s.id > after AND s.id <= until AND s.created_at >= first_time AND s.created_at < end_time)
      END;
    END $$;
COMMENT ON FUNCTION audit.check_entries(text, bigint, bigint, timestamptz, timestamptz) IS
  'Returns the entries of the rows of a log (audit or security) with ids and times in a range, by id, each with a '
  'letter: . for a whole row, e for an erased one, x for values that are gone without an erasure or are not covered by '
  'a seal.';
GRANT EXECUTE ON FUNCTION audit.check_entries(text, bigint, bigint, timestamptz, timestamptz)
  TO gigvault_worker, gigvault_admin;
ALTER FUNCTION audit.check_entries(text, bigint, bigint, timestamptz, timestamptz) OWNER TO gigvault_auditor;
