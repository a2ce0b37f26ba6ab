-- The audit log omits some columns, which get their defaults. The version must differ from each ETag of the deleted
-- row, and is not in the log: seconds grow faster than versions, and fit into an integer until 2088.
CREATE FUNCTION app.put_back(logical text, record jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog
    AS $$
    DECLARE
      columns text;
      has_version boolean;
    BEGIN
      SELECT string_agg(format('%I', a.attname), ', ') FILTER (WHERE record ? a.attname),
             bool_or(a.attname = 'version')
      INTO columns, has_version
      FROM pg_attribute a
      WHERE a.attrelid = format('public.%I', logical)::regclass AND a.attnum > 0 AND NOT a.attisdropped
        AND a.attgenerated = '';
      EXECUTE format(
        'INSERT INTO public.%1$I (%2$s%3$s) OVERRIDING SYSTEM VALUE SELECT %2$s%4$s '
        'FROM jsonb_populate_record(NULL::public.%1$I, $1)',
        logical, columns, CASE WHEN has_version THEN ', version' END,
        CASE WHEN has_version THEN ', extract(epoch FROM now() - ''2020-01-01''::timestamptz)::integer' END)
      USING record;
    END $$;
COMMENT ON FUNCTION app.put_back(text, jsonb) IS
  'Inserts a deleted row again, with its id and the values of the audit log. Its version is one it never had.';
GRANT EXECUTE ON FUNCTION app.put_back(text, jsonb) TO gigvault_app;
