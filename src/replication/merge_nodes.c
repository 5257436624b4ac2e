/*
 * merge_nodes.c
 *		The servers that merge one another's rows, and what each has seen.
 *
 * A row that is removed must stay until every server has seen that, and has sent
 * all that it did to the row before.  So each tells the others up to which times
 * it has their rows: the table merge_nodes has a row for each server, with its
 * vector clock "seen", which counts nanoseconds.  It is a merged table in every
 * publication, and so an acknowledgement comes the way of the rows that it is
 * about, behind them, and behind all that its sender wrote before it.  That is
 * what makes the meet of all these clocks a line behind which nothing is under
 * way any more; an acknowledgement sent by any other way would prove nothing of
 * what is still in the pipe.
 *
 * What a server has seen of its own rows is not all up to now: transactions that
 * have stamped rows may still be running.  As they have a number (xid) before
 * they take a time, it does so in two steps.  It notes a time T of the clock, and
 * after that the next number X: whoever may have a time up to T has a number less
 * than X.  When all numbers below X have ended, T is its horizon.  A pair (T, X)
 * stays noted until then, in merge_local_nodes: to replace it by a later one each
 * time might never find one that is over.
 *
 * What it has seen of another server it has from that one's row: its horizon,
 * which came behind the rows.  It must have come by all of this server's
 * subscriptions.  By one that lags behind, as its link is cut, there will come
 * what its publisher wrote when it had not heard of a removal; that this server
 * has heard of it by another way does not help, if it has purged the row when
 * that one comes.
 *
 * Where two servers write under one name, as one and its copy, each takes the
 * other's rows for what it has seen and dropped.  So the copy makes up a new name,
 * and the old one is retired: there, since the original may go on under it; or,
 * by removing its row, everywhere.
 */
#include "core/compat.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/dbcommands.h"
#include "core/node_name.h"
#include "core/node_table.h"
#include "core/query.h"
#include "core/shared_clock.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "replication/merge_nodes.h"
#include "replication/merge_presence.h"
#include "replication/worker_internal.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/xid8.h"

/* The columns of merge_nodes, and those of merge_local_nodes. */
enum
{
	NODES_NODE = 1,
	NODES_SEEN,
	NODES_PRESENCE
};

enum
{
	LOCAL_NODE = 1,
	LOCAL_HORIZON,
	LOCAL_UNTIL,
	LOCAL_RETIRED
};

/* A walk along the rows of one of them. */
typedef struct NodesScan
{
	Relation table;
	Snapshot snapshot;
	TableScanDesc scan;
	TupleTableSlot *row;
} NodesScan;

/* The tables' owner need not be one whom C code believes anything. */
static void
nodes_scan_altered(Relation table, int column)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("table \"%s\" has been altered", RelationGetRelationName(table)),
			 errdetail("Its column %d is null, or has another type.", column)));
}

static void
nodes_scan_check(Relation table, int column, Oid type)
{
	TupleDesc desc = RelationGetDescr(table);

	if (desc->natts < column || TupleDescAttr(desc, column - 1)->atttypid != type)
		nodes_scan_altered(table, column);
}

static void
nodes_scan_begin(NodesScan *scan, Oid table, Snapshot snapshot)
{
	scan->table = table_open(table, AccessShareLock);
	scan->snapshot = RegisterSnapshot(snapshot);
	scan->scan = table_beginscan(scan->table, scan->snapshot, 0, NULL);
	scan->row = table_slot_create(scan->table, NULL);
}

static void
nodes_scan_begin_nodes(NodesScan *scan, Oid extension, Snapshot snapshot)
{
	nodes_scan_begin(scan, extension_table(extension, "merge_nodes"), snapshot);
	nodes_scan_check(scan->table, NODES_NODE, TEXTOID);
	nodes_scan_check(scan->table, NODES_SEEN, extension_type(extension, "vclock"));
	nodes_scan_check(scan->table, NODES_PRESENCE, extension_type(extension, "ew_flag"));
}

static void
nodes_scan_begin_local(NodesScan *scan, Oid extension, Snapshot snapshot)
{
	nodes_scan_begin(scan, extension_table(extension, "merge_local_nodes"), snapshot);
	nodes_scan_check(scan->table, LOCAL_NODE, TEXTOID);
	nodes_scan_check(scan->table, LOCAL_RETIRED, BOOLOID);
}

/* Step to the next row; false at the end. */
static bool
nodes_scan_next(NodesScan *scan)
{
	return table_scan_getnextslot(scan->scan, ForwardScanDirection, scan->row);
}

/* One of the row's columns that were checked. */
static Datum
nodes_scan_get(NodesScan *scan, int column)
{
	bool isnull;
	Datum value = slot_getattr(scan->row, column, &isnull);

	if (isnull)
		nodes_scan_altered(scan->table, column);
	return value;
}

static bool
nodes_scan_present(NodesScan *scan)
{
	return !merge_presence_removed(nodes_scan_get(scan, NODES_PRESENCE));
}

/* Step to the row of a node, whose name is the first column; false if there is none. */
static bool
nodes_scan_find(NodesScan *scan, const char *node)
{
	Size length = strlen(node);

	while (nodes_scan_next(scan))
	{
		text *name = DatumGetTextPP(nodes_scan_get(scan, NODES_NODE));

		if (VARSIZE_ANY_EXHDR(name) == length && memcmp(VARDATA_ANY(name), node, length) == 0)
			return true;
	}
	return false;
}

static void
nodes_scan_end(NodesScan *scan)
{
	ExecDropSingleTupleTableSlot(scan->row);
	table_endscan(scan->scan);
	UnregisterSnapshot(scan->snapshot);
	table_close(scan->table, AccessShareLock);
}

/* What merge_nodes says of a name, by now. */
typedef enum NodeStanding
{
	NODE_UNKNOWN,
	NODE_PRESENT,
	NODE_REMOVED
} NodeStanding;

static NodeStanding
merge_node_standing(Oid extension, const char *node)
{
	NodeStanding standing = NODE_UNKNOWN;
	NodesScan scan;

	nodes_scan_begin_nodes(&scan, extension, GetLatestSnapshot());
	if (nodes_scan_find(&scan, node))
		standing = nodes_scan_present(&scan) ? NODE_PRESENT : NODE_REMOVED;
	nodes_scan_end(&scan);
	return standing;
}

/* Must this server not write under this name any more? */
bool
merge_node_is_retired(Oid extension, const char *node)
{
	NodesScan scan;
	bool retired;

	nodes_scan_begin_local(&scan, extension, GetLatestSnapshot());
	retired = nodes_scan_find(&scan, node) && DatumGetBool(nodes_scan_get(&scan, LOCAL_RETIRED));
	nodes_scan_end(&scan);
	return retired || merge_node_standing(extension, node) == NODE_REMOVED;
}

/* Up to when has a node told that it has all of its own rows?  0 if it has not. */
uint64
merge_node_closed(Oid extension, const char *node)
{
	uint64 closed = 0;
	NodesScan scan;

	nodes_scan_begin_nodes(&scan, extension, GetLatestSnapshot());
	if (nodes_scan_find(&scan, node))
	{
		NodeTable seen;

		node_table_open(&seen, PG_DETOAST_DATUM_PACKED(nodes_scan_get(&scan, NODES_SEEN)), 1);
		closed = node_table_get(&seen, node, strlen(node), 0);
	}
	nodes_scan_end(&scan);
	return closed;
}

/* Up to when everyone has seen all rows: a vclock. */
struct varlena *
merge_nodes_stable(Oid extension)
{
	struct varlena *stable = NULL;
	NodesScan scan;

	nodes_scan_begin_nodes(&scan, extension, GetActiveSnapshot());
	while (nodes_scan_next(&scan))
	{
		struct varlena *seen;

		if (!nodes_scan_present(&scan))
			continue;
		seen = PG_DETOAST_DATUM_COPY(nodes_scan_get(&scan, NODES_SEEN));
		if (stable)
		{
			NodeTable a;
			NodeTable b;

			node_table_open(&a, stable, 1);
			node_table_open(&b, seen, 1);
			seen = node_table_combine(&a, &b, NODE_MEET);
		}
		stable = seen;
	}
	nodes_scan_end(&scan);
	if (stable == NULL)
	{
		NodeEntries nobody;

		node_entries_init(&nobody, 0);
		stable = node_table_write(&nobody, 1, 0);
	}
	return stable;
}

PG_FUNCTION_INFO_V1(stable_removals);
Datum
stable_removals(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(merge_nodes_stable(extension_namespace(fcinfo)));
}

/* A call that writes the tables, as their owner. */
typedef struct MergeNodes
{
	Oid extension;
	const char *schema; /* its name, quoted */
	Oid clock_type;     /* vclock */
	QueryCaller caller;
	int path;
} MergeNodes;

static void
merge_nodes_begin(MergeNodes *nodes, Oid extension)
{
	nodes->extension = extension;
	nodes->schema = quote_identifier(get_namespace_name(extension));
	nodes->clock_type = extension_type(extension, "vclock");
	query_connect_as_owner(&nodes->caller, extension_table(extension, "merge_nodes"));
	nodes->path = query_path_enter();
}

static void
merge_nodes_end(MergeNodes *nodes)
{
	query_path_leave(nodes->path);
	query_finish_as_owner(&nodes->caller);
}

/* Run a statement about one node, $1, in which each %s is the extension's schema. */
static uint64
merge_nodes_run(MergeNodes *nodes, const char *sql, const char *node, QueryArguments *more)
{
	QueryArguments arguments = {0};
	StringInfoData statement;

	initStringInfo(&statement);
	for (const char *rest = sql; *rest; rest++)
	{
		if (rest[0] == '%' && rest[1] == 's')
		{
			appendStringInfoString(&statement, nodes->schema);
			rest++;
		}
		else
			appendStringInfoChar(&statement, *rest);
	}
	query_argument(&arguments, TEXTOID, CStringGetTextDatum(node), false);
	for (int i = 0; more && i < more->count; i++)
		query_argument(&arguments, more->types[i], more->values[i], more->nulls[i] == 'n');
	return query_run(statement.data, &arguments);
}

/* A column of the first row of the answer. */
static Datum
merge_nodes_answer(int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, isnull);
}

static void
merge_nodes_insert(MergeNodes *nodes, const char *node)
{
	/* nothing is to be inserted over a row that was removed: that would revive it */
	if (merge_node_standing(nodes->extension, node) == NODE_UNKNOWN)
		merge_nodes_run(
			nodes, "INSERT INTO %s.merge_nodes (node) VALUES ($1) ON CONFLICT (node) DO NOTHING",
			node, NULL);
}

static void
merge_nodes_remove(MergeNodes *nodes, const char *node)
{
	merge_nodes_run(nodes, "DELETE FROM %s.merge_nodes WHERE node = $1", node, NULL);
}

/*
 * From now on, wait for what this node has seen before rows are purged.  For a
 * node that is going to write merged tables.
 */
void
merge_node_register(Oid extension, const char *node)
{
	MergeNodes nodes;

	if (merge_node_standing(extension, node) != NODE_UNKNOWN ||
		merge_node_is_retired(extension, node))
		return;
	merge_nodes_begin(&nodes, extension);
	merge_nodes_insert(&nodes, node);
	merge_nodes_end(&nodes);
}

/*
 * A row of merge_nodes has arrived.  In the worker of a subscription, that is
 * what its publisher had of that node when it sent the row, or more.
 */
void
merge_node_heard(Oid extension, Datum node, Datum seen)
{
	const char *name = TextDatumGetCString(node);
	QueryArguments arguments = {0};
	MergeNodes nodes;
	NodeTable table;
	uint64 horizon;

	if (MyLogicalRepWorker == NULL)
		return;
	node_table_open(&table, PG_DETOAST_DATUM_PACKED(seen), 1);
	horizon = node_table_get(&table, name, strlen(name), 0);
	query_argument(&arguments, OIDOID, ObjectIdGetDatum(MyLogicalRepWorker->subid), false);
	query_argument(&arguments, INT8OID, Int64GetDatum((int64) horizon), false);
	merge_nodes_begin(&nodes, extension);
	merge_nodes_run(&nodes,
					"INSERT INTO %s.merge_local_links AS l (node, subscription, horizon) "
					"VALUES ($1, $2, $3) ON CONFLICT (subscription, node) DO UPDATE "
					"SET horizon = EXCLUDED.horizon WHERE l.horizon < EXCLUDED.horizon",
					name, &arguments);
	merge_nodes_end(&nodes);
}

/*
 * Acknowledging
 */

/*
 * The horizon that was noted, if it has been reached by now, or 0.  Then it, or
 * if there is none, the one after it is noted.
 */
static int64
merge_nodes_own_horizon(MergeNodes *nodes, const char *local)
{
	QueryArguments arguments = {0};
	int64 horizon = 0;
	bool isnull;

	if (merge_nodes_run(nodes,
						"SELECT horizon::bigint, pg_snapshot_xmin(pg_current_snapshot()) >= until "
						"FROM %s.merge_local_nodes WHERE node = $1 FOR UPDATE",
						local, NULL) > 0)
	{
		if (!DatumGetBool(merge_nodes_answer(2, &isnull)))
			return 0;
		horizon = DatumGetInt64(merge_nodes_answer(1, &isnull));
	}

	/*
	 * First the time, then the number.  Those that are running may have numbers up
	 * to the last that was given out, so a snapshot's xmax, which is behind the
	 * last that has ended, would not do.  Times to come may be of the same
	 * nanosecond.
	 */
	query_argument(&arguments, INT8OID, Int64GetDatum(shared_clock_tick().nanoseconds - 1), false);
	query_argument(&arguments, XID8OID, FullTransactionIdGetDatum(ReadNextFullTransactionId()),
				   false);
	merge_nodes_run(
		nodes,
		"INSERT INTO %s.merge_local_nodes (node, horizon, until) VALUES ($1, $2, $3) "
		"ON CONFLICT (node) DO UPDATE SET horizon = EXCLUDED.horizon, until = EXCLUDED.until",
		local, &arguments);
	return horizon;
}

/*
 * What this node has of the other nodes' rows: up to the horizons that they have
 * told, which came behind them, by all subscriptions.  Of a node that was forgotten nothing more comes
 * from itself; when all others have heard of that, what each of them had of it
 * has come with what they said since, and so this node has all that there is.
 *
 * False as long as a subscription has told of nobody: where merge_nodes was not
 * copied, updates of its rows find none, so this server may not know of them all.
 * And while tables are being copied, whose rows may come later than what is told
 * of them.  That is of the same snapshot: who sees a row that a subscription has
 * brought sees the subscription's tables too.
 */
static bool
merge_nodes_told(MergeNodes *nodes, const char *local, Datum *told, bool *nothing)
{
	int64 copying;
	int64 silent;
	QueryArguments arguments = {0};
	bool isnull;

	query_argument(&arguments, OIDOID,
				   ObjectIdGetDatum(extension_table(nodes->extension, "merge_nodes")), false);
	merge_nodes_run(
		nodes,
		"SELECT (SELECT count(*) FROM pg_subscription_rel WHERE srsubstate <> 'r'), "
		"(SELECT count(*) FROM pg_subscription_rel r WHERE r.srrelid = $2 AND NOT EXISTS "
		"(SELECT FROM %s.merge_local_links l WHERE l.subscription = r.srsubid)), "
		"%s.merge(%s.vclock(n.node, CASE WHEN %s.is_present(n._merge_presence) "
		"THEN LEAST(%s.get(n.seen, n.node), (SELECT min(COALESCE(l.horizon, 0)) "
		"FROM pg_subscription_rel r LEFT JOIN %s.merge_local_links l "
		"ON l.subscription = r.srsubid AND l.node = n.node "
		"WHERE r.srrelid = $2)) WHEN %s.project(%s.context(n._merge_presence), "
		"array_remove(%s.nodes(%s.context(n._merge_presence)), n.node)) "
		"OPERATOR(%s.<@) %s.stable_removals() THEN 9223372036854775807 ELSE 0 END)) "
		"FROM %s.merge_nodes n WHERE n.node <> $1",
		local, &arguments);
	copying = DatumGetInt64(merge_nodes_answer(1, &isnull));
	silent = DatumGetInt64(merge_nodes_answer(2, &isnull));
	*told = merge_nodes_answer(3, nothing);
	if (copying > 0)
		ereport(NOTICE,
				(errmsg("nothing is acknowledged while tables are being copied"),
				 errdetail_plural(INT64_FORMAT " table of this database's subscriptions is not in "
											   "step yet.",
								  INT64_FORMAT
								  " tables of this database's subscriptions are not in "
								  "step yet.",
								  (unsigned long) copying, copying),
				 errhint("See srsubstate in pg_subscription_rel.")));
	else if (silent > 0)
		ereport(NOTICE,
				(errmsg("nothing is acknowledged while a subscription has told of no node"),
				 errdetail("There may be nodes that this server does not know."),
				 errhint("Copy tables when you subscribe to them (copy_data = true), or have the "
						 "publisher send what is missing: SELECT resync('merge_nodes').")));
	return copying == 0 && silent == 0;
}

PG_FUNCTION_INFO_V1(acknowledge_removals);
Datum
acknowledge_removals(PG_FUNCTION_ARGS)
{
	const char *local = pstrdup(node_name_local());
	Oid extension = extension_namespace(fcinfo);
	MergeNodes nodes;
	Datum told;
	Datum seen;
	bool isnull;

	if (merge_node_is_retired(extension, local))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("node \"%s\" has been retired", local),
				 errdetail("That is what new_incarnation or forget_node did."),
				 errhint("Connect again if the database has another name by now; new_incarnation "
						 "gives it one.")));
	merge_nodes_begin(&nodes, extension);
	merge_nodes_insert(&nodes, local);
	if (merge_nodes_told(&nodes, local, &told, &isnull))
	{
		QueryArguments arguments = {0};
		int64 horizon = merge_nodes_own_horizon(&nodes, local);

		query_argument(&arguments, nodes.clock_type, told, isnull);
		query_argument(&arguments, INT8OID, Int64GetDatum(horizon), false);
		merge_nodes_run(&nodes,
						"UPDATE %s.merge_nodes n SET seen = s.seen FROM (SELECT %s.merge("
						"%s.merge(o.seen, COALESCE($2, '{}')), %s.vclock($1, $3)) AS seen "
						"FROM %s.merge_nodes o WHERE o.node = $1) s "
						"WHERE n.node = $1 AND NOT s.seen OPERATOR(%s.<@) n.seen",
						local, &arguments);
		/* what subscriptions that are gone have brought */
		merge_nodes_run(&nodes,
						"DELETE FROM %s.merge_local_links l WHERE NOT EXISTS (SELECT FROM "
						"pg_subscription_rel r WHERE r.srsubid = l.subscription)",
						local, NULL);
	}
	merge_nodes_run(&nodes, "SELECT seen::%s.vclock FROM %s.merge_nodes WHERE node = $1", local,
					NULL);
	seen = SPI_datumTransfer(merge_nodes_answer(1, &isnull), false, -1);
	merge_nodes_end(&nodes);
	return seen;
}

/*
 * Nodes that go
 */

PG_FUNCTION_INFO_V1(forget_node);
Datum
forget_node(PG_FUNCTION_ARGS)
{
	const char *node = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Oid extension = extension_namespace(fcinfo);
	MergeNodes nodes;

	if (strcmp(node, node_name_local()) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("node \"%s\" is this one", node),
				 errhint(
					 "Call forget_node on another server; a server that is to go on under another "
					 "name calls new_incarnation.")));
	if (merge_node_standing(extension, node) != NODE_PRESENT)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("node \"%s\" does not exist", node),
				 errhint("The table merge_nodes lists the nodes.")));
	merge_nodes_begin(&nodes, extension);
	merge_nodes_remove(&nodes, node);
	merge_nodes_end(&nodes);
	PG_RETURN_VOID();
}

/* Hexadecimal digits that tell the names of a server and its copies apart. */
#define INCARNATION_DIGITS 8

/* How long a name is without the suffix of an earlier call. */
static Size
incarnation_base(const char *node)
{
	Size length = strlen(node);
	const char *suffix = node + length - INCARNATION_DIGITS;

	if (length > INCARNATION_DIGITS + 1 && suffix[-1] == '.' &&
		strspn(suffix, "0123456789abcdef") == INCARNATION_DIGITS)
		return length - INCARNATION_DIGITS - 1;
	return length;
}

static char *
incarnation_name(const char *node)
{
	int room = NODE_NAME_MAX - INCARNATION_DIGITS - 1;
	uint32 random;

	if (!pg_strong_random(&random, sizeof(random)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate random values")));
	return psprintf("%.*s.%08x", pg_mbcliplen(node, (int) incarnation_base(node), room), node,
					random);
}

/* Set the name for the database, as the caller may or may not, and for this session. */
static void
incarnation_begin(const char *node)
{
	QueryArguments none = {0};

	query_run(psprintf("ALTER DATABASE %s SET distributed.node = %s",
					   quote_identifier(get_database_name(MyDatabaseId)), quote_literal_cstr(node)),
			  &none);
	(void) set_config_option("distributed.node", node, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SET,
							 true, 0, false);
}

/* A setting of a role comes before that of the database. */
static void
incarnation_warn_of_roles(void)
{
	QueryArguments arguments = {0};
	char *roles;

	query_argument(&arguments, OIDOID, ObjectIdGetDatum(MyDatabaseId), false);
	query_run("SELECT pg_catalog.string_agg(DISTINCT pg_catalog.quote_ident(r.rolname), ', ') "
			  "FROM pg_catalog.pg_db_role_setting s "
			  "JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) s.setrole, "
			  "pg_catalog.unnest(s.setconfig) c "
			  "WHERE (s.setdatabase OPERATOR(pg_catalog.=) $1 "
			  "OR s.setdatabase OPERATOR(pg_catalog.=) 0::pg_catalog.oid) "
			  "AND pg_catalog.lower(pg_catalog.split_part(c, '=', 1)) OPERATOR(pg_catalog.=) "
			  "'distributed.node'",
			  &arguments);
	roles = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	if (roles)
		ereport(WARNING,
				(errmsg("roles have node names of their own"),
				 errdetail("Their sessions do not use the database's new name: %s.", roles),
				 errhint("Use ALTER ROLE ... RESET distributed.node; if it was set for the role in "
						 "this database, ALTER ROLE ... IN DATABASE ... RESET distributed.node.")));
}

/* Sessions are to look again whether they may write merged tables. */
static void
incarnation_end_old_rules(Oid extension)
{
	Oid function = extension_trigger_function(extension, "merge_row");
	Relation triggers = table_open(TriggerRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(triggers, InvalidOid, false, NULL, 0, NULL);
	HeapTuple tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_trigger trigger = (Form_pg_trigger) GETSTRUCT(tuple);

		if (trigger->tgfoid == function &&
			SearchSysCacheExists1(RELOID, ObjectIdGetDatum(trigger->tgrelid)))
			CacheInvalidateRelcacheByRelid(trigger->tgrelid);
	}
	systable_endscan(scan);
	table_close(triggers, AccessShareLock);
}

PG_FUNCTION_INFO_V1(new_incarnation);
Datum
new_incarnation(PG_FUNCTION_ARGS)
{
	const char *old = pstrdup(node_name_local());
	const char *node = incarnation_name(old);
	bool forget = PG_GETARG_BOOL(0);
	Oid extension = extension_namespace(fcinfo);
	MergeNodes nodes;

	query_connect();
	incarnation_begin(node);
	incarnation_warn_of_roles();
	query_finish();

	merge_nodes_begin(&nodes, extension);
	merge_nodes_insert(&nodes, node);
	merge_nodes_run(&nodes,
					"INSERT INTO %s.merge_local_nodes (node, retired) VALUES ($1, true) "
					"ON CONFLICT (node) DO UPDATE SET retired = true, horizon = NULL, until = NULL",
					old, NULL);
	if (forget)
	{
		/* a row that is removed is what retires the name, so there must be one */
		merge_nodes_insert(&nodes, old);
		merge_nodes_remove(&nodes, old);
	}
	merge_nodes_end(&nodes);
	incarnation_end_old_rules(extension);
	ereport(NOTICE,
			(errmsg("this server must not use the name \"%s\" any more", old),
			 errdetail("Sessions that have been connected under it cannot write merged tables."),
			 errhint("Connect again; disable and enable subscriptions, so that their workers start "
					 "anew.")));
	if (merge_node_standing(extension, old) == NODE_PRESENT)
		ereport(NOTICE,
				(errmsg("purging waits for \"%s\"", old),
				 errhint("Use forget_node if no other server has that name.")));
	return CStringGetTextDatum(node);
}
