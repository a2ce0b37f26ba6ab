import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createFunctions } from './create-functions';

/**
 * Adds facts about the client and the competition to jobs, with the indexes of their filters and sorts. The country of
 * the client is the existing column country. client_info keeps what the source says about the client.
 *
 * The expiry of fetched jobs also deletes the facts.
 */
export class JobFacts implements MigrationInterface {
  readonly name = 'JobFacts1795305915000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(COLUMNS);
    await queryRunner.query(INDEXES);
    // A database from before the first release has the function of the migration Sync.
    await queryRunner.query('DROP FUNCTION IF EXISTS app.expire_fetched_jobs(interval, integer)');
    await createFunctions(queryRunner, 'job-facts', ['expire_fetched_jobs']);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP FUNCTION app.expire_fetched_jobs(interval, integer)');
    await queryRunner.query(DROP_COLUMNS);
  }
}

const FACT_NAMES = [
  ...['posted_at', 'renewed_at', 'client_spent', 'client_spent_currency', 'client_hires', 'client_posted_jobs'],
  ...['client_rating', 'client_reviews', 'client_payment_verified', 'client_member_since', 'applicants'],
  ...['freelancers_to_hire', 'is_filled', 'already_applied', 'premium', 'enterprise', 'preferred_locations'],
  'location_required',
];

/** NaN is larger than every other number, so the upper limit of a rating excludes it. */
const COLUMNS = `
  CREATE DOMAIN app.quantity AS integer CONSTRAINT quantity_range CHECK (VALUE BETWEEN 0 AND 1000000);
  CREATE DOMAIN app.rating AS double precision CONSTRAINT rating_range CHECK (VALUE BETWEEN 0 AND 5);
  ALTER TABLE jobs
    ADD COLUMN posted_at timestamptz,
    ADD COLUMN renewed_at timestamptz,
    ADD COLUMN client_spent app.amount,
    ADD COLUMN client_spent_currency app.currency,
    ADD COLUMN client_hires app.quantity,
    ADD COLUMN client_posted_jobs app.quantity,
    ADD COLUMN client_rating app.rating,
    ADD COLUMN client_reviews app.quantity,
    ADD COLUMN client_payment_verified boolean,
    ADD COLUMN client_member_since date,
    ADD COLUMN applicants app.quantity,
    ADD COLUMN freelancers_to_hire app.quantity,
    ADD COLUMN is_filled boolean,
    ADD COLUMN already_applied boolean,
    ADD COLUMN premium boolean,
    ADD COLUMN enterprise boolean,
    ADD COLUMN preferred_locations app.name_list,
    ADD COLUMN location_required boolean;
  COMMENT ON COLUMN jobs.client_spent IS 'What the client has spent on Upwork; 99999999.99 also means more.';
  COMMENT ON COLUMN jobs.client_spent_currency IS 'NULL means USD.';
  COMMENT ON COLUMN jobs.client_rating IS 'From 0 to 5; NULL for a client without a review.';
  COMMENT ON COLUMN jobs.applicants IS
    'A synchronisation updates it when it reaches another of the ranges that Upwork shows.';
  COMMENT ON COLUMN jobs.location_required IS 'True when only freelancers of preferred_locations may apply.';
  GRANT UPDATE (${FACT_NAMES.join(', ')}) ON jobs TO gigvault_app;
`;

/**
 * The expressions of sorts are never NULL, so that a keyset can continue after a job without the fact. Such a job has a
 * value after all others: it is last in the sort, and no filter finds it. Facts without a sort have partial indexes,
 * which cost nothing for jobs without the fact.
 *
 * Under row security an index serves only conditions that reveal nothing. CASE does not, but PostgreSQL does not know
 * that of coalesce(). bootstrap.sql marks the comparison of numerics as leakproof.
 *
 * idx_jobs_open leaves filled jobs out. Without it, a list without them would read all filled ones.
 */
const INDEXES = `
  CREATE INDEX idx_jobs_posted_at ON jobs
    (user_id, (CASE WHEN posted_at IS NULL THEN '-infinity' ELSE posted_at END) DESC, id DESC);
  CREATE INDEX idx_jobs_client_spent ON jobs
    (user_id, (CASE WHEN client_spent IS NULL THEN -1 ELSE client_spent END) DESC, id DESC);
  CREATE INDEX idx_jobs_client_rating ON jobs
    (user_id, (CASE WHEN client_rating IS NULL THEN -1 ELSE client_rating END) DESC, id DESC);
  CREATE INDEX idx_jobs_applicants ON jobs
    (user_id, (CASE WHEN applicants IS NULL THEN 2147483647 ELSE applicants END), id);
  CREATE INDEX idx_jobs_client_hires ON jobs (user_id, client_hires DESC, id DESC) WHERE client_hires IS NOT NULL;
  CREATE INDEX idx_jobs_payment_verified ON jobs (user_id, client_payment_verified, created_at DESC, id DESC)
    WHERE client_payment_verified IS NOT NULL;
  CREATE INDEX idx_jobs_open ON jobs (user_id, created_at DESC, id DESC) WHERE is_filled IS NOT TRUE;
`;

const DROP_COLUMNS = `
  ALTER TABLE jobs ${FACT_NAMES.map((name) => `DROP COLUMN ${name}`).join(', ')};
  DROP DOMAIN app.quantity, app.rating;
`;
