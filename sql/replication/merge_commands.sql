CREATE FUNCTION merge_subscription_commands(peers jsonb, topology text DEFAULT 'mesh', publication name DEFAULT 'merge', center text DEFAULT NULL, joining text DEFAULT NULL, leaving text DEFAULT NULL)
RETURNS TABLE (step integer, node text, command text, remark text)
AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL UNSAFE ROWS 20;
COMMENT ON FUNCTION merge_subscription_commands(jsonb, text, name, text, text, text) IS 'the commands, in order, by which servers come to merge one another''s rows, or one leaves';

CREATE FUNCTION merge_copy_wait(subscription name, patience interval DEFAULT '10 min') RETURNS integer
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION merge_copy_wait(name, interval) IS 'wait until a subscription has copied its tables; an error if there is no progress for a time';
