CREATE FUNCTION app.network_of(address inet) RETURNS cidr
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT network(set_masklen(address, CASE family(address) WHEN 4 THEN 16 ELSE 32 END)) $$;
COMMENT ON FUNCTION app.network_of(inet) IS
  'The /16 of an IPv4 and the /32 of an IPv6 address: beyond it another address counts as far.';
GRANT EXECUTE ON FUNCTION app.network_of(inet) TO gigvault_definer;
