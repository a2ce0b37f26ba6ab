import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Makes data_keys: the key that seals a user's secrets, wrapped by a master key that is not in the database. Whoever is
 * erased loses his data key, and with it every copy of what it sealed. The row without a user seals what is nobody's.
 *
 * No login reads the table: gigvault_auth names a key or its user and gets one row, the worker gets batches that an old
 * master key still wraps. A key is changed only against the wrapping it is known by, so two workers cannot undo each other.
 */
export class CreateDataKeys implements MigrationInterface {
  readonly name = 'CreateDataKeys1795305650000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(TABLE);
    await queryRunner.query(LOOKUPS);
    await queryRunner.query(ROTATION);
    await queryRunner.query(OWNERS);
    // Letters live 24 hours; those sealed before there were data keys would not open.
    await queryRunner.query(`TRUNCATE mail_outbox`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION app.data_key_uses();
      DROP FUNCTION app.rewrap_data_keys(jsonb);
      DROP FUNCTION app.data_keys_not_under(text, bigint, integer);
      DROP FUNCTION auth.destroy_data_key(bigint);
      DROP FUNCTION auth.put_data_key(bigint, uuid, text);
      DROP FUNCTION auth.find_data_key(uuid);
      DROP FUNCTION auth.data_key_of(bigint);
      DROP TABLE data_keys;
      DELETE FROM audit.audited_tables WHERE table_name = 'data_keys';
    `);
  }
}

/** wrapped_key is `w1.<master key id>.<nonce>.<ciphertext and tag>`: the master key is named in it, never beside it. */
const TABLE = `
  CREATE TABLE data_keys (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT data_keys_pkey PRIMARY KEY,
    user_id bigint CONSTRAINT data_keys_user_id_fk REFERENCES users (id) ON DELETE CASCADE,
    key_id uuid NOT NULL,
    wrapped_key text NOT NULL CONSTRAINT data_keys_wrapped_key_length CHECK (char_length(wrapped_key) BETWEEN 1 AND 1000),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT data_keys_user_id_key UNIQUE NULLS NOT DISTINCT (user_id),
    CONSTRAINT data_keys_key_id_key UNIQUE (key_id)
  );
  COMMENT ON COLUMN data_keys.user_id IS 'NULL: the key of what belongs to nobody, such as letters.';
  CREATE INDEX idx_data_keys_master_key ON data_keys (split_part(wrapped_key, '.', 2), id);
  CREATE TRIGGER touch_row BEFORE UPDATE ON data_keys FOR EACH ROW EXECUTE FUNCTION app.touch_row();
  SELECT audit.watch('data_keys', secrets => '{wrapped_key}');

  ALTER TABLE data_keys ENABLE ROW LEVEL SECURITY;
  ALTER TABLE data_keys FORCE ROW LEVEL SECURITY;
  CREATE POLICY data_keys_definer_select ON data_keys FOR SELECT TO gigvault_definer USING (true);
  CREATE POLICY data_keys_definer_insert ON data_keys FOR INSERT TO gigvault_definer WITH CHECK (true);
  CREATE POLICY data_keys_definer_update ON data_keys FOR UPDATE TO gigvault_definer USING (true);
  CREATE POLICY data_keys_definer_delete ON data_keys FOR DELETE TO gigvault_definer USING (true);
  GRANT SELECT, INSERT, DELETE ON data_keys TO gigvault_definer;
  GRANT UPDATE (wrapped_key) ON data_keys TO gigvault_definer;
`;

const LOOKUPS = `
  CREATE FUNCTION auth.data_key_of(user_id bigint) RETURNS TABLE (user_id bigint, key_id uuid, wrapped_key text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      SELECT k.user_id, k.key_id, k.wrapped_key FROM public.data_keys k WHERE k.user_id IS NOT DISTINCT FROM $1
    $$;
  COMMENT ON FUNCTION auth.data_key_of(bigint) IS 'The wrapped data key of a user, or of nobody (NULL).';

  CREATE FUNCTION auth.find_data_key(key_id uuid) RETURNS TABLE (user_id bigint, key_id uuid, wrapped_key text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      SELECT k.user_id, k.key_id, k.wrapped_key FROM public.data_keys k WHERE k.key_id = $1
    $$;
  COMMENT ON FUNCTION auth.find_data_key(uuid) IS 'The wrapped data key that a sealed value names.';

  CREATE FUNCTION auth.put_data_key(user_id bigint, key_id uuid, wrapped_key text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      INSERT INTO public.data_keys (user_id, key_id, wrapped_key) VALUES ($1, $2, $3)
      ON CONFLICT ON CONSTRAINT data_keys_user_id_key DO NOTHING
    $$;
  COMMENT ON FUNCTION auth.put_data_key(bigint, uuid, text) IS 'Stores a new data key, unless another process was faster.';

  CREATE FUNCTION auth.destroy_data_key(user_id bigint) RETURNS boolean
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      WITH gone AS (DELETE FROM public.data_keys k WHERE k.user_id = $1 RETURNING 1) SELECT EXISTS (SELECT FROM gone)
    $$;
  COMMENT ON FUNCTION auth.destroy_data_key(bigint) IS 'Destroys the data key of a user, so that nothing it sealed opens again; false when he had none.';
`;

const ROTATION = `
  CREATE FUNCTION app.data_keys_not_under(master_key text, after bigint, take integer)
    RETURNS TABLE (id bigint, user_id bigint, key_id uuid, wrapped_key text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      SELECT k.id, k.user_id, k.key_id, k.wrapped_key FROM public.data_keys k
      WHERE k.id > $2 AND split_part(k.wrapped_key, '.', 2) <> $1 ORDER BY k.id LIMIT $3
    $$;
  COMMENT ON FUNCTION app.data_keys_not_under(text, bigint, integer) IS 'Data keys another master key wraps, by id.';

  CREATE FUNCTION app.rewrap_data_keys(changes jsonb) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
    DECLARE
      changed integer;
    BEGIN
      UPDATE public.data_keys k SET wrapped_key = c.new
      FROM jsonb_to_recordset(changes) AS c (id bigint, old text, new text)
      WHERE k.id = c.id AND k.wrapped_key = c.old;
      GET DIAGNOSTICS changed = ROW_COUNT;
      RETURN changed;
    END $$;
  COMMENT ON FUNCTION app.rewrap_data_keys(jsonb) IS
    'Replaces wrappings [{id, old, new}]; one that is not the old one any more stays. Returns how many were replaced.';

  CREATE FUNCTION app.data_key_uses() RETURNS TABLE (master_key text, uses bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$
      SELECT split_part(k.wrapped_key, '.', 2), count(*) FROM public.data_keys k GROUP BY 1 ORDER BY 1
    $$;
  COMMENT ON FUNCTION app.data_key_uses() IS 'How many data keys each master key wraps.';
`;

const OWNERS = `
  GRANT EXECUTE ON FUNCTION auth.data_key_of(bigint), auth.find_data_key(uuid), auth.put_data_key(bigint, uuid, text),
    auth.destroy_data_key(bigint) TO gigvault_auth;
  GRANT EXECUTE ON FUNCTION app.data_keys_not_under(text, bigint, integer), app.rewrap_data_keys(jsonb) TO gigvault_worker;
  GRANT EXECUTE ON FUNCTION app.data_key_uses() TO gigvault_worker, gigvault_admin;
  ALTER FUNCTION auth.data_key_of(bigint) OWNER TO gigvault_definer;
  ALTER FUNCTION auth.find_data_key(uuid) OWNER TO gigvault_definer;
  ALTER FUNCTION auth.put_data_key(bigint, uuid, text) OWNER TO gigvault_definer;
  ALTER FUNCTION auth.destroy_data_key(bigint) OWNER TO gigvault_definer;
  ALTER FUNCTION app.data_keys_not_under(text, bigint, integer) OWNER TO gigvault_definer;
  ALTER FUNCTION app.rewrap_data_keys(jsonb) OWNER TO gigvault_definer;
  ALTER FUNCTION app.data_key_uses() OWNER TO gigvault_definer;
`;
