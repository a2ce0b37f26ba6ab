-- Every login can take any advisory lock of a transaction, so one of those could stop the backups. This lock needs
-- rights on a table that no login has. It does not conflict with pg_dump, which reads the table.
CREATE FUNCTION app.try_lock_backups() RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    BEGIN
      LOCK TABLE app.backup_lock IN SHARE UPDATE EXCLUSIVE MODE NOWAIT;
      RETURN true;
    EXCEPTION WHEN lock_not_available THEN
      RETURN false;
    END $$;
COMMENT ON FUNCTION app.try_lock_backups() IS
  'Locks the backups until the transaction ends, so that one process makes them; false when another holds the lock.';
GRANT EXECUTE ON FUNCTION app.try_lock_backups() TO gigvault_backup;
