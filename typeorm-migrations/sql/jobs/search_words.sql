-- Stored texts and queries both go through this function before PostgreSQL's parser. That parser reads `React/Node.js`
-- as a path and `Node.js` as a host, drops the signs of `C++` and `C#`, and takes a sentence without spaces for one
-- word. The steps, in order:
-- 0. Zero-width characters (soft hyphens, joiners) and the vowel signs of Hebrew and Arabic are removed.
-- 1. A symbol that NFKC turns into letters or digits (™, ², №, ①) is separated from its neighbours.
-- 2. Compatibility forms (full width, mathematical letters) and accents are folded.
-- 3. Scripts without spaces become one word for each character, so that a phrase search finds any part of them.
-- 4. `C#`, `C++` and `A+` become words, as do these signs after any single letter; other signs separate words.
-- 5. `NodeJS` becomes `node js`, as do `Node.js` and `node js`.
--
-- lower() and unaccent() are only as immutable as the database's locale and dictionary, which never change here.
-- unaccent() is declared STABLE because its dictionary could be swapped; a generated column needs an IMMUTABLE
-- function.
CREATE FUNCTION app.search_words(given text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog
    AS $$
    DECLARE
      words text := coalesce(given, '');
    BEGIN
      IF octet_length(words) > char_length(words) THEN
        words := regexp_replace(words, '[\u00ad\u034f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a'
          '\u0640\u064b-\u065f\u0670\u200d\u2060\ufeff]', '', 'g');
        words := translate(words, '♯', '#');
        words := regexp_replace(words, '([\u00a9\u00aa\u00ae\u00b2\u00b3\u00b9\u00ba\u00bc-\u00be\u2070-\u209f'
          '\u20a0-\u20cf\u2100-\u218f\u2460-\u24ff\u3200-\u33ff])', ' \1 ', 'g');
        words := public.unaccent('public.unaccent', normalize(words, NFKC));
        words := regexp_replace(words, '([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff'
          '\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff])', ' \1 ', 'g');
      END IF;
      words := lower(words);
      IF strpos(words, '#') > 0 OR strpos(words, '+') > 0 THEN
        words := regexp_replace(words, '\m([a-z])#', '\1sharp ', 'g');
        words := regexp_replace(words, '\m([a-z])\+\+', '\1pp ', 'g');
        words := regexp_replace(words, '\m([a-z])\+(?![a-z0-9])', '\1plus ', 'g');
      END IF;
      words := translate(words, './\-_:@&<>+#~', '             ');
      RETURN regexp_replace(words, '\m([a-z0-9]{2,})js\M', '\1 js', 'g');
    END $$;
COMMENT ON FUNCTION app.search_words(text) IS
  'Normalizes a text to words in lower case without accents, for stored texts and for queries.';
GRANT EXECUTE ON FUNCTION app.search_words(text) TO gigvault_app, gigvault_worker, gigvault_admin, gigvault_definer;
