import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Adds the filters of Upwork's search to saved_searches, so that Upwork returns only the jobs that match. Amounts are
 * whole, because Upwork's ranges are of integers.
 */
export class SavedSearchFilters implements MigrationInterface {
  readonly name = 'SavedSearchFilters1795305915100';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE saved_searches
        ADD COLUMN experience_level text CONSTRAINT saved_searches_experience_level_known
          CHECK (experience_level IN ('entry', 'intermediate', 'expert')),
        ADD COLUMN workload text
          CONSTRAINT saved_searches_workload_known CHECK (workload IN ('full_time', 'part_time', 'as_needed')),
        ADD COLUMN budget_min integer
          CONSTRAINT saved_searches_budget_min_range CHECK (budget_min BETWEEN 0 AND 1000000),
        ADD COLUMN budget_max integer
          CONSTRAINT saved_searches_budget_max_range CHECK (budget_max BETWEEN 0 AND 1000000),
        ADD COLUMN hourly_rate_min integer
          CONSTRAINT saved_searches_hourly_rate_min_range CHECK (hourly_rate_min BETWEEN 0 AND 1000000),
        ADD COLUMN hourly_rate_max integer
          CONSTRAINT saved_searches_hourly_rate_max_range CHECK (hourly_rate_max BETWEEN 0 AND 1000000),
        ADD COLUMN client_hires_min integer
          CONSTRAINT saved_searches_client_hires_min_range CHECK (client_hires_min BETWEEN 0 AND 1000000),
        ADD COLUMN client_hires_max integer
          CONSTRAINT saved_searches_client_hires_max_range CHECK (client_hires_max BETWEEN 0 AND 1000000),
        ADD COLUMN applicants_min integer
          CONSTRAINT saved_searches_applicants_min_range CHECK (applicants_min BETWEEN 0 AND 1000000),
        ADD COLUMN applicants_max integer
          CONSTRAINT saved_searches_applicants_max_range CHECK (applicants_max BETWEEN 0 AND 1000000),
        ADD COLUMN payment_verified_only boolean NOT NULL DEFAULT false,
        ADD COLUMN previous_clients_only boolean NOT NULL DEFAULT false,
        ADD COLUMN locations text[] NOT NULL DEFAULT '{}' CONSTRAINT saved_searches_locations_count
          CHECK (cardinality(locations) <= 20 AND array_position(locations, NULL) IS NULL),
        ADD CONSTRAINT saved_searches_budget_range CHECK (budget_min <= budget_max),
        ADD CONSTRAINT saved_searches_hourly_rate_range CHECK (hourly_rate_min <= hourly_rate_max),
        ADD CONSTRAINT saved_searches_client_hires_range CHECK (client_hires_min <= client_hires_max),
        ADD CONSTRAINT saved_searches_applicants_range CHECK (applicants_min <= applicants_max);
      GRANT UPDATE (experience_level, workload, budget_min, budget_max, hourly_rate_min, hourly_rate_max,
        client_hires_min, client_hires_max, applicants_min, applicants_max, payment_verified_only,
        previous_clients_only, locations) ON saved_searches TO gigvault_app;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE saved_searches
        DROP COLUMN experience_level, DROP COLUMN workload, DROP COLUMN budget_min, DROP COLUMN budget_max,
        DROP COLUMN hourly_rate_min, DROP COLUMN hourly_rate_max, DROP COLUMN client_hires_min,
        DROP COLUMN client_hires_max, DROP COLUMN applicants_min, DROP COLUMN applicants_max,
        DROP COLUMN payment_verified_only, DROP COLUMN previous_clients_only, DROP COLUMN locations;
    `);
  }
}
