
--
-- named_clock: clocks that all sessions of a database share
--

-- Written by the functions below only. A clock is updated in place, on its page.
-- Operators are named in full: those of the schema we are in are not to be trusted.
CREATE TABLE named_clocks (
	name text PRIMARY KEY CHECK (name OPERATOR(pg_catalog.<>) ''),
	kind logical_clock_kind NOT NULL,
	node text,
	now logical_time NOT NULL CHECK (kind(now) OPERATOR(pg_catalog.=) kind),
	owner regrole NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE named_clocks IS 'clocks made by create_clock';
GRANT SELECT ON named_clocks TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('named_clocks', '');

CREATE FUNCTION create_clock(name text, kind logical_clock_kind, node text DEFAULT NULL) RETURNS logical_time
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION create_clock(text, logical_clock_kind, text) IS 'make a clock that all sessions share; its time';

CREATE FUNCTION drop_clock(name text) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION drop_clock(text) IS 'remove a clock that create_clock made';

CREATE FUNCTION clock_tick(name text) RETURNS logical_time
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION clock_tick(text) IS 'the time of the next event by a clock';

CREATE FUNCTION clock_receive(name text, remote logical_time) RETURNS logical_time
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION clock_receive(text, logical_time) IS 'the time of receiving a message by a clock: merge, then tick';

CREATE FUNCTION clock_now(name text) RETURNS logical_time
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION clock_now(text) IS 'the time of the last event by a clock';
