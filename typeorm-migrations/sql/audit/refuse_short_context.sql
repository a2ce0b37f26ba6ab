-- A read's context names no request. A write with it would leave an audit row without address and operation.
CREATE FUNCTION audit.refuse_short_context() RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    AS $$
    BEGIN
      RAISE EXCEPTION 'a statement that was taken for a read changes an audited table' USING ERRCODE = 'GV002';
    END $$;
COMMENT ON FUNCTION audit.refuse_short_context() IS 'Raises the error for a write in the context of a read.';
GRANT EXECUTE ON FUNCTION audit.refuse_short_context() TO gigvault_auditor;
