-- A counter of an earlier day or month counts as zero, in the row of a user and in the total.
CREATE FUNCTION app.count_ai_spending() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    DECLARE
      today CONSTANT date := (now() AT TIME ZONE 'UTC')::date;
      this_month CONSTANT date := date_trunc('month', now() AT TIME ZONE 'UTC')::date;
      reserved numeric := -old.reserved_usd;
      of_day numeric := 0;
      of_month numeric := 0;
    BEGIN
      IF tg_op = 'UPDATE' THEN
        reserved := reserved + new.reserved_usd;
        IF new.day = today THEN
          of_day := new.day_spent_usd - CASE WHEN old.day = today THEN old.day_spent_usd ELSE 0 END;
        END IF;
        IF new.month = this_month THEN
          of_month := new.month_spent_usd - CASE WHEN old.month = this_month THEN old.month_spent_usd ELSE 0 END;
        END IF;
      END IF;
      UPDATE app.ai_spending s
      SET reserved_usd = greatest(s.reserved_usd + reserved, 0), day = today, month = this_month,
        day_spent_usd = greatest(CASE WHEN s.day = today THEN s.day_spent_usd ELSE 0 END + of_day, 0),
        month_spent_usd = greatest(CASE WHEN s.month = this_month THEN s.month_spent_usd ELSE 0 END + of_month, 0);
      RETURN NULL;
    END $$;
COMMENT ON FUNCTION app.count_ai_spending() IS
  'Adds the change of a user''s counters to the total of all users. The spending of a deleted user stays in it.';
-- The trigger comes before the change of owner: gigvault_owner may create triggers with its own functions only.
CREATE TRIGGER count_ai_spending AFTER DELETE OR UPDATE OF reserved_usd, day_spent_usd, month_spent_usd ON ai_budgets
    FOR EACH ROW EXECUTE FUNCTION app.count_ai_spending();
ALTER FUNCTION app.count_ai_spending() OWNER TO gigvault_definer;
