CREATE FUNCTION app.network_of(address inet) RETURNS cidr
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT network(set_masklen(address, CASE family(address) WHEN 4 THEN 16 ELSE 32 END)) $$;
COMMENT ON FUNCTION app.network_of(inet) IS
  'Returns the network of an address, /16 for IPv4 and /32 for IPv6. Addresses of two networks count as far apart.';
GRANT EXECUTE ON FUNCTION app.network_of(inet) TO gigvault_definer;
