CREATE FUNCTION audit.enable(audited text, secrets text[] DEFAULT '{}', ignored text[] DEFAULT '{}') RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog
    AS $$
    BEGIN
      INSERT INTO audit.audited_tables (table_name, secret_columns, ignored_columns)
      SELECT audited, secrets,
             ignored || array_agg(c.name) FILTER (WHERE a.attgenerated <> '' OR c.name IN ('updated_at', 'version'))
      FROM pg_attribute a, LATERAL (SELECT a.attname::text) AS c (name)
      WHERE a.attrelid = format('public.%I', audited)::regclass AND a.attnum > 0 AND NOT a.attisdropped;
      PERFORM audit.enable_partition(audited, audited);
    END $$;
COMMENT ON FUNCTION audit.enable(text, text[], text[]) IS
  'Adds a table of schema public to audit.audited_tables and creates its triggers. The columns updated_at, version and '
  'the generated ones are always ignored.';
