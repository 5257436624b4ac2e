-- What every type whose text is JSON has: casts to and from jsonb, and to json.

CREATE FUNCTION @T@_from_jsonb(jsonb) RETURNS @T@
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION @T@_to_jsonb(@T@) RETURNS jsonb
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION @T@_to_json(@T@) RETURNS json
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION @T@_from_jsonb(jsonb) IS 'convert jsonb to @T@';
COMMENT ON FUNCTION @T@_to_jsonb(@T@) IS 'convert @T@ to jsonb';
COMMENT ON FUNCTION @T@_to_json(@T@) IS 'convert @T@ to json';

CREATE CAST (jsonb AS @T@) WITH FUNCTION @T@_from_jsonb(jsonb);
CREATE CAST (@T@ AS jsonb) WITH FUNCTION @T@_to_jsonb(@T@) AS ASSIGNMENT;
CREATE CAST (@T@ AS json) WITH FUNCTION @T@_to_json(@T@) AS ASSIGNMENT;
COMMENT ON CAST (jsonb AS @T@) IS 'read the JSON form of @T@';
COMMENT ON CAST (@T@ AS jsonb) IS 'the JSON form of @T@';
COMMENT ON CAST (@T@ AS json) IS 'the JSON form of @T@';
