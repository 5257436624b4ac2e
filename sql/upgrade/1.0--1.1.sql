--
-- From 1.0 to 1.1
--
-- Merged tables of 1.0 stay as they are until enable_merge is called for them again; until
-- then they take no writes.

-- a new type: is a row of a replicated table there, and who wrote which of its columns when
-- @fragment replication/row_stamp

-- triggers of merged tables
CREATE FUNCTION merge_after() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION merge_after() IS 'trigger of merged tables: keep what is to be known of rows that were deleted, and take it up where one is inserted again';
CREATE FUNCTION merge_removed() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION merge_removed() IS 'trigger of companions of merged tables: merge what arrives there into the table, and let nobody else write';
CREATE FUNCTION is_merged(stamp row_stamp) RETURNS boolean
AS 'MODULE_PATHNAME', 'merge_row_is_merged' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION is_merged(row_stamp) IS 'true, or an error if a row has arrived and was not merged';
COMMENT ON FUNCTION is_present(ew_flag) IS 'is a row of a merged table of version 1.0 there, or was it removed?';
COMMENT ON FUNCTION merge_live_delete() IS 'of version 1.0, which had views of merged tables: an error';

-- merge_nodes: removed names go to a companion. What its owner may have put there is not
-- to run now, in our name: the function looks first, and fires nothing.
DROP TRIGGER "~merge_row" ON merge_nodes;
DROP TRIGGER "~merge_truncate" ON merge_nodes;
-- @include merge_nodes_form
CREATE FUNCTION merge_nodes_convert() RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT;
ALTER TABLE merge_local_nodes ADD COLUMN told bigint[], ADD COLUMN claimed bigint, ADD COLUMN home bigint;
ALTER TABLE merge_local_purged ADD COLUMN last_time bigint NOT NULL DEFAULT 0;
COMMENT ON TABLE merge_local_purged IS 'the greatest dot, and the last time of this node, in rows of a merged table that were purged';
SELECT merge_nodes_convert();
DROP FUNCTION merge_nodes_convert();
ALTER TABLE merge_nodes DROP COLUMN _merge_presence;

-- other arguments and results
DROP FUNCTION enable_merge(regclass, text, text);
CREATE FUNCTION enable_merge("table" regclass, plain_columns text DEFAULT 'lww', concurrent_update text DEFAULT 'keep', prune boolean DEFAULT false) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION enable_merge(regclass, text, text, boolean) IS 'from now on, merge rows of a table that arrive by logical replication';
DROP FUNCTION merge_status();
-- @fragment replication/merge_status


-- how servers are linked: commands for a server that leaves, too, and a wait for copies that ends
DROP FUNCTION merge_subscription_commands(jsonb, text, name, text, text);
-- @fragment replication/merge_commands
