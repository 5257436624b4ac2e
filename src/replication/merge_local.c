/*
 * merge_local.c
 *		What a server keeps for itself of the names that it has had, and of what its
 *		subscriptions have brought.
 *
 * Two tables that are not published, and are of this server's transactions, files and
 * subscriptions: merge_local_nodes and merge_local_links.  They belong to the bootstrap
 * superuser, and only the functions here write them.
 */
#include "core/compat.h"

#include <sys/stat.h>

#include "catalog/pg_type.h"
#include "core/query.h"
#include "miscadmin.h"
#include "replication/merge_catalog.h"
#include "replication/merge_local.h"
#include "replication/merge_nodes.h"
#include "replication/merge_told.h"
#include "replication/worker_internal.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/xid8.h"

enum
{
	LOCAL_NODE,
	LOCAL_HORIZON,
	LOCAL_UNTIL,
	LOCAL_RETIRED,
	LOCAL_TOLD,
	LOCAL_CLAIMED,
	LOCAL_HOME,
	LOCAL_COLUMNS
};

static const CatalogTable local_table = {"merge_local_nodes",
										 1,
										 LOCAL_COLUMNS,
										 {{"node", TEXTOID, NULL, false},
										  {"horizon", INT8OID, NULL, true},
										  {"until", XID8OID, NULL, true},
										  {"retired", BOOLOID, NULL, false},
										  {"told", INT8ARRAYOID, NULL, true},
										  {"claimed", INT8OID, NULL, true},
										  {"home", INT8OID, NULL, true}}};

enum
{
	LINKS_SUBSCRIPTION,
	LINKS_NODE,
	LINKS_HORIZON,
	LINKS_COLUMNS
};

static const CatalogTable links_table = {"merge_local_links",
										 2,
										 LINKS_COLUMNS,
										 {{"subscription", OIDOID, NULL, false},
										  {"node", TEXTOID, NULL, false},
										  {"horizon", INT8OID, NULL, false}}};

/*
 * The names that this server has had
 */

/* The row of a name; what it has told is the caller's to keep. */
static bool
local_read(Oid extension, const char *node, Datum *values, bool *nulls)
{
	MergeCatalog local;
	bool found = false;

	merge_catalog_open(&local, extension, &local_table, AccessShareLock);
	merge_catalog_scan(&local, GetLatestSnapshot());
	while (!found && merge_catalog_next(&local, values, nulls))
		found = merge_node_is(values[LOCAL_NODE], node);
	if (found && !nulls[LOCAL_TOLD])
		values[LOCAL_TOLD] = PointerGetDatum(DatumGetArrayTypePCopy(values[LOCAL_TOLD]));
	merge_catalog_close(&local);
	return found;
}

/* Must this server not write under this name any more? */
bool
merge_node_is_retired(Oid extension, const char *node)
{
	Datum values[LOCAL_COLUMNS];
	bool nulls[LOCAL_COLUMNS];

	return (local_read(extension, node, values, nulls) && DatumGetBool(values[LOCAL_RETIRED])) ||
		merge_node_standing(extension, node) == NODE_REMOVED;
}

/*
 * Up to when this node has told, or may tell soon, that it has all its rows: it writes
 * none of an earlier time.
 */
uint64
merge_node_horizon(Oid extension, const char *node)
{
	uint64 horizon = merge_node_closed(extension, node);
	Datum values[LOCAL_COLUMNS];
	bool nulls[LOCAL_COLUMNS];

	if (local_read(extension, node, values, nulls) && !nulls[LOCAL_HORIZON])
		horizon = Max(horizon, (uint64) Max(DatumGetInt64(values[LOCAL_HORIZON]), 0));
	return horizon;
}

/* A change of the row of a name, which is locked. */
typedef void (*LocalChange)(const void *what, Datum *values, bool *nulls);

static void
local_change(Oid extension, const char *node, LocalChange change, const void *what)
{
	Datum key = CStringGetTextDatum(node);
	MergeCatalog local;
	bool done = false;

	merge_catalog_open(&local, extension, &local_table, RowExclusiveLock);
	while (!done)
	{
		Datum values[LOCAL_COLUMNS];
		bool nulls[LOCAL_COLUMNS];

		if (merge_catalog_find(&local, &key, values, nulls))
		{
			change(what, values, nulls);
			merge_catalog_update(&local, values, nulls);
			done = true;
		}
		else
		{
			memset(values, 0, sizeof(values));
			memset(nulls, true, sizeof(nulls));
			values[LOCAL_NODE] = key;
			values[LOCAL_RETIRED] = BoolGetDatum(false);
			nulls[LOCAL_NODE] = nulls[LOCAL_RETIRED] = false;
			change(what, values, nulls);
			done = merge_catalog_insert(&local, values, nulls);
		}
	}
	merge_catalog_close(&local);
}

static void
local_retire(const void *what, Datum *values, bool *nulls)
{
	nulls[LOCAL_HORIZON] = nulls[LOCAL_UNTIL] = true;
	values[LOCAL_RETIRED] = BoolGetDatum(true);
}

/* This server must not write under a name any more, whatever others may. */
void
merge_node_retire(Oid extension, const char *node)
{
	local_change(extension, node, local_retire, NULL);
}

/*
 * From now on, wait for what this node has seen before rows are purged.  For a
 * node that is going to write merged tables.
 */
void
merge_node_register(Oid extension, const char *node)
{
	if (!merge_node_is_retired(extension, node))
		merge_node_insert(extension, node);
}

/* What merge_local_nodes has noted for the next horizon; false if nothing. */
bool
merge_node_noted(Oid extension, const char *node, int64 *horizon, FullTransactionId *until)
{
	Datum values[LOCAL_COLUMNS];
	bool nulls[LOCAL_COLUMNS];

	if (!local_read(extension, node, values, nulls) || nulls[LOCAL_HORIZON] || nulls[LOCAL_UNTIL])
		return false;
	*horizon = DatumGetInt64(values[LOCAL_HORIZON]);
	*until = DatumGetFullTransactionId(values[LOCAL_UNTIL]);
	return true;
}

/*
 * Where this server's files are: the number of its directory, which a copy of the files
 * has not (PostgreSQL tells servers apart by it, too: sysv_shmem.c).  0 if it has none.
 */
static int64
local_home(void)
{
	struct stat directory;

	return stat(DataDir, &directory) == 0 ? (int64) directory.st_ino : 0;
}

/* Is the server that writes under a name another one than that which has noted it? */
static bool
home_differs(const Datum *values, const bool *nulls)
{
	return !nulls[LOCAL_HOME] && DatumGetInt64(values[LOCAL_HOME]) != local_home();
}

static void
home_warn(const char *node)
{
	ereport(WARNING,
			(errmsg("this server, \"%s\", is a copy, or its files have been moved", node),
			 errdetail("Its data directory is another one than when it acknowledged last."),
			 errhint("If another server goes on under that name, call new_incarnation() here, and "
					 "drop the subscriptions, which take what is meant for the other one.")));
}

/* Tell, once in a session, that a copy follows what is sent to its original. */
static void
home_check(Oid extension)
{
	static bool checked = false;
	Datum values[LOCAL_COLUMNS];
	bool nulls[LOCAL_COLUMNS];
	const char *name = node_name_setting();

	if (checked || name == NULL)
		return;
	checked = true;
	if (local_read(extension, name, values, nulls) && home_differs(values, nulls))
		home_warn(name);
}

typedef struct LocalNote
{
	int64 horizon;
	FullTransactionId until;
	int64 told;
} LocalNote;

static void
local_note(const void *what, Datum *values, bool *nulls)
{
	const LocalNote *note = what;

	values[LOCAL_HORIZON] = Int64GetDatum(note->horizon);
	values[LOCAL_UNTIL] = FullTransactionIdGetDatum(note->until);
	nulls[LOCAL_HORIZON] = nulls[LOCAL_UNTIL] = false;
	if (home_differs(values, nulls))
		home_warn(TextDatumGetCString(values[LOCAL_NODE]));
	values[LOCAL_HOME] = Int64GetDatum(local_home());
	nulls[LOCAL_HOME] = false;
	if (note->told > 0)
	{
		ArrayType *told = nulls[LOCAL_TOLD] ? NULL : DatumGetArrayTypeP(values[LOCAL_TOLD]);

		values[LOCAL_TOLD] = PointerGetDatum(merge_told_add(told, PgStartTime, note->told));
		nulls[LOCAL_TOLD] = false;
	}
}

static void
local_begin_told(const void *what, Datum *values, bool *nulls)
{
	ArrayType *told = merge_told_add(NULL, 0, 0);

	values[LOCAL_TOLD] = PointerGetDatum(merge_told_add(told, 0, *(const int64 *) what));
	nulls[LOCAL_TOLD] = false;
}

/* Note the next horizon, and that one is told now, if it is above 0. */
void
merge_node_note(Oid extension, const char *node, int64 horizon, FullTransactionId until, int64 told)
{
	LocalNote note = {horizon, until, told};

	local_change(extension, node, local_note, &note);
}

/*
 * What others claim of this node
 */

static void
local_claim(const void *what, Datum *values, bool *nulls)
{
	int64 claimed = *(const int64 *) what;

	if (nulls[LOCAL_CLAIMED] || DatumGetInt64(values[LOCAL_CLAIMED]) < claimed)
		values[LOCAL_CLAIMED] = Int64GetDatum(claimed);
	nulls[LOCAL_CLAIMED] = false;
}

/*
 * Does a node know of a horizon that this one is said to have told, and has not?  Then
 * this server was restored from an old copy, or another one has its name.  That is
 * remembered, since nobody may know of it any more once the next horizon is told.
 */
static void
node_check_claim(Oid extension, const NodeTable *seen)
{
	const char *name = node_name_setting();
	Datum values[LOCAL_COLUMNS];
	bool nulls[LOCAL_COLUMNS];
	bool known;
	int64 claimed;

	if (name == NULL)
		return;
	claimed = (int64) node_table_get(seen, name, strlen(name), 0);
	/* the greatest one is said of nodes that are gone */
	if (claimed == 0 || claimed == PG_INT64_MAX)
		return;
	known = local_read(extension, name, values, nulls);
	if (known &&
		(DatumGetBool(values[LOCAL_RETIRED]) ||
		 (!nulls[LOCAL_CLAIMED] && DatumGetInt64(values[LOCAL_CLAIMED]) >= claimed) ||
		 merge_told_has(nulls[LOCAL_TOLD] ? NULL : DatumGetArrayTypeP(values[LOCAL_TOLD]),
						claimed)))
		return;
	local_change(extension, name, local_claim, &claimed);
	ereport(WARNING,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("others have heard of \"%s\" what this server has not told", name),
			 errdetail("The server was restored from an old copy, or two servers have one name. "
					   "What it writes as \"%s\" from now on may be lost.",
					   name),
			 errhint("Call new_incarnation(), which gives the server a name of its own.")));
}

/* Version 1.0 has not kept what was told: all up to the last may have been. */
static void
node_begin_told(void *state, NodeName node, bool removed, const struct varlena *seen,
				const struct varlena *stamp)
{
	Oid extension = *(Oid *) state;
	const char *name = pnstrdup(node.name, node.length);
	Datum values[LOCAL_COLUMNS];
	bool nulls[LOCAL_COLUMNS];
	NodeTable table;
	int64 last;

	node_table_open(&table, seen, 1);
	last = (int64) node_table_get(&table, node.name, node.length, 0);
	if (last > 0 && local_read(extension, name, values, nulls))
		local_change(extension, name, local_begin_told, &last);
}

/* Called when a database of version 1.0 is brought up to date. */
void
merge_nodes_begin_told(Oid extension)
{
	PushActiveSnapshot(GetLatestSnapshot());
	merge_nodes_each(extension, false, node_begin_told, &extension);
	PopActiveSnapshot();
}

/* Has that been found of a name? */
bool
merge_node_is_claimed(Oid extension, const char *node)
{
	Datum values[LOCAL_COLUMNS];
	bool nulls[LOCAL_COLUMNS];

	return local_read(extension, node, values, nulls) && !nulls[LOCAL_CLAIMED];
}

/*
 * What subscriptions have brought
 */

/*
 * A row of merge_nodes has arrived.  In the worker of a subscription, that is
 * what its publisher had of that node when it sent the row, or more.  So it is
 * what others have heard of this one.
 */
void
merge_node_heard(Oid extension, Datum node, Datum seen)
{
	const char *name = TextDatumGetCString(node);
	Datum values[LINKS_COLUMNS];
	Datum there[LINKS_COLUMNS];
	bool nulls[LINKS_COLUMNS] = {false};
	MergeCatalog links;
	NodeTable table;

	node_table_open(&table, PG_DETOAST_DATUM_PACKED(seen), 1);
	node_check_claim(extension, &table);
	if (MyLogicalRepWorker == NULL)
		return;
	home_check(extension);
	values[LINKS_SUBSCRIPTION] = ObjectIdGetDatum(MyLogicalRepWorker->subid);
	values[LINKS_NODE] = node;
	values[LINKS_HORIZON] = Int64GetDatum((int64) node_table_get(&table, name, strlen(name), 0));
	merge_catalog_open(&links, extension, &links_table, RowExclusiveLock);
	for (;;)
	{
		if (merge_catalog_find(&links, values, there, nulls))
		{
			if (DatumGetInt64(there[LINKS_HORIZON]) < DatumGetInt64(values[LINKS_HORIZON]))
				merge_catalog_update(&links, values, nulls);
			break;
		}
		if (merge_catalog_insert(&links, values, nulls))
			break;
	}
	merge_catalog_close(&links);
}

/*
 * Up to when a subscription has brought a node's rows; -1 if it has brought nothing of
 * it.  Of no node in particular, NULL: has it brought anything?
 */
int64
merge_link_horizon(Oid extension, Oid subscription, const char *node)
{
	Datum values[LINKS_COLUMNS];
	bool nulls[LINKS_COLUMNS];
	MergeCatalog links;
	int64 horizon = -1;

	merge_catalog_open(&links, extension, &links_table, AccessShareLock);
	merge_catalog_scan(&links, GetActiveSnapshot());
	while (merge_catalog_next(&links, values, nulls))
	{
		if (DatumGetObjectId(values[LINKS_SUBSCRIPTION]) == subscription &&
			(node == NULL || merge_node_is(values[LINKS_NODE], node)))
			horizon = Max(horizon, DatumGetInt64(values[LINKS_HORIZON]));
	}
	merge_catalog_close(&links);
	return horizon;
}

/* Forget what subscriptions have brought that are not among these. */
void
merge_links_forget(Oid extension, const List *subscriptions)
{
	Datum values[LINKS_COLUMNS];
	Datum there[LINKS_COLUMNS];
	bool nulls[LINKS_COLUMNS];
	MergeCatalog links;

	merge_catalog_open(&links, extension, &links_table, RowExclusiveLock);
	merge_catalog_scan(&links, GetActiveSnapshot());
	while (merge_catalog_next(&links, values, nulls))
	{
		if (!list_member_oid(subscriptions, DatumGetObjectId(values[LINKS_SUBSCRIPTION])) &&
			merge_catalog_find(&links, values, there, nulls))
			merge_catalog_delete(&links);
	}
	merge_catalog_close(&links);
}
