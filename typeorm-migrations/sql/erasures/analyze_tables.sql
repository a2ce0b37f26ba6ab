-- The statistics of the planner contain single values of columns. ANALYZE needs the owner of the tables, who therefore
-- owns this function. For a table without rows it keeps the old values.
CREATE FUNCTION app.analyze_tables() RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    DECLARE
      relation record;
      analyzed integer := 0;
    BEGIN
      PERFORM auth.require_signature();
      FOR relation IN
        SELECT c.oid::regclass AS name FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
          AND c.relowner = current_user::regrole
        ORDER BY 1
      LOOP
        EXECUTE format('ANALYZE %s', relation.name);
        analyzed := analyzed + 1;
      END LOOP;
      RETURN analyzed;
    END $$;
COMMENT ON FUNCTION app.analyze_tables() IS
  'Computes the statistics of all tables again, so that they contain no value of a deleted row. Returns their number.';
GRANT EXECUTE ON FUNCTION app.analyze_tables() TO gigvault_worker;
