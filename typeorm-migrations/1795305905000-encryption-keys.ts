import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createFunctions } from './create-functions';

/**
 * Creates data_keys, key_rotations and secret_key_check.
 *
 * A data key seals a user's secrets; a master key that is not in the database wraps it. Erasing a user deletes their
 * data key, which makes every copy of what it sealed unreadable. The row without a user seals data of no user.
 *
 * No login reads data_keys. By functions, gigvault_auth gets one row for a key or a user, and the worker gets batches
 * that an old master key still wraps.
 */
export class EncryptionKeys implements MigrationInterface {
  readonly name = 'EncryptionKeys1795305905000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(DATA_KEYS);
    await queryRunner.query(KEY_ROTATIONS);
    await queryRunner.query(SECRET_KEY_CHECK);
    await createFunctions(queryRunner, 'encryption-keys', [
      ...['find_user_data_key', 'find_data_key', 'put_data_key', 'destroy_data_key'],
      ...['data_keys_to_rewrap', 'rewrap_data_keys', 'count_data_keys_by_master_key'],
      ...['find_secret_key_check', 'put_secret_key_check'],
    ]);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION
        auth.put_secret_key_check(text),
        auth.find_secret_key_check(),
        app.count_data_keys_by_master_key(),
        app.rewrap_data_keys(jsonb),
        app.data_keys_to_rewrap(text, bigint, integer),
        auth.destroy_data_key(bigint),
        auth.put_data_key(bigint, uuid, text),
        auth.find_data_key(uuid),
        auth.find_user_data_key(bigint);
      DROP TABLE secret_key_check, key_rotations, data_keys;
      DELETE FROM audit.audited_tables WHERE table_name = 'data_keys';
    `);
  }
}

/** wrapped_key is `w1.<master key id>.<nonce>.<ciphertext and tag>`, so it names its master key. */
const DATA_KEYS = `
  CREATE TABLE data_keys (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT data_keys_pkey PRIMARY KEY,
    user_id bigint CONSTRAINT data_keys_user_id_fk REFERENCES users (id) ON DELETE CASCADE,
    key_id uuid NOT NULL,
    wrapped_key text NOT NULL
      CONSTRAINT data_keys_wrapped_key_length CHECK (char_length(wrapped_key) BETWEEN 1 AND 1000),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT data_keys_user_id_key UNIQUE NULLS NOT DISTINCT (user_id),
    CONSTRAINT data_keys_key_id_key UNIQUE (key_id)
  );
  COMMENT ON COLUMN data_keys.user_id IS 'NULL: the key for data of no user, such as emails.';
  CREATE INDEX idx_data_keys_master_key ON data_keys (split_part(wrapped_key, '.', 2), id);
  CREATE TRIGGER set_updated_at BEFORE UPDATE ON data_keys FOR EACH ROW EXECUTE FUNCTION app.set_updated_at();
  SELECT audit.enable('data_keys', secrets => '{wrapped_key}');

  ALTER TABLE data_keys ENABLE ROW LEVEL SECURITY;
  ALTER TABLE data_keys FORCE ROW LEVEL SECURITY;
  CREATE POLICY data_keys_definer_select ON data_keys
    FOR SELECT TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY data_keys_definer_insert ON data_keys
    FOR INSERT TO gigvault_definer WITH CHECK (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY data_keys_definer_update ON data_keys
    FOR UPDATE TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY data_keys_definer_delete ON data_keys
    FOR DELETE TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));
  GRANT SELECT, INSERT, DELETE ON data_keys TO gigvault_definer;
  GRANT UPDATE (wrapped_key) ON data_keys TO gigvault_definer;
`;

/**
 * Records changes of the master key and whether all data keys were rewrapped; it contains only the ids of keys. One
 * rotation may be open at a time.
 */
const KEY_ROTATIONS = `
  CREATE TABLE key_rotations (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT key_rotations_pkey PRIMARY KEY,
    key_id text NOT NULL CONSTRAINT key_rotations_key_id_form CHECK (key_id ~ '^[A-Za-z0-9_-]{1,32}$'),
    started_at timestamptz NOT NULL DEFAULT now(),
    promoted_at timestamptz,
    finished_at timestamptz,
    CONSTRAINT key_rotations_in_order CHECK (finished_at IS NULL OR promoted_at IS NOT NULL)
  );
  COMMENT ON TABLE key_rotations IS
    'Rotations of the master key: started; promoted when all processes have it and wrap with it; finished when no data '
    'key is left under another.';
  COMMENT ON COLUMN key_rotations.key_id IS 'The master key to wrap all data keys with.';
  CREATE UNIQUE INDEX key_rotations_open_once ON key_rotations ((finished_at IS NULL)) WHERE finished_at IS NULL;

  ALTER TABLE key_rotations ENABLE ROW LEVEL SECURITY;
  ALTER TABLE key_rotations FORCE ROW LEVEL SECURITY;
  CREATE POLICY key_rotations_admin_select ON key_rotations
    FOR SELECT TO gigvault_admin USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY key_rotations_admin_insert ON key_rotations FOR INSERT TO gigvault_admin
    WITH CHECK (EXISTS (SELECT FROM auth.signed_session) AND finished_at IS NULL);
  CREATE POLICY key_rotations_admin_update ON key_rotations
    FOR UPDATE TO gigvault_admin USING (EXISTS (SELECT FROM auth.signed_session) AND finished_at IS NULL);
  CREATE POLICY key_rotations_worker_select ON key_rotations
    FOR SELECT TO gigvault_worker USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY key_rotations_worker_insert ON key_rotations FOR INSERT TO gigvault_worker
    WITH CHECK (EXISTS (SELECT FROM auth.signed_session) AND finished_at IS NULL);
  CREATE POLICY key_rotations_worker_update ON key_rotations
    FOR UPDATE TO gigvault_worker USING (EXISTS (SELECT FROM auth.signed_session));
  GRANT SELECT ON key_rotations TO gigvault_admin, gigvault_worker;
  GRANT INSERT (key_id) ON key_rotations TO gigvault_admin, gigvault_worker;
  GRANT UPDATE (key_id) ON key_rotations TO gigvault_admin;
  GRANT UPDATE (promoted_at, finished_at) ON key_rotations TO gigvault_worker;
`;

/**
 * Detects the SECRET_KEY of another database at start, because all passwords would be wrong with it. Dumps contain the
 * hash, because the key is most likely another one after a restore. It is a bcrypt hash like those of passwords, so it
 * does not make the key easier to guess than they do. TRUNCATE lets the next start store the hash of a new key.
 */
const SECRET_KEY_CHECK = `
  CREATE TABLE secret_key_check (
    id boolean NOT NULL DEFAULT true CONSTRAINT secret_key_check_pkey PRIMARY KEY
      CONSTRAINT secret_key_check_one_row CHECK (id),
    hash text NOT NULL CONSTRAINT secret_key_check_hash_length CHECK (char_length(hash) = 60),
    created_at timestamptz NOT NULL DEFAULT now()
  );
  COMMENT ON TABLE secret_key_check IS
    'A hash that the SECRET_KEY of this database matches. The first start stores it.';

  ALTER TABLE secret_key_check ENABLE ROW LEVEL SECURITY;
  ALTER TABLE secret_key_check FORCE ROW LEVEL SECURITY;
  CREATE POLICY secret_key_check_definer_select ON secret_key_check
    FOR SELECT TO gigvault_definer USING (EXISTS (SELECT FROM auth.signed_session));
  CREATE POLICY secret_key_check_definer_insert ON secret_key_check
    FOR INSERT TO gigvault_definer WITH CHECK (EXISTS (SELECT FROM auth.signed_session));
  GRANT SELECT ON secret_key_check TO gigvault_definer;
  GRANT INSERT (hash) ON secret_key_check TO gigvault_definer;
`;
