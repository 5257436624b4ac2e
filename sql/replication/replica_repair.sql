
--
-- replica_repair: what differs between replicas, and sending it again
--

-- Not strict: a bound that is left out is none.
CREATE FUNCTION compare_replicas("table" regclass, ranges integer DEFAULT 1, from_key jsonb DEFAULT NULL, to_key jsonb DEFAULT NULL)
RETURNS TABLE (range integer, first_key jsonb, last_key jsonb, rows bigint, digest text)
AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL UNSAFE COST 10000 ROWS 10;
COMMENT ON FUNCTION compare_replicas(regclass, integer, jsonb, jsonb) IS 'digest of the rows of a table, by ranges of its key, to be compared with that of another server';

CREATE FUNCTION resync("table" regclass, from_key jsonb DEFAULT NULL, to_key jsonb DEFAULT NULL) RETURNS bigint
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000;
COMMENT ON FUNCTION resync(regclass, jsonb, jsonb) IS 'send the rows of a merged table again, so that all peers merge them; how many';
