
--
-- live_clock: the hybrid logical clock of this server
--

CREATE FUNCTION hlc_now() RETURNS hlc
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hlc_now() IS 'a timestamp later than all that this server has given or received';

CREATE FUNCTION hlc_receive(remote hlc) RETURNS hlc
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hlc_receive(hlc) IS 'the timestamp of receiving a message: later than it and than all of this server';

CREATE FUNCTION hlc_status(OUT last_time hlc, OUT wall_clock timestamptz, OUT clock_offset interval,
	OUT max_clock_offset interval, OUT refusals bigint, OUT shared boolean) RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION hlc_status() IS 'how the clock of this server stands';
