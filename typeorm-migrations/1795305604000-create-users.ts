import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Makes users. A user sees his own row without the password hash and changes his names; everything else about an account
 * (register, verify, deactivate, erase) goes through functions of gigvault_definer. The seed's one policy FOR ALL would
 * let him delete himself, with all that hangs on it, or verify himself by any mass assignment.
 *
 * E-mail addresses are one whatever their case, so lower(email) is unique.
 */
export class CreateUsers implements MigrationInterface {
  readonly name = 'CreateUsers1795305604000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE users (
        id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT users_pkey PRIMARY KEY,
        email text NOT NULL CONSTRAINT users_email_form CHECK (char_length(email) BETWEEN 3 AND 254 AND email ~ '^[^@[:space:]]+@[^@[:space:]]+$'),
        encrypted_password text NOT NULL CONSTRAINT users_encrypted_password_length CHECK (char_length(encrypted_password) BETWEEN 1 AND 255),
        first_name text CONSTRAINT users_first_name_length CHECK (char_length(first_name) <= 100),
        last_name text CONSTRAINT users_last_name_length CHECK (char_length(last_name) <= 100),
        is_active boolean NOT NULL DEFAULT true,
        is_verified boolean NOT NULL DEFAULT false,
        role text NOT NULL DEFAULT 'user' CONSTRAINT users_role_known CHECK (role IN ('user', 'admin')),
        sessions_valid_from timestamptz NOT NULL DEFAULT now(),
        version integer NOT NULL DEFAULT 1,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
      );
      COMMENT ON COLUMN users.encrypted_password IS 'bcrypt of a keyed hash: bcrypt ignores all past 72 bytes.';
      COMMENT ON COLUMN users.sessions_valid_from IS 'Sessions begun before it are over.';

      CREATE UNIQUE INDEX idx_users_email ON users (lower(email));
      CREATE INDEX idx_users_created_at ON users (created_at DESC, id DESC);
      CREATE INDEX idx_users_is_active ON users (is_active, created_at DESC, id DESC);

      CREATE TRIGGER touch_row BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION app.touch_row();
      SELECT audit.watch('users', secrets => '{encrypted_password}');

      ALTER TABLE users ENABLE ROW LEVEL SECURITY;
      ALTER TABLE users FORCE ROW LEVEL SECURITY;
      CREATE POLICY users_own_data_select ON users FOR SELECT USING (id = (SELECT auth.uid()));
      CREATE POLICY users_own_data_update ON users FOR UPDATE USING (id = (SELECT auth.uid()));
      CREATE POLICY users_admin_select ON users FOR SELECT TO gigvault_admin USING (true);
      CREATE POLICY users_definer_select ON users FOR SELECT TO gigvault_definer USING (true);
      CREATE POLICY users_definer_insert ON users FOR INSERT TO gigvault_definer WITH CHECK (true);
      CREATE POLICY users_definer_update ON users FOR UPDATE TO gigvault_definer USING (true);

      GRANT SELECT (id, email, first_name, last_name, is_active, is_verified, role, sessions_valid_from, version, created_at, updated_at)
        ON users TO gigvault_app, gigvault_admin;
      GRANT UPDATE (first_name, last_name) ON users TO gigvault_app;
      GRANT SELECT, INSERT, UPDATE ON users TO gigvault_definer;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TABLE users;
      DELETE FROM audit.audited_tables WHERE table_name = 'users';
    `);
  }
}
