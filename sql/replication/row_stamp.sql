--
-- row_stamp: is a row of a replicated table there, and who wrote which of its columns when
--

-- @include io T=row_stamp

CREATE TYPE row_stamp (
	INPUT = row_stamp_in, OUTPUT = row_stamp_out, RECEIVE = row_stamp_recv, SEND = row_stamp_send,
	INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = main
);
COMMENT ON TYPE row_stamp IS 'is a row of a replicated table there, and when and by whom was which of its columns written last';

-- @include order T=row_stamp C=row_stamp LT=#<# LE=#<=# GE=#>=# GT=#># LEAK=
-- @include lattice T=row_stamp C=row_stamp SPACE=2048
-- @include json T=row_stamp

-- asking

CREATE FUNCTION is_present(stamp row_stamp) RETURNS boolean
AS 'MODULE_PATHNAME', 'row_stamp_is_present' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION is_present(row_stamp) IS 'is the row there, or was it removed?';

CREATE FUNCTION context(stamp row_stamp) RETURNS vclock
AS 'MODULE_PATHNAME', 'row_stamp_get_context' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION context(row_stamp) IS 'what has been seen of the row: of each node all dots up to this one';

CREATE FUNCTION stamp(stamp row_stamp, column_name text) RETURNS hlc
AS 'MODULE_PATHNAME', 'row_stamp_stamp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION stamp(row_stamp, text) IS 'when a column was written last; null if it never was';

CREATE FUNCTION node(stamp row_stamp, column_name text) RETURNS text
AS 'MODULE_PATHNAME', 'row_stamp_node' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION node(row_stamp, text) IS 'which node wrote a column last; null if none did';

-- from version 1.0

CREATE FUNCTION row_stamp(presence ew_flag, stamps lww_map) RETURNS row_stamp
AS 'MODULE_PATHNAME', 'row_stamp_from_columns' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION row_stamp(ew_flag, lww_map) IS 'what the two hidden columns of a merged table of version 1.0 say of a row';
