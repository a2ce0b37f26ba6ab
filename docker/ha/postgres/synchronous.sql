-- Run it at the primary, with psql as the superuser, once a replica streams. docs: ../postgres.md
-- COMMIT waits until a replica has the change on its disk. Without any replica writes wait, so nothing that was
-- acknowledged is lost. A promoted server has no replica yet: run ALTER SYSTEM RESET there.
ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (*)';
SELECT pg_reload_conf();
