--
-- span_recording: spans from SQL, and what attributes may hold
--

CREATE FUNCTION clean_attributes(attributes jsonb) RETURNS jsonb
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clean_attributes(jsonb) IS 'attributes as a store keeps them: without secrets, control bytes, great length or number';
