import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Counts what all users together have reserved and spent on AI, so that the installation can have a ceiling. One row,
 * kept by a trigger on ai_budgets: every reservation and settlement changes it in its own transaction, whichever code
 * makes it. app.ai_spending_above() says whether a ceiling is passed; the caller reserves, asks, and rolls back.
 * Locks are always taken in the order ai_budgets, app.ai_spending.
 */
export class BoundAiSpending implements MigrationInterface {
  readonly name = 'BoundAiSpending1795305780000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(TABLE);
    await queryRunner.query(FUNCTIONS);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TRIGGER count_ai_spending ON ai_budgets;
      DROP FUNCTION app.ai_spending_above(numeric, numeric);
      DROP FUNCTION app.count_ai_spending();
      DROP TABLE app.ai_spending;
    `);
  }
}

const TABLE = `
  CREATE TABLE app.ai_spending (
    id boolean NOT NULL DEFAULT true CONSTRAINT ai_spending_pkey PRIMARY KEY CONSTRAINT ai_spending_one_row CHECK (id),
    reserved_usd numeric(24,12) NOT NULL CONSTRAINT ai_spending_reserved_usd_positive CHECK (reserved_usd >= 0),
    day date NOT NULL,
    day_spent_usd numeric(24,12) NOT NULL CONSTRAINT ai_spending_day_spent_usd_positive CHECK (day_spent_usd >= 0),
    month date NOT NULL,
    month_spent_usd numeric(24,12) NOT NULL CONSTRAINT ai_spending_month_spent_usd_positive CHECK (month_spent_usd >= 0)
  );
  COMMENT ON TABLE app.ai_spending IS 'What all users together have reserved and spent on AI; a sum, without a row of any user.';
  INSERT INTO app.ai_spending (reserved_usd, day, day_spent_usd, month, month_spent_usd)
  SELECT coalesce(sum(reserved_usd), 0), t.day, coalesce(sum(day_spent_usd) FILTER (WHERE b.day = t.day), 0),
    t.month, coalesce(sum(month_spent_usd) FILTER (WHERE b.month = t.month), 0)
  FROM (SELECT (now() AT TIME ZONE 'UTC')::date AS day, date_trunc('month', now() AT TIME ZONE 'UTC')::date AS month) t
  LEFT JOIN ai_budgets b ON true
  GROUP BY t.day, t.month;

  ALTER TABLE app.ai_spending ENABLE ROW LEVEL SECURITY;
  ALTER TABLE app.ai_spending FORCE ROW LEVEL SECURITY;
  CREATE POLICY ai_spending_admin_select ON app.ai_spending FOR SELECT TO gigvault_admin USING (true);
  CREATE POLICY ai_spending_definer_select ON app.ai_spending FOR SELECT TO gigvault_definer USING (true);
  CREATE POLICY ai_spending_definer_update ON app.ai_spending FOR UPDATE TO gigvault_definer USING (true);
  GRANT SELECT ON app.ai_spending TO gigvault_admin;
  GRANT SELECT, UPDATE ON app.ai_spending TO gigvault_definer;
`;

/** A counter of an older day counts for nothing, in the row of a user as in that of all. */
const FUNCTIONS = `
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
  COMMENT ON FUNCTION app.count_ai_spending() IS 'Adds the change of a user''s counters to those of all; money a deleted user spent stays spent.';

  CREATE TRIGGER count_ai_spending AFTER DELETE OR UPDATE OF reserved_usd, day_spent_usd, month_spent_usd ON ai_budgets
    FOR EACH ROW EXECUTE FUNCTION app.count_ai_spending();

  CREATE FUNCTION app.ai_spending_above(daily numeric, monthly numeric) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      SELECT CASE
        WHEN monthly > 0 AND CASE WHEN month = date_trunc('month', now() AT TIME ZONE 'UTC')::date THEN month_spent_usd ELSE 0 END
          + reserved_usd > monthly THEN 'month'
        WHEN daily > 0 AND CASE WHEN day = (now() AT TIME ZONE 'UTC')::date THEN day_spent_usd ELSE 0 END
          + reserved_usd > daily THEN 'day'
      END
      FROM app.ai_spending
    $$;
  COMMENT ON FUNCTION app.ai_spending_above(numeric, numeric) IS
    'Which ceiling of the installation is passed, reservations included: month, day or NULL; 0 is no ceiling. Shows no amount.';

  GRANT EXECUTE ON FUNCTION app.ai_spending_above(numeric, numeric) TO gigvault_app;
  ALTER FUNCTION app.count_ai_spending() OWNER TO gigvault_definer;
  ALTER FUNCTION app.ai_spending_above(numeric, numeric) OWNER TO gigvault_definer;
`;
