/**
 * Queries that return one row `problem` for each login that differs from docker/postgres/bootstrap.sql: somebody may
 * have changed it with its own password. bootstrap.sql repeats the settings of a login in its comment, which only a
 * superuser can change. It corrects all of these.
 */
export const LOGIN_CHECKS: readonly string[] = [
  `SELECT format('login %s has other settings than it should (%s): run docker/postgres/bootstrap.sql', name,
     string_agg(split_part(line, '=', 1), ', ' ORDER BY line)) AS problem
   FROM (
     SELECT r.rolname AS name, s.line
     FROM pg_roles r, LATERAL (
       SELECT unnest(d.setconfig) AS line FROM pg_db_role_setting d
       WHERE d.setrole = r.oid
         AND d.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
     ) AS s
     WHERE r.rolcanlogin AND r.rolname LIKE 'gigvault\\_%'
     EXCEPT ALL
     SELECT r.rolname, unnest(string_to_array(shobj_description(r.oid, 'pg_authid'), E'\\n')) FROM pg_roles r
   ) AS added GROUP BY name`,
  `SELECT format('login %s lacks settings (%s): run docker/postgres/bootstrap.sql', name,
     string_agg(split_part(line, '=', 1), ', ' ORDER BY line)) AS problem
   FROM (
     SELECT r.rolname AS name, unnest(string_to_array(shobj_description(r.oid, 'pg_authid'), E'\\n')) AS line
     FROM pg_roles r WHERE r.rolcanlogin AND r.rolname LIKE 'gigvault\\_%'
     EXCEPT ALL
     SELECT r.rolname, unnest(d.setconfig)
     FROM pg_roles r JOIN pg_db_role_setting d ON d.setrole = r.oid AND d.setdatabase = 0
   ) AS missing GROUP BY name`,
  `SELECT format('%s may call %s: run docker/postgres/bootstrap.sql', current_user, min(p.oid::regprocedure::text))
     AS problem
   FROM pg_proc p
   WHERE p.pronamespace = 'pg_catalog'::regnamespace
     AND p.proname ~ '^(lo_.+|loread|lowrite|pg_(try_)?advisory_lock(_shared)?)$'
     AND has_function_privilege(p.oid, 'EXECUTE')
   HAVING count(*) > 0`,
];
