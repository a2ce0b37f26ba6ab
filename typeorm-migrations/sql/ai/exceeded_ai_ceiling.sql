CREATE FUNCTION app.exceeded_ai_ceiling(daily numeric, monthly numeric) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      SELECT CASE
        WHEN monthly > 0
          AND CASE WHEN month = date_trunc('month', now() AT TIME ZONE 'UTC')::date THEN month_spent_usd ELSE 0 END
            + reserved_usd > monthly THEN 'month'
        WHEN daily > 0
          AND CASE WHEN day = (now() AT TIME ZONE 'UTC')::date THEN day_spent_usd ELSE 0 END
            + reserved_usd > daily THEN 'day'
      END
      FROM app.ai_spending
    $$;
COMMENT ON FUNCTION app.exceeded_ai_ceiling(numeric, numeric) IS
  'Returns the exceeded ceiling of the installation, reservations included: month, day or NULL. A ceiling of 0 is '
  'none. Reveals no amount.';
GRANT EXECUTE ON FUNCTION app.exceeded_ai_ceiling(numeric, numeric) TO gigvault_app;
ALTER FUNCTION app.exceeded_ai_ceiling(numeric, numeric) OWNER TO gigvault_definer;
