-- Every login can take any advisory lock, so one of those could stop the backups. This lock needs rights on the table
-- that only gigvault_worker has too. It conflicts neither with reads nor with writes.
CREATE FUNCTION app.try_lock_backups() RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    BEGIN
      LOCK TABLE public.backups IN SHARE UPDATE EXCLUSIVE MODE NOWAIT;
      RETURN true;
    EXCEPTION WHEN lock_not_available THEN
      RETURN false;
    END $$;
COMMENT ON FUNCTION app.try_lock_backups() IS
  'Locks the backups until the transaction ends, so that one process makes them; false when another holds the lock.';
GRANT EXECUTE ON FUNCTION app.try_lock_backups() TO gigvault_backup;
