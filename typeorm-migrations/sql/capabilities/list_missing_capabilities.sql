-- The parts are names of Upwork's schema and the errors texts of this program: no data of a tenant.
CREATE FUNCTION app.list_missing_capabilities()
    RETURNS TABLE (capability text, detail text, connections bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      WITH usable AS (
        SELECT t.id, t.missing_parts, t.capabilities_error
        FROM public.user_tokens t JOIN public.users u ON u.id = t.user_id
        WHERE u.is_active AND t.status <> 'reconnect_needed'
      )
      SELECT m.capability,
        array_to_string(m.parts[1:3], ', ')
          || CASE WHEN cardinality(m.parts) > 3 THEN ' and ' || cardinality(m.parts) - 3 || ' more' ELSE '' END,
        m.connections
      FROM (
        SELECT c.key AS capability, array_agg(DISTINCT p.part ORDER BY p.part) AS parts,
          count(DISTINCT u.id) AS connections
        FROM usable u, jsonb_each(u.missing_parts) c, jsonb_array_elements_text(c.value) p (part)
        GROUP BY c.key
      ) m
      UNION ALL
      SELECT NULL, max(u.capabilities_error), count(*) FROM usable u WHERE u.capabilities_error IS NOT NULL
      HAVING count(*) > 0
      ORDER BY 1
    $$;
COMMENT ON FUNCTION app.list_missing_capabilities() IS
  'Lists over all tenants what API keys lack at Upwork, by capability. A row without one counts the failed checks.';
GRANT EXECUTE ON FUNCTION app.list_missing_capabilities() TO gigvault_admin;
ALTER FUNCTION app.list_missing_capabilities() OWNER TO gigvault_definer;
