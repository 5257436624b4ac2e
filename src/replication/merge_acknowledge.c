/*
 * merge_acknowledge.c
 *		acknowledge_removals(): telling all servers what this one has seen.
 *
 * A row that is removed must be known until every server has seen that, and has sent
 * all that it did to the row before.  So each tells the others up to which times it has
 * their rows, by the table merge_nodes, behind the rows that it is about, and behind all
 * that it wrote before: what makes the meet of all these clocks a line behind which
 * nothing is under way any more.  An acknowledgement sent by any other way would prove
 * nothing of what is still in the pipe.
 *
 * What a server has seen of its own rows is not all up to now: transactions that have
 * stamped rows may still be running.  As they have a number (xid) before they take a
 * time, it does so in two steps.  It notes a time T of the clock, and after that the
 * next number X: whoever may have a time up to T has a number less than X.  When all
 * numbers below X have ended, T is its horizon.  A pair (T, X) stays noted until then:
 * to replace it by a later one each time might never find one that is over.
 *
 * What it has seen of another server it has from that one's row: its horizon, which
 * came behind the rows.  It must have come by all of this server's subscriptions.  By
 * one that lags behind, as its link is cut, there will come what its publisher wrote
 * when it had not heard of a removal; that this server has heard of it by another way
 * does not help, if it has purged the row when that one comes.
 */
#include "core/compat.h"

#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "core/query.h"
#include "core/shared_clock.h"
#include "core/write_stamp.h"
#include "miscadmin.h"
#include "replication/merge_local.h"
#include "replication/merge_nodes.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* What this server's subscriptions have come to. */
typedef struct Links
{
	List *subscriptions; /* those that bring merge_nodes */
	int64 copying;       /* tables that are not in step yet */
	int64 silent;        /* subscriptions that have told of nobody */
} Links;

static void
links_read(Links *links, Oid extension)
{
	QueryArguments arguments = {0};
	ListCell *cell;

	memset(links, 0, sizeof(*links));
	query_connect();
	query_argument(&arguments, OIDOID, ObjectIdGetDatum(extension_table(extension, "merge_nodes")),
				   false);
	query_run("SELECT r.srsubid, r.srrelid OPERATOR(pg_catalog.=) $1, r.srsubstate "
			  "OPERATOR(pg_catalog.=) 'r' FROM pg_catalog.pg_subscription_rel r",
			  &arguments);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple row = SPI_tuptable->vals[i];
		TupleDesc desc = SPI_tuptable->tupdesc;
		bool isnull;

		links->copying += !DatumGetBool(SPI_getbinval(row, desc, 3, &isnull));
		if (DatumGetBool(SPI_getbinval(row, desc, 2, &isnull)))
		{
			MemoryContext spi = MemoryContextSwitchTo(CurTransactionContext);

			links->subscriptions = lappend_oid(links->subscriptions,
											   DatumGetObjectId(
												   SPI_getbinval(row, desc, 1, &isnull)));
			MemoryContextSwitchTo(spi);
		}
	}
	query_finish();
	foreach (cell, links->subscriptions)
	{
		links->silent += merge_link_horizon(extension, lfirst_oid(cell), NULL) < 0;
	}
}

/*
 * Nothing is said as long as a subscription has told of nobody: where merge_nodes was
 * not copied, updates of its rows find none, so this server may not know of them all.
 * Nor while tables are being copied, whose rows may come later than what is told of
 * them.  Nor by a server that has written rows of which it does not know.
 */
static bool
links_tell(const Links *links, Oid extension, const char *local)
{
	if (merge_node_is_claimed(extension, local))
	{
		ereport(WARNING,
				(errmsg("nothing is acknowledged by a server whose name has been used elsewhere"),
				 errdetail("Others have heard of \"%s\" what this server has not told: it was "
						   "restored from an old copy, or two servers have one name.",
						   local),
				 errhint("Call new_incarnation(), which gives the server a name of its own.")));
		return false;
	}
	if (links->copying > 0)
		ereport(NOTICE,
				(errmsg("nothing is acknowledged while tables are being copied"),
				 errdetail_plural(INT64_FORMAT " table of this database's subscriptions is not in "
											   "step yet.",
								  INT64_FORMAT
								  " tables of this database's subscriptions are not in "
								  "step yet.",
								  (unsigned long) links->copying, links->copying),
				 errhint("See srsubstate in pg_subscription_rel.")));
	else if (links->silent > 0)
		ereport(NOTICE,
				(errmsg("nothing is acknowledged while a subscription has told of no node"),
				 errdetail("There may be nodes that this server does not know."),
				 errhint("Copy tables when you subscribe to them (copy_data = true), or have the "
						 "publisher send what is missing: SELECT resync('merge_nodes').")));
	return links->copying == 0 && links->silent == 0;
}

/* What this node has of the others' rows. */
typedef struct Telling
{
	Oid extension;
	const char *local;
	const Links *links;
	NodeTable stable;
	NodeEntries seen;
} Telling;

/*
 * Of a node that was forgotten nothing more comes from itself; when all others have
 * heard of that, what each of them had of it has come with what they said since, and
 * so this node has all that there is.
 */
static bool
removal_is_stable(const Telling *telling, NodeName node, const struct varlena *stamp)
{
	RowStamp removal;

	row_stamp_open(&removal, stamp);
	for (uint32 i = 0; i < removal.nnodes; i++)
	{
		const StampNode *seen = &removal.nodes[i];

		if (bytes_compare(seen->node.name, seen->node.length, node.name, node.length) != 0 &&
			seen->context > node_table_get(&telling->stable, seen->node.name, seen->node.length, 0))
			return false;
	}
	return true;
}

static void
tell_node(void *state, NodeName node, bool removed, const struct varlena *seen,
		  const struct varlena *stamp)
{
	Telling *telling = state;
	const char *name = pnstrdup(node.name, node.length);
	NodeTable told;
	uint64 horizon;
	ListCell *cell;

	if (strcmp(name, telling->local) == 0)
		return;
	if (removed)
		horizon = removal_is_stable(telling, node, stamp) ? PG_INT64_MAX : 0;
	else
	{
		node_table_open(&told, seen, 1);
		horizon = node_table_get(&told, name, node.length, 0);
		foreach (cell, telling->links->subscriptions)
		{
			int64 brought = merge_link_horizon(telling->extension, lfirst_oid(cell), name);

			horizon = Min(horizon, (uint64) Max(brought, 0));
		}
	}
	if (horizon > 0)
		node_entries_add(&telling->seen, name, node.length)->counters[0] = horizon;
}

/*
 * The horizon that was noted, if it has been reached by now, or 0.  Then it, or
 * if there is none, the one after it is noted.
 */
static int64
own_horizon(Oid extension, const char *local)
{
	int64 horizon = 0;
	int64 now;
	FullTransactionId until;

	if (merge_node_noted(extension, local, &horizon, &until))
	{
		/* of a snapshot that does not hold back: the oldest number that is running */
		TransactionId oldest = GetLatestSnapshot()->xmin;
		uint64 next = U64FromFullTransactionId(ReadNextFullTransactionId());
		uint32 behind = (uint32) next - oldest;

		if (next - behind < U64FromFullTransactionId(until))
			return 0;
	}

	/*
	 * First the time, then the number.  Those that are running may have numbers up
	 * to the last that was given out, so a snapshot's xmax, which is behind the
	 * last that has ended, would not do.  Times to come may be of the same
	 * nanosecond.
	 */
	now = shared_clock_tick().nanoseconds - 1;
	merge_node_note(extension, local, now, ReadNextFullTransactionId(), horizon);
	return horizon;
}

PG_FUNCTION_INFO_V1(acknowledge_removals);
Datum
acknowledge_removals(PG_FUNCTION_ARGS)
{
	const char *local = pstrdup(node_name_local());
	Oid extension = extension_namespace(fcinfo);
	struct varlena *seen;
	Telling telling;
	Links links;

	if (merge_node_is_retired(extension, local))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("node \"%s\" has been retired", local),
				 errdetail("That is what new_incarnation or forget_node did."),
				 errhint("Connect again if the database has another name by now; new_incarnation "
						 "gives it one.")));
	PreventCommandIfReadOnly("acknowledge_removals()");
	(void) GetTopTransactionId(); /* so that what this transaction notes is not reached in it */
	merge_node_insert(extension, local);
	links_read(&links, extension);
	node_entries_init(&telling.seen, 0);
	telling.extension = extension;
	telling.local = local;
	telling.links = &links;
	if (links_tell(&links, extension, local))
	{
		int64 horizon;

		node_table_open(&telling.stable, merge_nodes_stable(extension), 1);
		merge_nodes_each(extension, true, tell_node, &telling);
		horizon = own_horizon(extension, local);
		if (horizon > 0)
			node_entries_add(&telling.seen, local, strlen(local))->counters[0] = (uint64) horizon;
		merge_links_forget(extension, links.subscriptions);
	}
	(void) node_entries_sort(&telling.seen, 1, NODE_DUPLICATES_JOIN, NULL);
	seen = merge_node_see(extension, local, node_table_write(&telling.seen, 1, 0));
	if (seen == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("node \"%s\" has been forgotten meanwhile", local)));
	PG_RETURN_POINTER(seen);
}
