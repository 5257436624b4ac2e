
--
-- causal_graph: questions to causal logs
--

-- A worker cannot read a log that is a temporary table: restricted to the leader.

CREATE FUNCTION causal_past(log regclass, of_clock vclock,
	OUT origin text, OUT seq bigint, OUT clock vclock, OUT at hlc, OUT event jsonb) RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 1000;
CREATE FUNCTION causal_past(log regclass, of_origin text, of_seq bigint,
	OUT origin text, OUT seq bigint, OUT clock vclock, OUT at hlc, OUT event jsonb) RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 1000;
COMMENT ON FUNCTION causal_past(regclass, vclock) IS 'the events before a clock, causes first';
COMMENT ON FUNCTION causal_past(regclass, text, bigint) IS 'the events before an event, causes first';

CREATE FUNCTION causal_future(log regclass, of_clock vclock,
	OUT origin text, OUT seq bigint, OUT clock vclock, OUT at hlc, OUT event jsonb) RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 1000;
CREATE FUNCTION causal_future(log regclass, of_origin text, of_seq bigint,
	OUT origin text, OUT seq bigint, OUT clock vclock, OUT at hlc, OUT event jsonb) RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 1000;
COMMENT ON FUNCTION causal_future(regclass, vclock) IS 'the events after a clock, causes first';
COMMENT ON FUNCTION causal_future(regclass, text, bigint) IS 'the events after an event, causes first';

CREATE FUNCTION concurrent_with(log regclass, of_clock vclock,
	OUT origin text, OUT seq bigint, OUT clock vclock, OUT at hlc, OUT event jsonb) RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 1000;
CREATE FUNCTION concurrent_with(log regclass, of_origin text, of_seq bigint,
	OUT origin text, OUT seq bigint, OUT clock vclock, OUT at hlc, OUT event jsonb) RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 1000;
COMMENT ON FUNCTION concurrent_with(regclass, vclock) IS 'the events neither before nor after a clock';
COMMENT ON FUNCTION concurrent_with(regclass, text, bigint) IS 'the events neither before nor after an event';

CREATE FUNCTION causal_parents(log regclass, of_origin text, of_seq bigint,
	OUT origin text, OUT seq bigint, OUT clock vclock, OUT at hlc, OUT event jsonb) RETURNS SETOF record
AS 'MODULE_PATHNAME', 'causal_parents_of' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 1000 ROWS 5;
COMMENT ON FUNCTION causal_parents(regclass, text, bigint) IS 'the direct causes of an event';

CREATE FUNCTION causal_parents(log regclass,
	OUT origin text, OUT seq bigint, OUT parent_origin text, OUT parent_seq bigint) RETURNS SETOF record
AS 'MODULE_PATHNAME', 'causal_parents_all' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 10000;
COMMENT ON FUNCTION causal_parents(regclass) IS 'every event with each of its direct causes: the transitive reduction';

CREATE FUNCTION causal_depth(log regclass, of_origin text, of_seq bigint) RETURNS bigint
AS 'MODULE_PATHNAME', 'causal_depth_of' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 1000;
COMMENT ON FUNCTION causal_depth(regclass, text, bigint) IS 'length of the longest chain of causes that ends with an event';

CREATE FUNCTION causal_depth(log regclass, OUT origin text, OUT seq bigint, OUT depth bigint) RETURNS SETOF record
AS 'MODULE_PATHNAME', 'causal_depth_all' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 10000;
COMMENT ON FUNCTION causal_depth(regclass) IS 'every event with the length of the longest chain of causes that ends with it';

CREATE FUNCTION frontier(log regclass,
	OUT origin text, OUT seq bigint, OUT clock vclock, OUT at hlc, OUT event jsonb) RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 1000 ROWS 10;
COMMENT ON FUNCTION frontier(regclass) IS 'the events after which nothing happened';

CREATE FUNCTION is_consistent_cut(log regclass, cut vclock) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 1000;
COMMENT ON FUNCTION is_consistent_cut(regclass, vclock) IS 'are the causes of all events that the cut counts in the cut, too?';

-- The key may call anything, also what is not safe in parallel plans.
CREATE FUNCTION races(log regclass, key_expression text,
	OUT key text, OUT a_origin text, OUT a_seq bigint, OUT b_origin text, OUT b_seq bigint) RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL UNSAFE COST 10000;
COMMENT ON FUNCTION races(regclass, text) IS 'pairs of concurrent events for which an SQL expression gives the same key';
