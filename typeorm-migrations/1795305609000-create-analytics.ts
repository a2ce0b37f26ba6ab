import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Makes analytics, one value a tenant, metric and day, in yearly partitions by date: a repeated task writes the same row
 * again instead of doubling the metric.
 */
export class CreateAnalytics implements MigrationInterface {
  readonly name = 'CreateAnalytics1795305609000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE analytics (
        id bigint GENERATED ALWAYS AS IDENTITY,
        user_id bigint NOT NULL DEFAULT auth.uid() CONSTRAINT analytics_user_id_fk REFERENCES users (id) ON DELETE CASCADE,
        metric_name text NOT NULL CONSTRAINT analytics_metric_name_length CHECK (char_length(metric_name) BETWEEN 1 AND 100),
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

      CREATE TRIGGER touch_row BEFORE UPDATE ON analytics FOR EACH ROW EXECUTE FUNCTION app.touch_row();
      SELECT audit.watch('analytics');

      ALTER TABLE analytics ENABLE ROW LEVEL SECURITY;
      ALTER TABLE analytics FORCE ROW LEVEL SECURITY;
      CREATE POLICY analytics_own_data_select ON analytics FOR SELECT USING (user_id = (SELECT auth.uid()));
      CREATE POLICY analytics_own_data_insert ON analytics FOR INSERT WITH CHECK (user_id = (SELECT auth.uid()));
      CREATE POLICY analytics_own_data_update ON analytics FOR UPDATE USING (user_id = (SELECT auth.uid()));
      GRANT SELECT, INSERT ON analytics TO gigvault_app;
      GRANT UPDATE (metric_value, metric_data) ON analytics TO gigvault_app;

      INSERT INTO app.partitioned_tables (table_name, key) VALUES ('analytics', 'date');
      SELECT app.create_default_partition('analytics');
      SELECT app.create_partitions(2);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TABLE analytics;
      DELETE FROM app.partitioned_tables WHERE table_name = 'analytics';
      DELETE FROM audit.audited_tables WHERE table_name = 'analytics';
    `);
  }
}
