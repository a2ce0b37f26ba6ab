-- Updates a row only if its value changed, so that a repetition leaves no audit row. A metric without events becomes 0.
-- metric_value has two decimals, too few for the cost of AI calls, so metric_data has the exact sum.
--
-- The stages of a proposal have their times in proposal_status_changes. It is answered by the client's first message
-- about its job, an interview, an offer or a decision, whichever is the earliest. Two runs at once would write the same
-- rows, so the second waits for the first.
CREATE FUNCTION app.record_daily_metrics(first_day date, last_day date) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    SET timezone = 'UTC'
    SET jit = off
    AS $$
    DECLARE
      names CONSTANT text[] := '{jobs_seen,proposals_sent,answers,interviews,offers,wins,ai_cost_usd}';
      since CONSTANT timestamptz := first_day;
      until CONSTANT timestamptz := last_day + 1;
      counted bigint;
      written bigint;
    BEGIN
      IF first_day IS NULL OR last_day IS NULL OR last_day < first_day THEN
        RAISE EXCEPTION 'days run from % to %', first_day, last_day USING ERRCODE = 'invalid_parameter_value';
      END IF;
      PERFORM pg_advisory_xact_lock(hashtextextended('daily_metrics', 0));
      WITH reached AS (
        SELECT p.user_id, least(s.answered_at, m.at) AS answers, s.interview_at AS interviews, s.offer_at AS offers,
          s.won_at AS wins
        FROM public.proposals p
        CROSS JOIN LATERAL (
          SELECT min(h.at) FILTER (WHERE h.word = 'ACTIVATED') AS interview_at,
            min(h.at) FILTER (WHERE h.word = 'OFFERED' OR h.status = 'accepted') AS offer_at,
            min(h.at) FILTER (WHERE h.status = 'accepted') AS won_at,
            min(h.at) FILTER (WHERE h.word IN ('ACTIVATED', 'OFFERED') OR h.status IN ('accepted', 'rejected'))
              AS answered_at
          FROM (
            SELECT c.status, upper(c.upwork_status) AS word,
              CASE WHEN c.corrected_from IS NULL THEN c.changed_at ELSE c.seen_at END AS at
            FROM public.proposal_status_changes c WHERE c.user_id = p.user_id AND c.proposal_id = p.id
          ) h
        ) s
        LEFT JOIN LATERAL (
          SELECT min(m.created_at) AS at FROM public.messages m
          WHERE m.user_id = p.user_id AND m.job_id = p.job_id AND m.sender_type = 'client'
            AND m.created_at >= p.submitted_at
        ) m ON true
        -- An answer or a decision seldom comes more than a year after the proposal.
        WHERE p.submitted_at < until AND p.submitted_at >= since - interval '400 days'
      ), stages AS (
        SELECT r.user_id, v.metric, v.at FROM reached r
        CROSS JOIN LATERAL (
          VALUES ('answers', r.answers), ('interviews', r.interviews), ('offers', r.offers), ('wins', r.wins)
        ) AS v (metric, at)
        WHERE v.at >= since AND v.at < until
      ), happened AS (
        SELECT user_id, 'jobs_seen' AS metric, created_at::date AS day, count(*)::numeric AS value
        FROM public.jobs WHERE created_at >= since AND created_at < until GROUP BY 1, 3
        UNION ALL
        SELECT user_id, 'proposals_sent', submitted_at::date, count(*)
        FROM public.proposals WHERE submitted_at >= since AND submitted_at < until GROUP BY 1, 3
        UNION ALL
        SELECT user_id, metric, at::date, count(*) FROM stages GROUP BY 1, 2, 3
        UNION ALL
        SELECT user_id, 'ai_cost_usd', created_at::date, sum(cost)
        FROM public.ai_calls WHERE created_at >= since AND created_at < until GROUP BY 1, 3
      ), wanted AS (
        SELECT user_id, metric, day, round(value, 2) AS value,
          CASE metric WHEN 'ai_cost_usd' THEN jsonb_build_object('usd', value::text) END AS data
        FROM happened
        UNION ALL
        SELECT a.user_id, a.metric_name, a.date, 0, NULL
        FROM public.analytics a
        WHERE a.date BETWEEN first_day AND last_day AND a.metric_name = ANY (names) AND a.metric_value <> 0
          AND NOT EXISTS (
            SELECT FROM happened h WHERE h.user_id = a.user_id AND h.metric = a.metric_name AND h.day = a.date)
      ), changed AS (
        INSERT INTO public.analytics AS a (user_id, metric_name, date, metric_value, metric_data)
        SELECT user_id, metric, day, value, data FROM wanted ORDER BY user_id, day, metric
        ON CONFLICT (user_id, metric_name, date)
          DO UPDATE SET metric_value = excluded.metric_value, metric_data = excluded.metric_data
        WHERE (a.metric_value, a.metric_data) IS DISTINCT FROM (excluded.metric_value, excluded.metric_data)
        RETURNING 1
      )
      SELECT (SELECT count(*) FROM wanted), (SELECT count(*) FROM changed) INTO counted, written;
      RETURN jsonb_build_object('counted', counted, 'written', written);
    END $$;
COMMENT ON FUNCTION app.record_daily_metrics(date, date) IS
  'Writes jobs_seen, proposals_sent, answers, interviews, offers, wins and ai_cost_usd of each user and day (UTC) to '
  'analytics. Safe to repeat. Returns the number of values (counted) and of changed ones (written).';
GRANT EXECUTE ON FUNCTION app.record_daily_metrics(date, date) TO gigvault_worker;
ALTER FUNCTION app.record_daily_metrics(date, date) OWNER TO gigvault_definer;
