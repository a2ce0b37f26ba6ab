import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createFunctions } from './create-functions';

/**
 * Creates analytics, one value for each tenant, metric and day (UTC), in yearly partitions by date. A repeated task
 * writes the same row and does not double the metric. app.record_daily_metrics() counts each user's activity a day.
 */
export class Analytics implements MigrationInterface {
  readonly name = 'Analytics1795305911000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(TABLE);
    await createFunctions(queryRunner, 'analytics', ['record_daily_metrics']);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION app.record_daily_metrics(date, date);
      DROP TABLE analytics;
      DELETE FROM app.partitioned_tables WHERE table_name = 'analytics';
      DELETE FROM audit.audited_tables WHERE table_name = 'analytics';
    `);
  }
}

const TABLE = `
  CREATE TABLE analytics (
    id bigint GENERATED ALWAYS AS IDENTITY,
    user_id bigint NOT NULL DEFAULT auth.unverified_uid()
      CONSTRAINT analytics_user_id_fk REFERENCES users (id) ON DELETE CASCADE,
    metric_name text NOT NULL
      CONSTRAINT analytics_metric_name_length CHECK (char_length(metric_name) BETWEEN 1 AND 100),
    metric_value numeric(15,2) CONSTRAINT analytics_metric_value_number CHECK (metric_value <> 'NaN'),
    metric_data jsonb CONSTRAINT analytics_metric_data_size CHECK (octet_length(metric_data::text) <= 65536),
    date date NOT NULL CONSTRAINT analytics_date_sane CHECK (date BETWEEN '2000-01-01' AND '2199-12-31'),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT analytics_pkey PRIMARY KEY (id, date)
  ) PARTITION BY RANGE (date);
  CREATE UNIQUE INDEX idx_analytics_user_metric_date ON analytics (user_id, metric_name, date);
  CREATE INDEX idx_analytics_date ON analytics (user_id, date, id);

  CREATE TRIGGER set_updated_at BEFORE UPDATE ON analytics FOR EACH ROW EXECUTE FUNCTION app.set_updated_at();
  SELECT audit.enable('analytics');

  ALTER TABLE analytics ENABLE ROW LEVEL SECURITY;
  ALTER TABLE analytics FORCE ROW LEVEL SECURITY;
  CREATE POLICY analytics_own_data_select ON analytics FOR SELECT USING (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY analytics_own_data_insert ON analytics
    FOR INSERT WITH CHECK (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY analytics_own_data_update ON analytics FOR UPDATE USING (user_id = (SELECT tenant FROM auth.context));
  CREATE POLICY analytics_definer_select ON analytics
    FOR SELECT TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY analytics_definer_insert ON analytics
    FOR INSERT TO gigvault_definer WITH CHECK (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY analytics_definer_update ON analytics
    FOR UPDATE TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));
  GRANT SELECT, INSERT, UPDATE (metric_value, metric_data) ON analytics TO gigvault_app, gigvault_definer;

  INSERT INTO app.partitioned_tables (table_name, key) VALUES ('analytics', 'date');
  SELECT app.create_default_partition('analytics');
  SELECT app.create_partitions(2);
`;
