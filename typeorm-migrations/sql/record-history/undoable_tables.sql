-- Accounts, sessions, tokens, factors and keys are never undone, nor is what happened outside: AI calls, and messages
-- that Upwork has. A budget is not deleted, because its row counts what was spent. A foreign key sets job_id and
-- proposal_id to NULL when a request deletes the row they name.
CREATE FUNCTION app.undoable_tables() RETURNS TABLE (table_name text, columns text[])
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
      VALUES ('jobs', NULL::text[]), ('proposals', NULL), ('letter_versions', NULL), ('templates', NULL),
        ('saved_searches', NULL), ('profiles', NULL), ('webhooks', NULL), ('ai_budgets', '{daily_usd,monthly_usd}'),
        ('messages', '{is_read,read_at,job_id}'), ('conversations', '{job_id,proposal_id}')
    $$;
COMMENT ON FUNCTION app.undoable_tables() IS
  'Returns the tables whose changes can be undone. With columns, only updates of these columns can.';
GRANT EXECUTE ON FUNCTION app.undoable_tables() TO gigvault_app;
