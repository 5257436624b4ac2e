--
-- merge_nodes: the servers that merge one another's rows, and what each has seen
--

-- A merged table as any other, made here rather than by enable_merge: what the nodes
-- say of themselves travels behind the rows of which they say it. A node that was
-- forgotten is, also if it says something at the same time: its name is in the companion,
-- for good. The functions below write them, whoever calls.
--
-- Not dumped as configuration: a copy that is restored has not seen what its original
-- has, and to load the rows would count as writing them here.
CREATE TABLE merge_nodes (
	node text COLLATE "C" PRIMARY KEY CHECK (pg_catalog.octet_length(node) OPERATOR(pg_catalog.>=) 1 AND pg_catalog.octet_length(node) OPERATOR(pg_catalog.<=) 255),
	seen vclock NOT NULL DEFAULT '{}'
) WITH (fillfactor = 50);
COMMENT ON TABLE merge_nodes IS 'servers that merge one another''s rows, and up to which time of each other''s they have all of them';
GRANT SELECT ON merge_nodes TO PUBLIC;

-- @include merge_nodes_form

-- The names that this server has had. One's next horizon is noted until all transactions
-- that may have a time up to it have ended, and which ones have been told, by starts of
-- the server: when one was, the first, the last. If others have heard of another one,
-- that is noted as well, and where the server's files are. Neither published nor dumped: transactions
-- are those of this server.
CREATE TABLE merge_local_nodes (
	node text COLLATE "C" PRIMARY KEY,
	horizon bigint,
	until xid8,
	retired boolean NOT NULL DEFAULT false,
	told bigint[],
	claimed bigint,
	home bigint
) WITH (fillfactor = 50);
COMMENT ON TABLE merge_local_nodes IS 'names that this server has had, and what is to be acknowledged when all transactions before a number have ended';
GRANT SELECT ON merge_local_nodes TO PUBLIC;

-- What each of this server's subscriptions has brought of what the nodes tell. Neither
-- published nor dumped.
CREATE TABLE merge_local_links (
	subscription oid,
	node text COLLATE "C",
	horizon bigint NOT NULL,
	PRIMARY KEY (subscription, node)
) WITH (fillfactor = 50);
COMMENT ON TABLE merge_local_links IS 'up to which time each subscription of this server has brought all rows of each node';
GRANT SELECT ON merge_local_links TO PUBLIC;

-- All that is kept of rows that were purged: new ones do not use their dots and times. Of the
-- tables of this database, so neither published nor dumped.
CREATE TABLE merge_local_purged (
	table_oid oid PRIMARY KEY,
	last_dot bigint NOT NULL,
	last_time bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
COMMENT ON TABLE merge_local_purged IS 'the greatest dot, and the last time of this node, in rows of a merged table that were purged';
GRANT SELECT ON merge_local_purged TO PUBLIC;

CREATE FUNCTION acknowledge_removals() RETURNS vclock
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION acknowledge_removals() IS 'tell all servers up to which times this one has seen all rows';

CREATE FUNCTION stable_removals() RETURNS vclock
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION stable_removals() IS 'up to which times all servers have seen all rows';

CREATE FUNCTION forget_node(node text) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION forget_node(text) IS 'do not wait for a server that is gone for good';

CREATE FUNCTION new_incarnation(forget boolean DEFAULT false) RETURNS text
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION new_incarnation(boolean) IS 'give this server a new node name, where it is a copy of one that has had the name; the new name';

-- What these say is told to all servers, and believed: for the role that creates the
-- extension, and those to whom it grants them.
REVOKE ALL ON FUNCTION acknowledge_removals(), forget_node(text), new_incarnation(boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION acknowledge_removals(), forget_node(text), new_incarnation(boolean) TO @extowner@ WITH GRANT OPTION;
