
--
-- causal_log: writing logs of events and their clocks
--

CREATE FUNCTION causal_log_stamp() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION causal_log_stamp() IS 'trigger: number and stamp the events that plain inserts bring';

CREATE FUNCTION create_causal_log(name text) RETURNS regclass
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION create_causal_log(text) IS 'create a table for the events of several nodes and their clocks';

-- Not strict: there are events without a content, and most receive nothing.
CREATE FUNCTION log_event(log regclass, event jsonb, received vclock DEFAULT NULL, node text DEFAULT local_node()) RETURNS vclock
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION log_event(regclass, jsonb, vclock, text) IS 'append an event to a causal log; its clock, to be sent along with messages';
