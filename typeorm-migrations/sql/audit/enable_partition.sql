CREATE FUNCTION audit.enable_partition(parent text, partition text) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog
    AS $$
    DECLARE
      -- The subscriber reports its own statements; the triggers still write what those cause (cascades).
      condition CONSTANT text := 'WHEN (pg_trigger_depth() > 0 '
        'OR split_part(current_setting(''app.context'', true), E''\x1f'', 5) IS DISTINCT FROM ''subscriber'' '
        'OR NOT audit.is_subscriber_audited())';
    BEGIN
      EXECUTE format('CREATE TRIGGER audit_truncate BEFORE TRUNCATE ON public.%I '
        'EXECUTE FUNCTION audit.refuse_truncate()', partition);
      IF NOT EXISTS (SELECT FROM audit.audited_tables t WHERE t.table_name = parent) THEN
        RETURN;
      END IF;
      EXECUTE format('CREATE TRIGGER audit_insert AFTER INSERT ON public.%I REFERENCING NEW TABLE AS new_rows '
        '%s EXECUTE FUNCTION audit.capture(%L)', partition, condition, parent);
      EXECUTE format('CREATE TRIGGER audit_update AFTER UPDATE ON public.%I '
        'REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows %s EXECUTE FUNCTION audit.capture(%L)',
        partition, condition, parent);
      EXECUTE format('CREATE TRIGGER audit_delete AFTER DELETE ON public.%I REFERENCING OLD TABLE AS old_rows '
        '%s EXECUTE FUNCTION audit.capture(%L)', partition, condition, parent);
    END $$;
