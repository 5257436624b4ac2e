
--
-- lamport: Lamport timestamps
--

-- @include io T=lamport

CREATE TYPE lamport (
	INPUT = lamport_in, OUTPUT = lamport_out, RECEIVE = lamport_recv, SEND = lamport_send,
	LIKE = bigint, CATEGORY = 'L'
);
COMMENT ON TYPE lamport IS 'Lamport timestamp: 0 to 2^63-1';

-- @include order T=lamport C=lamport LT=< LE=<= GE=>= GT=> LEAK=LEAKPROOF
-- @include scalar T=lamport

CREATE FUNCTION lamport(bigint) RETURNS lamport
AS 'MODULE_PATHNAME', 'lamport_from_bigint' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION lamport(bigint) IS 'convert bigint to lamport';

-- for constants, which are integers
CREATE FUNCTION lamport(integer) RETURNS lamport
AS 'MODULE_PATHNAME', 'lamport_from_integer' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION lamport(integer) IS 'convert integer to lamport';

CREATE CAST (bigint AS lamport) WITH FUNCTION lamport(bigint) AS ASSIGNMENT;
CREATE CAST (integer AS lamport) WITH FUNCTION lamport(integer) AS ASSIGNMENT;
CREATE CAST (lamport AS bigint) WITHOUT FUNCTION AS ASSIGNMENT;
COMMENT ON CAST (bigint AS lamport) IS 'the counter, which must not be negative';
COMMENT ON CAST (integer AS lamport) IS 'the counter, which must not be negative';
COMMENT ON CAST (lamport AS bigint) IS 'the counter';

CREATE FUNCTION tick(clock lamport) RETURNS lamport
AS 'MODULE_PATHNAME', 'lamport_tick' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION tick(lamport) IS 'the timestamp of the next event';

CREATE FUNCTION receive(local lamport, remote lamport) RETURNS lamport
AS 'MODULE_PATHNAME', 'lamport_receive' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION receive(lamport, lamport) IS 'the timestamp of receiving a message: greater than both';
