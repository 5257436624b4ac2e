/*
 * merge_copy.c
 *		Waiting until a subscription has copied its tables.
 *
 * A worker that cannot copy writes the reason into its server's log, ends, and is
 * started again, for ever; nothing that SQL shows has the reason.  So whoever
 * waits for a copy must know when to give up, and what to tell then.
 *
 * Progress is a table that gets into another state, or rows or WAL that come for
 * a table that is being copied.  A table may take hours, so there is no limit to
 * the whole, only to the time without progress.  A copy that fails half way and
 * begins anew would look like progress for ever: what comes counts where it is
 * more than what came before.  (Before 14 only the size of tables tells what came,
 * and that grows with every attempt: so it does not count after a few failures.)
 * And failures that follow one another end the wait soon.  From 15 on the server
 * counts them; before, a table whose worker is another process than the one before
 * has failed.
 *
 * States are read as they are now, whatever the isolation of the transaction,
 * and all else is in shared memory: so this works in any transaction that has a
 * snapshot.  It takes no number of a transaction: else the copy would wait for us
 * where both databases are in one cluster.
 */
#include "core/compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xlog.h"
#include "catalog/pg_subscription.h"
#include "catalog/pg_subscription_rel.h"
#include "catalog/pg_type.h"
#include "core/query.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/latch.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/pg_lsn.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

/* So many failures, and no new state, are not to be waited out, ... */
#define COPY_FAILURES 3
/* ... after so many seconds, in which a peer may have been started again, ... */
#define COPY_FAILING_SECONDS 30
/* ... if there are no more between one and the next. */
#define COPY_APART_SECONDS 60
/* How often to look, in milliseconds. */
#define COPY_LOOK 100
/* Names in a message. */
#define COPY_NAMED 10

typedef struct CopyTable
{
	Oid relid;
	char state;     /* SUBREL_STATE_... */
	XLogRecPtr lsn; /* up to which it is copied */
	int pid;        /* of the worker that copies it, or 0 */
} CopyTable;

/* What is to be seen of a subscription at one time. */
typedef struct CopyView
{
	CopyTable *tables; /* by relid */
	int count;
	int ready;
	int copying;  /* workers that copy */
	bool applies; /* is there the worker that applies? */
	int64 moved;  /* bytes of rows and WAL that came for tables that are copied */
	int64 apply_errors;
	int64 copy_errors;
} CopyView;

typedef struct CopyWait
{
	const char *name;
	Oid subscription;
	CopyView now;
	CopyView before;
	MemoryContext contexts[2]; /* of now and before, in turn */

	TimestampTz progress; /* when there was some */
	TimestampTz applied;  /* when there was a worker that applies */
	TimestampTz failing;  /* since when failures follow one another */
	TimestampTz failed;   /* when the last one was seen */
	int64 in_a_row;       /* of these failures */
	int64 failures;       /* all of them since the last new state */
	int64 most_moved;     /* likewise */
} CopyWait;

static int
copy_table_order(const void *a, const void *b)
{
	Oid left = ((const CopyTable *) a)->relid;
	Oid right = ((const CopyTable *) b)->relid;

	return (left > right) - (left < right);
}

static void
copy_look_at_tables(CopyWait *wait)
{
	Relation catalog = table_open(SubscriptionRelRelationId, AccessShareLock);
	CopyView *view = &wait->now;
	int room = 16;
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple tuple;

	view->tables = palloc(sizeof(CopyTable) * room);
	ScanKeyInit(&key, Anum_pg_subscription_rel_srsubid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(wait->subscription));
	scan = systable_beginscan(catalog, InvalidOid, false, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_subscription_rel row = (Form_pg_subscription_rel) GETSTRUCT(tuple);
		CopyTable *table;
		bool isnull;
		Datum lsn = heap_getattr(tuple, Anum_pg_subscription_rel_srsublsn,
								 RelationGetDescr(catalog), &isnull);

		if (view->count == room)
			view->tables = repalloc(view->tables, sizeof(CopyTable) * (room *= 2));
		table = &view->tables[view->count++];
		table->relid = row->srrelid;
		table->state = row->srsubstate;
		table->lsn = isnull ? InvalidXLogRecPtr : DatumGetLSN(lsn);
		table->pid = 0;
		view->ready += row->srsubstate == SUBREL_STATE_READY;
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	qsort(view->tables, view->count, sizeof(CopyTable), copy_table_order);
}

/* Are all tables copied, and have only to come into step with the others? */
static bool
copy_is_catching_up(const CopyView *view)
{
	for (int i = 0; i < view->count; i++)
	{
		char state = view->tables[i].state;

		if (state == SUBREL_STATE_INIT || state == SUBREL_STATE_DATASYNC)
			return false;
	}
	return true;
}

static int64
copy_column(uint64 row, int column)
{
	bool isnull;
	Datum value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}

/* Asked for one subscription, the server tells of the first worker that it finds. */
static void
copy_look_at_workers(CopyWait *wait)
{
	static const char *const from =
		"SELECT w.pid::bigint, w.relid::bigint, (w.received_lsn - '0/0'::pg_lsn)::bigint, %s "
		"FROM pg_stat_get_subscription(NULL) w %s WHERE w.subid = $1 AND w.pid IS NOT NULL";
	QueryArguments arguments = {0};
	CopyView *view = &wait->now;
	uint64 count;

	query_argument(&arguments, OIDOID, ObjectIdGetDatum(wait->subscription), false);
	if (COMPAT_COPY_PROGRESS)
		count = query_run(psprintf(from, "c.bytes_processed",
								   "LEFT JOIN pg_stat_progress_copy c "
								   "ON c.pid = w.pid AND c.relid = w.relid"),
						  &arguments);
	else
		count = query_run(psprintf(from, "pg_table_size(w.relid)", ""), &arguments);
	for (uint64 row = 0; row < count; row++)
	{
		CopyTable key = {.relid = (Oid) copy_column(row, 2)};
		CopyTable *table;

		if (!OidIsValid(key.relid))
		{
			view->applies = true;
			if (copy_is_catching_up(view))
				view->moved += copy_column(row, 3);
			continue;
		}
		view->copying++;
		view->moved += copy_column(row, 3) + copy_column(row, 4);
		table = bsearch(&key, view->tables, view->count, sizeof(CopyTable), copy_table_order);
		if (table)
			table->pid = (int) copy_column(row, 1);
	}
	SPI_freetuptable(SPI_tuptable);

	if (COMPAT_ERROR_COUNTS)
	{
		query_run("SELECT pg_stat_clear_snapshot()", &(QueryArguments){0});
		SPI_freetuptable(SPI_tuptable);
		if (query_run("SELECT apply_error_count, sync_error_count "
					  "FROM pg_stat_get_subscription_stats($1)",
					  &arguments) == 1)
		{
			view->apply_errors = copy_column(0, 1);
			view->copy_errors = copy_column(0, 2);
		}
		SPI_freetuptable(SPI_tuptable);
	}
}

/* Another look, of which that before is kept to compare. */
static void
copy_look(CopyWait *wait)
{
	MemoryContext context = wait->contexts[1];

	wait->contexts[1] = wait->contexts[0];
	wait->contexts[0] = context;
	MemoryContextReset(context);
	context = MemoryContextSwitchTo(context);
	wait->before = wait->now;
	memset(&wait->now, 0, sizeof(CopyView));
	copy_look_at_tables(wait);
	copy_look_at_workers(wait);
	MemoryContextSwitchTo(context);
}

static bool
copy_has_new_state(const CopyWait *wait)
{
	if (wait->now.count != wait->before.count)
		return true;
	for (int i = 0; i < wait->now.count; i++)
	{
		const CopyTable *now = &wait->now.tables[i];
		const CopyTable *before = &wait->before.tables[i];

		if (now->relid != before->relid || now->state != before->state || now->lsn != before->lsn)
			return true;
	}
	return false;
}

/* Failures since the last look; a worker that is not there for a while is still remembered. */
static int64
copy_new_failures(CopyWait *wait)
{
	int64 count = 0;

	if (COMPAT_ERROR_COUNTS)
		return wait->now.apply_errors + wait->now.copy_errors -
			(wait->before.apply_errors + wait->before.copy_errors);
	for (int i = 0; i < wait->now.count; i++)
	{
		CopyTable *now = &wait->now.tables[i];
		const CopyTable *before = &wait->before.tables[i];

		if (now->pid == 0)
			now->pid = before->pid;
		else if (before->pid != 0 && now->pid != before->pid)
			count++;
	}
	return count;
}

/* As long as the server itself leaves between two attempts, with some to spare. */
static int64
copy_retry_time(int64 least)
{
	return Max(least, 3 * (int64) wal_retrieve_retry_interval * 1000);
}

static void
copy_note_failures(CopyWait *wait, int64 count, TimestampTz now)
{
	if (count <= 0)
		return;
	if (wait->in_a_row == 0 ||
		now - wait->failed > copy_retry_time(COPY_APART_SECONDS * USECS_PER_SEC))
	{
		wait->in_a_row = 0;
		wait->failing = now;
	}
	wait->failed = now;
	wait->in_a_row += count;
	wait->failures += count;
}

static void
copy_compare(CopyWait *wait)
{
	TimestampTz now = GetCurrentTimestamp();

	if (wait->now.applies)
		wait->applied = now;
	if (copy_has_new_state(wait))
	{
		wait->progress = now;
		wait->in_a_row = wait->failures = 0;
		wait->most_moved = wait->now.moved;
		return;
	}
	copy_note_failures(wait, copy_new_failures(wait), now);
	if (wait->now.moved > wait->most_moved &&
		(COMPAT_COPY_PROGRESS || wait->failures < COPY_FAILURES))
	{
		wait->progress = now;
		wait->most_moved = wait->now.moved;
	}
}

/*
 * Giving up
 */

static const char *
copy_state_name(char state)
{
	switch (state)
	{
		case SUBREL_STATE_INIT:
			return "not begun";
		case SUBREL_STATE_DATASYNC:
			return "being copied";
		default:
			return "copied, not in step yet";
	}
}

static const char *
copy_tables(const CopyView *view)
{
	StringInfoData list;
	int named = 0;

	initStringInfo(&list);
	for (int i = 0; i < view->count && named < COPY_NAMED; i++)
	{
		const CopyTable *table = &view->tables[i];
		const char *name = get_rel_name(table->relid);

		if (table->state == SUBREL_STATE_READY || name == NULL)
			continue;
		appendStringInfo(&list, "%s%s (%s)", named++ ? ", " : "",
						 quote_qualified_identifier(get_namespace_name(
														get_rel_namespace(table->relid)),
													name),
						 copy_state_name(table->state));
	}
	if (view->count - view->ready > named)
		appendStringInfo(&list, " and %d more", view->count - view->ready - named);
	return list.data;
}

static void
copy_give_up(const CopyWait *wait, const char *why)
{
	const CopyView *view = &wait->now;
	const char *errors = "";

	if (COMPAT_ERROR_COUNTS)
		errors = psprintf(" Errors so far: apply_error_count " INT64_FORMAT
						  ", sync_error_count " INT64_FORMAT ".",
						  view->apply_errors, view->copy_errors);
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg_internal("%s", why),
			 errdetail("%d of %d tables are in step; not: %s. The worker that applies %s; workers "
					   "that copy: %d.%s",
					   view->ready, view->count, copy_tables(view),
					   view->applies ? "runs" : "does not run", view->copying, errors),
			 errhint("The logs of this server and of the publisher have the error. Usually, on the "
					 "publisher, the role of the connection string may not read the tables (GRANT "
					 "SELECT, and USAGE on their schemas), pg_hba.conf does not let it in, or "
					 "wal_level, max_replication_slots or max_wal_senders do not suffice; here, "
					 "max_logical_replication_workers or max_worker_processes. When that is "
					 "changed the copy goes on by itself: wait again.")));
}

static void
copy_check(const CopyWait *wait, int64 patience)
{
	TimestampTz now = GetCurrentTimestamp();
	int64 failing = Min(patience, COPY_FAILING_SECONDS * USECS_PER_SEC);

	if (wait->in_a_row >= COPY_FAILURES && now - wait->failing >= failing)
		copy_give_up(wait,
					 psprintf("subscription \"%s\" fails to copy its tables, again and again",
							  wait->name));
	if (now - wait->applied >= copy_retry_time(failing))
		copy_give_up(wait, psprintf("no worker runs for subscription \"%s\"", wait->name));
	if (now - wait->progress >= patience)
		copy_give_up(wait,
					 psprintf("subscription \"%s\" has made no progress for " INT64_FORMAT " s",
							  wait->name, patience / USECS_PER_SEC));
}

static void
copy_check_subscription(const CopyWait *wait)
{
	HeapTuple tuple = SearchSysCache1(SUBSCRIPTIONOID, ObjectIdGetDatum(wait->subscription));
	bool enabled;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("subscription \"%s\" was dropped", wait->name)));
	enabled = ((Form_pg_subscription) GETSTRUCT(tuple))->subenabled;
	ReleaseSysCache(tuple);
	if (!enabled && wait->now.ready < wait->now.count)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("subscription \"%s\" is disabled", wait->name),
				 errdetail("%d of its %d tables are copied.", wait->now.ready, wait->now.count),
				 errhint("Use ALTER SUBSCRIPTION %s ENABLE.", quote_identifier(wait->name))));
	if (wait->now.count == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("subscription \"%s\" has no tables", wait->name),
				 errhint("Call create_merge_publication on the publisher, then here ALTER "
						 "SUBSCRIPTION %s REFRESH PUBLICATION.",
						 quote_identifier(wait->name))));
}

/* An interval in microseconds; infinity (17) is ten years, too. */
static int64
copy_patience(const Interval *interval)
{
	double span = (double) interval->time +
		((double) interval->day + (double) interval->month * DAYS_PER_MONTH) *
			(double) USECS_PER_DAY;

	if (span <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time without progress must be greater than zero")));
	return (int64) Min(span, 3650 * (double) USECS_PER_DAY);
}

PG_FUNCTION_INFO_V1(merge_copy_wait);
Datum
merge_copy_wait(PG_FUNCTION_ARGS)
{
	int64 patience = copy_patience(PG_GETARG_INTERVAL_P(1));
	CopyWait wait = {.name = NameStr(*PG_GETARG_NAME(0))};
	int level;

	wait.subscription = get_subscription_oid(wait.name, false);
	for (int i = 0; i < 2; i++)
		wait.contexts[i] = AllocSetContextCreate(CurrentMemoryContext, "copy of a subscription",
												 ALLOCSET_SMALL_SIZES);
	query_connect();
	level = query_path_enter();
	copy_look(&wait);
	wait.progress = wait.applied = GetCurrentTimestamp();
	wait.most_moved = wait.now.moved;
	copy_check_subscription(&wait);
	while (wait.now.ready < wait.now.count)
	{
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, COPY_LOOK,
						 PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		copy_look(&wait);
		copy_check_subscription(&wait);
		copy_compare(&wait);
		if (wait.now.ready < wait.now.count)
			copy_check(&wait, patience);
	}
	query_path_leave(level);
	query_finish();
	PG_RETURN_INT32(wait.now.count);
}
