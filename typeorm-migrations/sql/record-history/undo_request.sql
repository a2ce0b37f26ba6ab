-- Each statement of the function sees what committed before it. The log is read again after the locks: another request
-- with the same id may have committed while they were waited for. Changes are undone from the newest to the oldest, so
-- each state between was valid once. Consecutive inserts of a table are deleted in one statement. Deletions and updates
-- are undone row by row, to name each row that cannot be.
--
-- A data key that a request created stays: it is part of the encryption, not of the user's data.
--
-- The inner block is a subtransaction. A conflict ends it with GV003, which rolls back all that it did; variables keep
-- their values.
CREATE FUNCTION app.undo_request(request text) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path = pg_catalog
    SET timezone = 'UTC'
    AS $$
    DECLARE
      me CONSTANT bigint := auth.uid();
      max_changes CONSTANT integer := 20000;
      max_conflicts CONSTANT integer := 100;
      changes public.audit_logs[];
      known integer;
      conflicts jsonb[] := '{}';
      step record;
      assignments text;
      violated text;
      deleted integer := 0;
      updated integer := 0;
      restored integer := 0;
      affected integer;
    BEGIN
      PERFORM pg_advisory_xact_lock(hashtextextended('audit.undo', me));
      LOOP
        known := cardinality(changes);
        SELECT array_agg(found.a ORDER BY (found.a).id DESC) INTO changes
        FROM (
          SELECT l AS a FROM public.audit_logs l
          WHERE l.user_id = me AND l.request_id = request AND l.actor_id = me AND l.actor_kind IN ('user', 'admin')
            AND l.table_name <> 'data_keys'
          LIMIT max_changes + 1
        ) AS found;
        IF changes IS NULL OR cardinality(changes) > max_changes THEN
          RETURN jsonb_build_object('changes', coalesce(cardinality(changes), 0), 'maxChanges', max_changes);
        END IF;
        EXIT WHEN cardinality(changes) = known;
        FOR step IN
          SELECT c.table_name, array_agg(DISTINCT c.record_id) AS ids
          FROM unnest(changes) AS c JOIN app.undoable_tables() AS u USING (table_name)
          WHERE has_any_column_privilege(format('public.%I', c.table_name), 'UPDATE')
          GROUP BY c.table_name ORDER BY c.table_name
        LOOP
          EXECUTE format('SELECT FROM public.%I t WHERE t.id = ANY ($1) ORDER BY t.id FOR UPDATE', step.table_name)
          USING step.ids;
        END LOOP;
      END LOOP;
      conflicts := array(SELECT c.conflict FROM app.undo_conflicts(changes) AS c);
      IF cardinality(conflicts) = 0 THEN
        BEGIN
          FOR step IN
            SELECT r.table_name, r.action, array_agg(r.record_id) AS ids, max(r.id) AS audit_id,
              (array_agg(r.old_values))[1] AS old_values
            FROM (
              SELECT n.*, sum(n.begins) OVER (ORDER BY n.id DESC) AS run
              FROM (
                SELECT c.id, c.table_name, c.action, c.record_id, c.old_values,
                  CASE WHEN c.action = 'INSERT' AND (c.table_name, c.action)
                    = (lag(c.table_name) OVER newest, lag(c.action) OVER newest) THEN 0 ELSE 1 END AS begins
                FROM unnest(changes) AS c WINDOW newest AS (ORDER BY c.id DESC)
              ) AS n
            ) AS r
            GROUP BY r.run, r.table_name, r.action ORDER BY r.run
          LOOP
            BEGIN
              CASE step.action
              WHEN 'INSERT' THEN
                conflicts := conflicts || array(SELECT app.undo_dependents(step.table_name, step.ids, changes));
                IF has_table_privilege(format('public.%I', step.table_name), 'DELETE') THEN
                  EXECUTE format('DELETE FROM public.%I t WHERE t.id = ANY ($1)', step.table_name) USING step.ids;
                  GET DIAGNOSTICS affected = ROW_COUNT;
                ELSE
                  affected := app.delete_own_rows(step.table_name, step.ids);
                END IF;
                deleted := deleted + affected;
              WHEN 'UPDATE' THEN
                SELECT string_agg(format('%1$I = r.%1$I', k.name), ', ') INTO assignments
                FROM jsonb_object_keys(step.old_values) AS k (name);
                EXECUTE format('UPDATE public.%1$I t SET %2$s FROM jsonb_populate_record(NULL::public.%1$I, $1) AS r '
                  'WHERE t.id = $2', step.table_name, assignments)
                USING step.old_values, step.ids[1];
                GET DIAGNOSTICS affected = ROW_COUNT;
                updated := updated + affected;
              WHEN 'DELETE' THEN
                PERFORM app.put_back(step.table_name, step.old_values);
                restored := restored + 1;
              END CASE;
            EXCEPTION WHEN integrity_constraint_violation OR insufficient_privilege OR undefined_column THEN
              GET STACKED DIAGNOSTICS violated = CONSTRAINT_NAME;
              conflicts := conflicts || jsonb_build_object('auditId', step.audit_id, 'table', step.table_name,
                'recordId', step.ids[1], 'constraint', nullif(violated, ''), 'reason', CASE SQLSTATE
                  WHEN '23505' THEN 'value_taken' WHEN '23503' THEN 'parent_gone' WHEN '42501' THEN 'not_undoable'
                  ELSE 'not_valid' END);
            END;
          END LOOP;
          IF cardinality(conflicts) > 0 THEN
            RAISE EXCEPTION 'the request cannot be undone' USING ERRCODE = 'GV003';
          END IF;
        EXCEPTION WHEN SQLSTATE 'GV003' THEN
          NULL;
        END;
      END IF;
      RETURN jsonb_build_object('changes', cardinality(changes), 'deleted', deleted, 'updated', updated,
        'restored', restored, 'conflictsTotal', cardinality(conflicts),
        'conflicts', to_jsonb(conflicts[1:max_conflicts]));
    END $$;
COMMENT ON FUNCTION app.undo_request(text) IS
  'Undoes all changes of the tenant''s rows that the tenant made with this request id, or nothing. Returns the number '
  'of changes, what was done, and the conflicts that prevent it. Too many changes: only their number.';
GRANT EXECUTE ON FUNCTION app.undo_request(text) TO gigvault_app;
