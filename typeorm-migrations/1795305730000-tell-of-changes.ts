import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Makes audit.changes_since(): whose rows changed since it was last asked. Every change of an audited table leaves a row of
 * audit_logs in its own transaction, so reading that is enough, whatever path the change took.
 *
 * A change is told when its transaction becomes visible, which neither ids nor times tell: a long transaction commits rows
 * with old ids. So a position is a snapshot, and what counts is whether a row's transaction was visible in it. The floor
 * beside it only spares reading the whole log: rows up to `floor` have all been told; rows up to `next` will have been once
 * every transaction before `settles` has ended. `settles` is a transaction id of this function's own, taken only while
 * there is something to settle: pg_snapshot_xmax() will not do, since it lies behind the last transaction that has
 * completed and not behind the last that has begun.
 */
export class TellOfChanges implements MigrationInterface {
  readonly name = 'TellOfChanges1795305730000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(CHANGES_SINCE);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION audit.changes_since(jsonb);
      REVOKE USAGE ON SCHEMA audit FROM gigvault_monitor;
    `);
  }
}

/** STABLE, so that all of it sees the caller's one snapshot. A row that moves to another tenant changes for both. */
const CHANGES_SINCE = `
  CREATE FUNCTION audit.changes_since(since jsonb) RETURNS TABLE ("position" jsonb, changes jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    SET plan_cache_mode = force_custom_plan
    AS $$
    DECLARE
      here CONSTANT pg_snapshot := pg_current_snapshot();
      newest CONSTANT bigint := coalesce((SELECT max(a.id) FROM public.audit_logs a), 0);
      seen CONSTANT pg_snapshot := (since ->> 'snapshot')::pg_snapshot;
      floor CONSTANT bigint := (since ->> 'floor')::bigint;
      next CONSTANT bigint := (since ->> 'next')::bigint;
      has_settled CONSTANT boolean := next IS NULL OR pg_snapshot_xmin(here) >= (since ->> 'settles')::xid8;
    BEGIN
      "position" := jsonb_build_object('snapshot', here::text, 'floor', floor, 'next', next, 'settles', since ->> 'settles');
      IF since IS NULL THEN
        "position" := "position" || jsonb_build_object('floor', 0, 'next', newest, 'settles', pg_current_xact_id()::text);
      ELSIF has_settled THEN
        "position" := "position" || jsonb_build_object('floor', coalesce(next, floor));
        IF newest > coalesce(next, floor) THEN
          "position" := "position" || jsonb_build_object('next', newest, 'settles', pg_current_xact_id()::text);
        END IF;
      END IF;
      changes := coalesce((
        SELECT jsonb_agg(jsonb_build_array(c.tenant, c.transaction_id::text))
        FROM (
          SELECT DISTINCT t.tenant, a.transaction_id
          FROM public.audit_logs a
          CROSS JOIN LATERAL (VALUES
            (a.user_id), (CASE WHEN a.action = 'UPDATE' THEN (a.old_values ->> 'user_id')::bigint END)) AS t (tenant)
          WHERE a.id > floor AND NOT pg_visible_in_snapshot(a.transaction_id, seen) AND t.tenant IS NOT NULL
        ) c), '[]');
      RETURN NEXT;
    END $$;
  COMMENT ON FUNCTION audit.changes_since(jsonb) IS
    'Whose rows changed since a position it gave before, as [[tenant, transaction id]], and the position now; of NULL only the latter.';
  GRANT USAGE ON SCHEMA audit TO gigvault_monitor;
  GRANT EXECUTE ON FUNCTION audit.changes_since(jsonb) TO gigvault_monitor;
  ALTER FUNCTION audit.changes_since(jsonb) OWNER TO gigvault_auditor;
`;
