-- A job that was stored under its number gets its id, or is merged into the job that has the id already: what refers to
-- it moves there, and it counts as deleted. Imports and writers of messages hold the same locks, and writers of
-- proposals lock jobs by id, so rows are locked in no conflicting order. The locks are taken only when there is work,
-- which is rare.
CREATE FUNCTION app.merge_upwork_jobs(numbers text[], upwork_ids text[]) RETURNS integer
    LANGUAGE plpgsql
    SET search_path = pg_catalog
    AS $$
    DECLARE
      known record;
      target record;
      merged integer := 0;
    BEGIN
      PERFORM FROM public.jobs j WHERE j.source_key IN (
        SELECT k.key FROM unnest(numbers, upwork_ids) AS n (number, upwork_id),
          LATERAL (VALUES ('upwork:' || n.number), ('upwork:~02' || n.number)) AS k (key)
        WHERE k.key <> 'upwork:' || n.upwork_id);
      IF NOT FOUND THEN
        RETURN 0;
      END IF;
      PERFORM pg_advisory_xact_lock(hashtextextended('jobs.import', auth.uid()));
      PERFORM pg_advisory_xact_lock(hashtextextended('messages', auth.uid()));
      PERFORM FROM public.jobs j
      WHERE j.source_key IN (
        SELECT k.key FROM unnest(numbers, upwork_ids) AS n (number, upwork_id),
          LATERAL (VALUES ('upwork:' || n.number), ('upwork:~02' || n.number), ('upwork:' || n.upwork_id)) AS k (key))
      ORDER BY j.id FOR UPDATE;
      FOR known IN
        SELECT j.id, j.is_favorite, 'upwork:' || n.upwork_id AS source_key, n.upwork_id
        FROM unnest(numbers, upwork_ids) AS n (number, upwork_id)
        JOIN public.jobs j ON j.source_key IN ('upwork:' || n.number, 'upwork:~02' || n.number)
        WHERE j.source_key <> 'upwork:' || n.upwork_id
        ORDER BY j.id FOR UPDATE OF j
      LOOP
        SELECT j.id, j.is_favorite INTO target FROM public.jobs j WHERE j.source_key = known.source_key FOR UPDATE;
        IF target.id IS NULL THEN
          UPDATE public.jobs SET source_key = known.source_key, upwork_job_id = known.upwork_id WHERE id = known.id;
        -- Only one open proposal of a job may be unknown to Upwork. The user must decide one of the two first.
        ELSIF (SELECT count(*) FROM public.proposals p
               WHERE p.job_id IN (known.id, target.id) AND p.status IN ('draft', 'submitted')
                 AND p.upwork_proposal_id IS NULL) > 1 THEN
          CONTINUE;
        ELSE
          UPDATE public.proposals SET job_id = target.id WHERE job_id = known.id;
          UPDATE public.conversations SET job_id = target.id WHERE job_id = known.id;
          UPDATE public.messages SET job_id = target.id WHERE job_id = known.id;
          UPDATE public.ai_generations SET job_id = target.id WHERE job_id = known.id;
          UPDATE public.jobs SET is_favorite = true WHERE id = target.id AND known.is_favorite AND NOT is_favorite;
          UPDATE public.jobs SET source_key = 'upwork:merged:' || known.id, upwork_job_id = NULL,
            upwork_job_number = NULL, status = 'deleted', is_favorite = false
          WHERE id = known.id;
        END IF;
        merged := merged + 1;
      END LOOP;
      RETURN merged;
    END $$;
COMMENT ON FUNCTION app.merge_upwork_jobs(text[], text[]) IS
  'Merges the tenant''s jobs that are stored under Upwork''s numbers with those of the ids. Returns how many.';
GRANT EXECUTE ON FUNCTION app.merge_upwork_jobs(text[], text[]) TO gigvault_app;
