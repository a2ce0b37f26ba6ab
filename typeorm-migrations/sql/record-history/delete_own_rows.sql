-- A right to DELETE would let gigvault_app also lock these tables, and stop the writers of all tenants.
CREATE FUNCTION app.delete_own_rows(logical text, ids bigint[]) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    DECLARE
      affected integer;
    BEGIN
      IF (logical IN ('jobs', 'profiles', 'letter_versions')) IS NOT TRUE THEN
        RAISE EXCEPTION 'rows of this table are not deleted by this function' USING ERRCODE = 'insufficient_privilege';
      END IF;
      EXECUTE format('DELETE FROM public.%I t WHERE t.id = ANY ($1) AND t.user_id = $2', logical)
      USING ids, auth.uid();
      GET DIAGNOSTICS affected = ROW_COUNT;
      RETURN affected;
    END $$;
COMMENT ON FUNCTION app.delete_own_rows(text, bigint[]) IS
  'Deletes rows of the tenant of jobs, profiles or letter_versions, for the undo of a request. Returns their number.';
GRANT EXECUTE ON FUNCTION app.delete_own_rows(text, bigint[]) TO gigvault_app;
ALTER FUNCTION app.delete_own_rows(text, bigint[]) OWNER TO gigvault_definer;
