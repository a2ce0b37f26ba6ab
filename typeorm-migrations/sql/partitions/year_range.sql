-- Not called since partitions are built for gaps of a year.
CREATE FUNCTION app.year_range(key text, year integer) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog
    AS $$ SELECT format('%I >= %L AND %1$I < %3$L', key, make_date(year, 1, 1), make_date(year + 1, 1, 1)) $$;
