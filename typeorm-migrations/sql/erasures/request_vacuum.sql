-- VACUUM needs the owner of the tables and cannot run in a function. Autovacuum runs it within its naptime, a minute,
-- when a table has no threshold. The next call resets that: at each change of a large table it would cost too much.
--
-- Until VACUUM has removed a deleted row, each change of its page may copy it to the write-ahead log again. Without
-- vacuum_index_cleanup its index entries would stay, because VACUUM spares indexes with few dead entries.
--
-- Counts arrive up to ten seconds late. So the first call asks for every table that was not vacuumed since, and only a
-- later call trusts a count of zero. A count of dead rows can be zero although some are left, because pruning is
-- counted later than ANALYZE. So inserted rows are a reason as well. Autovacuum leaves out a table with neither.
CREATE FUNCTION app.request_vacuum(since timestamptz) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    DECLARE
      relation record;
      waiting integer := 0;
    BEGIN
      PERFORM auth.require_signature();
      FOR relation IN
        SELECT c.oid::regclass AS name,
          coalesce(s.last_autovacuum < since, true) AND coalesce(s.last_vacuum < since, true) AS is_due,
          (s.n_dead_tup > 0 OR s.n_ins_since_vacuum > 0) AS has_changes,
          coalesce('autovacuum_vacuum_threshold=0' = ANY (c.reloptions), false) AS is_requested
        FROM pg_class c JOIN pg_stat_all_tables s ON s.relid = c.oid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relowner = current_user::regrole
        ORDER BY 1
      LOOP
        IF relation.is_due AND NOT relation.is_requested THEN
          EXECUTE format('ALTER TABLE %s SET (autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0, '
            'autovacuum_vacuum_insert_threshold = 0, autovacuum_vacuum_insert_scale_factor = 0, '
            'vacuum_index_cleanup = on)', relation.name);
          waiting := waiting + 1;
        ELSIF relation.is_requested AND relation.is_due AND relation.has_changes THEN
          waiting := waiting + 1;
        ELSIF relation.is_requested THEN
          EXECUTE format('ALTER TABLE %s RESET (autovacuum_vacuum_threshold, autovacuum_vacuum_scale_factor, '
            'autovacuum_vacuum_insert_threshold, autovacuum_vacuum_insert_scale_factor, '
            'vacuum_index_cleanup)', relation.name);
        END IF;
      END LOOP;
      RETURN waiting;
    END $$;
COMMENT ON FUNCTION app.request_vacuum(timestamptz) IS
  'Lets autovacuum remove the rows that were deleted before a time. Returns the number of tables that wait for it, and '
  'resets the settings of the others. Call it with a lock_timeout until it returns 0.';
GRANT EXECUTE ON FUNCTION app.request_vacuum(timestamptz) TO gigvault_worker;
