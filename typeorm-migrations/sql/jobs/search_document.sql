-- The configuration 'simple' does not stem, because jobs mix languages and product names.
CREATE FUNCTION app.search_document(title text, skills text[], description text) RETURNS tsvector
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog
    AS $$
    BEGIN
      RETURN setweight(to_tsvector('simple', app.search_words(title)), 'A')
          || setweight(to_tsvector('simple', app.search_words(array_to_string(coalesce(skills, '{}'), ' '))), 'B')
          || setweight(to_tsvector('simple', app.search_words(description)), 'C');
    END $$;
GRANT EXECUTE ON FUNCTION app.search_document(text, text[], text) TO
  gigvault_app, gigvault_worker, gigvault_admin, gigvault_definer;
