CREATE FUNCTION app.purge_backups() RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      WITH deleted AS (
        DELETE FROM public.backups WHERE removed_at < now() - interval '400 days' RETURNING id
      )
      SELECT count(*) FROM deleted
    $$;
COMMENT ON FUNCTION app.purge_backups() IS
  'Deletes the rows of backups 400 days after their files; returns their number.';
GRANT EXECUTE ON FUNCTION app.purge_backups() TO gigvault_worker;
ALTER FUNCTION app.purge_backups() OWNER TO gigvault_definer;
