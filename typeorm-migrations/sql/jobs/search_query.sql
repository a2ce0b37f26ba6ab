-- websearch_to_tsquery() parses the operators. Words reach it normalized and quoted: `node.js` is the phrase "node js",
-- and a word never becomes an operator by accident.
CREATE FUNCTION app.search_query(question text) RETURNS tsquery
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog
    AS $$
    BEGIN
      RETURN websearch_to_tsquery('simple', (
        SELECT coalesce(string_agg(CASE WHEN part[1] = '' AND lower(part[3]) = 'or' THEN 'or'
            ELSE left(part[1], 1) || '"' || words || '"' END, ' ' ORDER BY place), '')
        FROM regexp_matches(translate(question, '“”„', '"""'), '(-*)(?:"([^"]*)"|([^\s"]+))', 'g')
            WITH ORDINALITY AS found (part, place),
          LATERAL app.search_words(coalesce(part[2], part[3])) AS words
        WHERE words ~ '\w'));
    END $$;
COMMENT ON FUNCTION app.search_query(text) IS 'Parses web search syntax (words, "phrases", or, -not) for jobs.search.';
GRANT EXECUTE ON FUNCTION app.search_query(text) TO gigvault_app, gigvault_worker, gigvault_admin, gigvault_definer;
