import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Makes key_rotations: when the master key changed, and whether all data keys have followed. Holds names of keys only. */
export class CreateKeyRotations implements MigrationInterface {
  readonly name = 'CreateKeyRotations1795305710000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(TABLE);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE key_rotations`);
  }
}

/** One rotation at a time: while one is open, another would only run after it. */
const TABLE = `
  CREATE TABLE key_rotations (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT key_rotations_pkey PRIMARY KEY,
    key_id text NOT NULL CONSTRAINT key_rotations_key_id_form CHECK (key_id ~ '^[A-Za-z0-9_-]{1,32}$'),
    started_at timestamptz NOT NULL DEFAULT now(),
    promoted_at timestamptz,
    finished_at timestamptz,
    CONSTRAINT key_rotations_in_order CHECK (finished_at IS NULL OR promoted_at IS NOT NULL)
  );
  COMMENT ON TABLE key_rotations IS 'Changes of the master key: asked for, all processes have it and it wraps, nothing is left under another.';
  COMMENT ON COLUMN key_rotations.key_id IS 'The master key that all data keys shall be wrapped with.';
  CREATE UNIQUE INDEX key_rotations_open_once ON key_rotations ((finished_at IS NULL)) WHERE finished_at IS NULL;

  ALTER TABLE key_rotations ENABLE ROW LEVEL SECURITY;
  ALTER TABLE key_rotations FORCE ROW LEVEL SECURITY;
  CREATE POLICY key_rotations_admin_select ON key_rotations FOR SELECT TO gigvault_admin USING (true);
  CREATE POLICY key_rotations_admin_insert ON key_rotations FOR INSERT TO gigvault_admin WITH CHECK (finished_at IS NULL);
  CREATE POLICY key_rotations_admin_update ON key_rotations FOR UPDATE TO gigvault_admin USING (finished_at IS NULL);
  CREATE POLICY key_rotations_worker_select ON key_rotations FOR SELECT TO gigvault_worker USING (true);
  CREATE POLICY key_rotations_worker_insert ON key_rotations FOR INSERT TO gigvault_worker WITH CHECK (finished_at IS NULL);
  CREATE POLICY key_rotations_worker_update ON key_rotations FOR UPDATE TO gigvault_worker USING (true);
  GRANT SELECT ON key_rotations TO gigvault_admin, gigvault_worker;
  GRANT INSERT (key_id) ON key_rotations TO gigvault_admin, gigvault_worker;
  GRANT UPDATE (key_id) ON key_rotations TO gigvault_admin;
  GRANT UPDATE (promoted_at, finished_at) ON key_rotations TO gigvault_worker;
`;
