
-- What every lattice of a handful of states has: the meet, what to ask of a
-- state, casts to and from text.

CREATE FUNCTION meet(@T@, @T@) RETURNS @T@
AS 'MODULE_PATHNAME', '@T@_meet' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meet(@T@, @T@) IS 'the greatest state that both include';

CREATE AGGREGATE meet(@T@) (
	SFUNC = meet, STYPE = @T@, COMBINEFUNC = meet, PARALLEL = SAFE
);
COMMENT ON AGGREGATE meet(@T@) IS 'the greatest state that all include; null if there are none';

CREATE OPERATOR & (
	LEFTARG = @T@, RIGHTARG = @T@, FUNCTION = meet, COMMUTATOR = &
);
COMMENT ON OPERATOR & (@T@, @T@) IS 'meet: the greatest state that both include';

CREATE FUNCTION is_terminal(state @T@) RETURNS boolean
AS 'MODULE_PATHNAME', '@T@_is_terminal' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION is_terminal(@T@) IS 'is there nothing beyond, except a contradiction?';

CREATE FUNCTION is_conflict(state @T@) RETURNS boolean
AS 'MODULE_PATHNAME', '@T@_is_conflict' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION is_conflict(@T@) IS 'do reports contradict each other?';

-- By default text would have to be cast explicitly; this way what a queue or a
-- staging table holds as text can be inserted as it is.
CREATE CAST (@T@ AS text) WITH INOUT AS ASSIGNMENT;
CREATE CAST (text AS @T@) WITH INOUT AS ASSIGNMENT;
COMMENT ON CAST (@T@ AS text) IS 'the name of the state';
COMMENT ON CAST (text AS @T@) IS 'the state of that name';
