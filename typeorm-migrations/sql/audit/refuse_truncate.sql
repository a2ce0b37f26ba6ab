CREATE FUNCTION audit.refuse_truncate() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog
    AS $$
    BEGIN
      RAISE EXCEPTION 'TRUNCATE of % would leave no trace in audit_logs; use DELETE', TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
    END $$;
