/**
 * What is wrong with the tasks now, one row for each trouble. $1: [{task, due, is_watched, timeout_ms}], where `due` is
 * the latest firing that must have been taken by now, and is_watched says that the asking process was there then.
 *
 * missed: no run of that firing or since then, though the task was not at rest. A process that has just come does not
 * know it for itself, but what another found holds until a run ends it.
 * overlong: takes longer than its time limit, or five times as long as usual and more than a minute.
 * failed: its latest run failed for good; one that had nothing to do proves nothing.
 */
const TROUBLES = `
  SELECT d.task, 'missed' AS kind, format('was due at %s UTC and no worker took it', to_char(d.due AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')) AS reason
  FROM declared d LEFT JOIN task_settings s USING (task)
  WHERE (d.is_watched OR EXISTS (SELECT FROM task_alerts a WHERE a.task = d.task AND a.kind = 'missed' AND a.cleared_at IS NULL))
    AND s.paused IS NOT TRUE AND (s.updated_at IS NULL OR s.updated_at < d.due)
    AND NOT EXISTS (SELECT FROM task_runs r WHERE r.task = d.task AND (r.scheduled_for >= d.due OR r.started_at >= d.due))
  UNION ALL
  SELECT DISTINCT ON (d.task) d.task, 'overlong', format('run %s has been running for %s s; %slimit %s s', r.id, round(r.seconds),
    coalesce('usual duration ' || round(usual.seconds) || ' s, ', ''), d.timeout_ms / 1000)
  FROM declared d
  JOIN LATERAL (SELECT r.id, extract(epoch FROM now() - r.started_at) AS seconds FROM task_runs r WHERE r.task = d.task AND r.outcome = 'running') r ON true
  LEFT JOIN LATERAL (
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY l.seconds) AS seconds FROM (
      SELECT extract(epoch FROM l.ended_at - l.started_at) AS seconds FROM task_runs l
      WHERE l.task = d.task AND l.outcome IN ('succeeded', 'partial') ORDER BY l.id DESC LIMIT 20) l
    HAVING count(*) >= 5
  ) usual ON true
  WHERE r.seconds > d.timeout_ms / 1000.0 + 15 OR r.seconds > greatest(60, 5 * usual.seconds)
  UNION ALL
  SELECT d.task, 'failed', left(format('run %s %s: %s', r.id, CASE r.outcome WHEN 'timed_out' THEN 'took too long' ELSE 'failed' END, r.error), 1000)
  FROM declared d
  JOIN LATERAL (
    SELECT r.* FROM task_runs r WHERE r.task = d.task AND r.outcome IN ('succeeded', 'partial', 'failed', 'timed_out') ORDER BY r.ended_at DESC LIMIT 1
  ) r ON r.outcome IN ('failed', 'timed_out')`;

/**
 * Makes task_alerts agree with the troubles of now: a new one is written once, whoever finds it first, with the security
 * event task.<kind>; one that is over is cleared, with task.recovered. Two processes at once would clear what the other
 * has just found, so one waits for the other.
 */
export const COMPARE_ALERTS = `
  WITH declared AS (
    SELECT * FROM jsonb_to_recordset($1::jsonb) AS d (task text, due timestamptz, is_watched boolean, timeout_ms integer)
  ), troubles AS MATERIALIZED (${TROUBLES}
  ), opened AS (
    INSERT INTO task_alerts (task, kind, reason) SELECT task, kind, reason FROM troubles
    ON CONFLICT (task, kind) WHERE cleared_at IS NULL DO NOTHING
    RETURNING task, kind, reason
  ), cleared AS (
    UPDATE task_alerts a SET cleared_at = now()
    WHERE a.cleared_at IS NULL AND NOT EXISTS (SELECT FROM troubles t WHERE t.task = a.task AND t.kind = a.kind)
      -- A task this process does not know may be another release's, for as long as both run.
      AND (EXISTS (SELECT FROM declared d WHERE d.task = a.task) OR a.created_at < now() - interval '1 hour')
    RETURNING a.task, a.kind, a.reason
  ), told AS (
    SELECT task, kind, reason, 'task.' || kind AS event, false AS success FROM opened
    UNION ALL SELECT task, kind, reason, 'task.recovered', true FROM cleared
  )
  SELECT task, kind, reason, event, auth.log_event(event, NULL, success, NULL, NULL, jsonb_build_object('task', task, 'kind', kind, 'reason', reason))
  FROM told`;

export const ONE_AT_A_TIME = `SELECT pg_advisory_xact_lock(hashtextextended('task_alerts', 0))`;

export const TO_MAIL = `SELECT id, task, kind, reason, created_at AS "createdAt", recipient FROM app.task_alerts_to_mail()`;
