import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createFunctions } from './create-functions';

/**
 * Creates the schemas and the functions that every table needs. PUBLIC loses EXECUTE on new functions (PostgreSQL's
 * default), so every migration grants it explicitly.
 *
 * gigvault_definer and gigvault_auditor own the SECURITY DEFINER functions. FORCE ROW LEVEL SECURITY binds the owner of
 * the tables too, so a function owned by gigvault_owner would see no rows. The policies written TO these two roles say
 * what such functions may do, for each table and command.
 */
export class Foundation implements MigrationInterface {
  readonly name = 'Foundation1795305900000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(SCHEMAS);
    await createFunctions(queryRunner, 'foundation', ['uid', 'to_inet', 'set_updated_at']);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      REVOKE SELECT ON schema_migrations FROM gigvault_app, gigvault_worker, gigvault_admin, gigvault_monitor;
      DROP FUNCTION app.set_updated_at(), app.to_inet(text), auth.uid();
      DROP SCHEMA audit;
      DROP SCHEMA app;
      DROP SCHEMA auth;
      REVOKE ALL ON SCHEMA public FROM gigvault_app, gigvault_auth, gigvault_worker, gigvault_admin, gigvault_monitor,
        gigvault_definer, gigvault_auditor;
      GRANT USAGE ON SCHEMA public TO PUBLIC;
      ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO PUBLIC;
    `);
  }
}

const SCHEMAS = `
  ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
  REVOKE ALL ON SCHEMA public FROM PUBLIC;
  GRANT USAGE ON SCHEMA public TO
    gigvault_app, gigvault_auth, gigvault_worker, gigvault_admin, gigvault_monitor, gigvault_definer, gigvault_auditor;

  CREATE SCHEMA auth;
  CREATE SCHEMA app;
  CREATE SCHEMA audit;
  GRANT USAGE ON SCHEMA auth, app TO
    gigvault_app, gigvault_auth, gigvault_worker, gigvault_admin, gigvault_definer, gigvault_auditor;
  GRANT USAGE ON SCHEMA app TO gigvault_monitor;
  GRANT USAGE ON SCHEMA audit TO gigvault_app, gigvault_definer, gigvault_auditor, gigvault_monitor;
  -- ALTER … OWNER TO requires that the new owner has this right. No function of that role creates objects.
  GRANT CREATE ON SCHEMA auth, app TO gigvault_definer;

  -- The server compares this table with its own migrations.
  GRANT SELECT ON schema_migrations TO gigvault_app, gigvault_worker, gigvault_admin, gigvault_monitor;
`;
