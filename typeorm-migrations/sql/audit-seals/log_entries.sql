-- A seal keeps the order of its entries, so none is needed here: a sort would take as long as the hashes. PostgreSQL
-- hashes the leaves too, ten times as fast as a call of Node's crypto for each. OFFSET 0 keeps an entry from being
-- computed twice.
CREATE FUNCTION audit.log_entries(log text, after bigint, until bigint, sealed bigint[]) RETURNS bytea
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    SET plan_cache_mode = force_custom_plan
    SET jit = off
    AS $$
    BEGIN
      RETURN CASE log
        WHEN 'audit' THEN (
          SELECT string_agg(e.entry || sha256('\x00'::bytea || e.entry), '') FROM (
            SELECT audit.audit_entry(a) AS entry FROM public.audit_logs a
            WHERE a.id > after AND a.id <= until
              AND NOT EXISTS (SELECT FROM unnest(sealed) AS known (id) WHERE known.id = a.id)
            OFFSET 0) AS e)
        WHEN 'security' THEN (
          SELECT string_agg(e.entry || sha256('\x00'::bytea || e.entry), '') FROM (
            SELECT audit.security_entry(s) AS entry FROM public.security_logs s
            WHERE s.id > after AND s.id <= until
              AND NOT EXISTS (SELECT FROM unnest(sealed) AS known (id) WHERE known.id = s.id)
            OFFSET 0) AS e)
      END;
    END $$;
COMMENT ON FUNCTION audit.log_entries(text, bigint, bigint, bigint[]) IS
  'Returns the entries of the rows of a log (audit or security) with ids in a range, without those in `sealed`, in any '
  'order, each followed by the hash of its leaf (RFC 6962); NULL when there are none.';
GRANT EXECUTE ON FUNCTION audit.log_entries(text, bigint, bigint, bigint[]) TO gigvault_worker;
ALTER FUNCTION audit.log_entries(text, bigint, bigint, bigint[]) OWNER TO gigvault_auditor;
