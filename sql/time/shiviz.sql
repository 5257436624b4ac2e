
--
-- shiviz: logs in the form of ShiViz
--

CREATE FUNCTION shiviz_events(log text, regex text DEFAULT NULL)
RETURNS TABLE (origin text, seq bigint, clock vclock, event text, line integer)
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION shiviz_events(text, text) IS 'events of a log in ShiViz''s form, or in that of a regular expression';

CREATE FUNCTION to_shiviz(log regclass) RETURNS text
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 1000;
COMMENT ON FUNCTION to_shiviz(regclass) IS 'a causal log in ShiViz''s form, causes before effects';
