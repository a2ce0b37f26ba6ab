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
    await createFunctions(queryRunner, 'foundation', ['refuse_context']);
    await queryRunner.query(CONTEXT);
    await queryRunner.query(SIGNED_SESSION);
    await createFunctions(queryRunner, 'foundation', [
      ...['require_signature', 'uid', 'unverified_uid', 'to_inet', 'set_updated_at'],
    ]);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      REVOKE SELECT ON SEQUENCE schema_migrations_id_seq FROM gigvault_backup;
      REVOKE SELECT ON schema_migrations FROM
        gigvault_app, gigvault_worker, gigvault_admin, gigvault_monitor, gigvault_backup;
      DROP FUNCTION app.set_updated_at(), app.to_inet(text), auth.unverified_uid(), auth.uid();
      DROP FUNCTION auth.require_signature();
      DROP VIEW auth.signed_session, auth.context;
      DROP FUNCTION auth.refuse_context();
      DROP SCHEMA audit;
      DROP SCHEMA app;
      DROP SCHEMA auth;
      REVOKE ALL ON SCHEMA public FROM gigvault_app, gigvault_auth, gigvault_worker, gigvault_admin, gigvault_monitor,
        gigvault_backup, gigvault_definer, gigvault_auditor;
      GRANT USAGE ON SCHEMA public TO PUBLIC;
      ALTER DEFAULT PRIVILEGES REVOKE SELECT ON SEQUENCES FROM gigvault_backup;
      ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM gigvault_backup;
      ALTER DEFAULT PRIVILEGES REVOKE USAGE ON SCHEMAS FROM gigvault_backup;
      ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO PUBLIC;
    `);
  }
}

const SCHEMAS = `
  ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
  -- The backup reads every table that a migration or a task creates, and schema secrets is not created here.
  ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO gigvault_backup;
  ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO gigvault_backup;
  ALTER DEFAULT PRIVILEGES GRANT SELECT ON SEQUENCES TO gigvault_backup;
  REVOKE ALL ON SCHEMA public FROM PUBLIC;
  GRANT USAGE ON SCHEMA public TO gigvault_app, gigvault_auth, gigvault_worker, gigvault_admin, gigvault_monitor,
    gigvault_backup, gigvault_definer, gigvault_auditor;

  CREATE SCHEMA auth;
  CREATE SCHEMA app;
  CREATE SCHEMA audit;
  GRANT USAGE ON SCHEMA auth, app TO
    gigvault_app, gigvault_auth, gigvault_worker, gigvault_admin, gigvault_definer, gigvault_auditor;
  GRANT USAGE ON SCHEMA app TO gigvault_monitor;
  GRANT USAGE ON SCHEMA audit TO
    gigvault_app, gigvault_worker, gigvault_admin, gigvault_definer, gigvault_auditor, gigvault_monitor;
  -- ALTER … OWNER TO requires that the new owner has this right. No function of that role creates objects.
  GRANT CREATE ON SCHEMA auth, app TO gigvault_definer;

  -- The server compares this table with its own migrations. TypeORM creates it before the first migration.
  GRANT SELECT ON schema_migrations TO
    gigvault_app, gigvault_worker, gigvault_admin, gigvault_monitor, gigvault_backup;
  GRANT SELECT ON SEQUENCE schema_migrations_id_seq TO gigvault_backup;
`;

/**
 * The context is the setting app.context: 64 hexadecimal digits of HMAC-SHA-256, then its fields with a unit separator
 * (0x1F) between them. The first field is the second of the signature, in ten digits. Reads send four fields, because
 * their signature can be reused; everything that may write sends all.
 *
 * A view checks it because that costs half of a function in PL/pgSQL. It runs once a statement, as the InitPlan of a
 * policy: (SELECT tenant FROM auth.context). PostgreSQL prepares its nodes at each execution, so there are as few as
 * possible: audit.actor takes the other fields from the signed text. The key stays in a table, which
 * docker/postgres/bootstrap.sql creates, because debug_print_plan prints the constants of a plan. The names of a view
 * are resolved when it is created, so a search_path changes nothing.
 *
 * Both sides of the comparison are hashed again, so its duration says nothing about the expected signature. The nested
 * CASE reads the time only of a genuine context. now() is the start of the transaction: a long one stays valid.
 */
const CONTEXT = `
  CREATE VIEW auth.context WITH (security_barrier) AS
  SELECT nullif(split_part(c.signed, E'\\x1f', 2), '')::bigint AS tenant, c.signed
  FROM secrets.context_keys k, LATERAL (SELECT current_setting('app.context', true) AS signed) AS c
  WHERE k.login = session_user AND (k.replaced_at IS NULL OR k.replaced_at > now() - interval '1 day')
    AND CASE
      WHEN sha256(convert_to(left(c.signed, 64), 'UTF8')) = sha256(convert_to(encode(
        sha256(k.outer_pad || sha256(k.inner_pad || convert_to(substr(c.signed, 65), 'UTF8'))), 'hex'), 'UTF8'))
      THEN CASE
        WHEN abs(date_part('epoch', now()) - substr(c.signed, 65, 10)::float8) <= 30 THEN true
        ELSE auth.refuse_context()
      END
    END;
  COMMENT ON VIEW auth.context IS
    'The signed context of the transaction: one row, or none without a signature by a key of this login.';
  GRANT SELECT ON auth.context TO
    gigvault_app, gigvault_auth, gigvault_worker, gigvault_admin, gigvault_monitor, gigvault_auditor;
  ALTER VIEW auth.context OWNER TO gigvault_definer;
  -- The owner's own rights pass to the new owner. gigvault_owner needs this one for views that read the context.
  SET LOCAL ROLE gigvault_definer;
  GRANT SELECT ON auth.context TO gigvault_owner;
  SET LOCAL ROLE gigvault_owner;
`;

/**
 * What the policies of the system roles and of gigvault_definer and gigvault_auditor ask: EXISTS (SELECT FROM
 * auth.signed_session). session_user is the login inside a SECURITY DEFINER function too, so a function of one login
 * shows no row with the key of another. A superuser needs no signature, because row security does not bind them:
 * pg_restore fills a materialized view as its owner.
 */
const SIGNED_SESSION = `
  CREATE VIEW auth.signed_session WITH (security_barrier) AS
  SELECT true AS is_signed FROM auth.context
  UNION ALL
  SELECT true FROM pg_catalog.pg_roles WHERE rolname = session_user AND rolsuper;
  COMMENT ON VIEW auth.signed_session IS
    'One row when the context is signed by a key of this login, or when a superuser has signed in; otherwise none.';
  GRANT SELECT ON auth.signed_session TO
    gigvault_auth, gigvault_worker, gigvault_admin, gigvault_monitor, gigvault_auditor;
  ALTER VIEW auth.signed_session OWNER TO gigvault_definer;
  SET LOCAL ROLE gigvault_definer;
  GRANT SELECT ON auth.signed_session TO gigvault_owner;
  SET LOCAL ROLE gigvault_owner;
`;
