/*
 * merge_arrive.c
 *		Rows that arrive at merged tables.
 *
 * PostgreSQL's logical replication applies a change as its publisher made it, so
 * the last to arrive overwrites.  Here, what is written is the join of the row that
 * is there and the one that arrives.  If that is the row that is there, nothing is
 * written: so nothing is published, and a change that every server republishes stops
 * where it is known.  The order of arrival, and how often a change does, make no
 * difference: any connected topology converges.
 *
 *		INSERT	that meets a row becomes an UPDATE of that, by which the row comes to
 *				be what an UPDATE that arrives would make it; so there is one join.
 *				It is done here, since the INSERT would fail, and go on failing.
 *		UPDATE	joins.  Values that were not sent, because they are unchanged and
 *				large, are those of the row that is there.
 *
 * An INSERT that changes the row which it meets travels on whole, and so does any
 * change while tables are being copied: peers may lack the row, and drop an UPDATE.
 * What travels whole goes first, so that a peer that lacks the row has it when the
 * UPDATE comes.
 */
#include "core/compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_subscription_rel.h"
#include "miscadmin.h"
#include "replication/merge_arrive.h"
#include "replication/merge_counts.h"
#include "replication/merge_local.h"
#include "replication/merge_own.h"
#include "replication/merge_removal.h"
#include "replication/merge_store.h"
#include "replication/merge_write.h"
#include "replication/worker_internal.h"
#include "storage/lock.h"
#include "utils/inval.h"
#include "utils/syscache.h"

/* Of advisory locks, users have the classes 1 and 2. */
#define COPY_LOCK_CLASS 3

/* A row that tells what a node has seen tells also by which way it has come. */
void
merge_arrive_hear(const MergeRule *rule, const RowValues *row)
{
	if (rule->permanent && !row->nulls[0] && !row->nulls[1])
		merge_node_heard(rule->extension, row->values[0], row->values[1]);
}

/*
 * Copies
 */

static bool copies_known = false; /* until a state changes */
static bool copies_go_on = false;
static bool copies_locked = false; /* in this transaction */

static void
copies_change(Datum argument, int cache, uint32 hash)
{
	copies_known = false;
}

static void
copies_unlock(XactEvent event, void *argument)
{
	copies_locked = false;
}

static void
copies_watch(void)
{
	static bool watched = false;

	if (watched)
		return;
	CacheRegisterSyscacheCallback(SUBSCRIPTIONRELMAP, copies_change, (Datum) 0);
	RegisterXactCallback(copies_unlock, NULL);
	watched = true;
}

/* Is any table of this database's subscriptions not in step yet? */
static bool
copies_are_made(void)
{
	Relation states;
	SysScanDesc scan;
	HeapTuple tuple;

	copies_watch();
	if (copies_known)
		return copies_go_on;
	/* what changes while we look is looked at again */
	copies_known = true;
	copies_go_on = false;
	states = table_open(SubscriptionRelRelationId, AccessShareLock);
	scan = systable_beginscan(states, InvalidOid, false, NULL, 0, NULL);
	while (!copies_go_on && HeapTupleIsValid(tuple = systable_getnext(scan)))
		copies_go_on = ((Form_pg_subscription_rel) GETSTRUCT(tuple))->srsubstate !=
			SUBREL_STATE_READY;
	systable_endscan(scan);
	table_close(states, AccessShareLock);
	return copies_go_on;
}

/*
 * The first row of a copy.  Those of a table and of its companion look for each
 * other's rows, and would wait for each other: one of them waits for the other to
 * end.
 */
void
merge_arrive_begin(MergeRule *rule, Relation written)
{
	LOCKTAG tag;

	if (copies_locked || MyLogicalRepWorker == NULL || !OidIsValid(MyLogicalRepWorker->relid))
		return;
	copies_watch();
	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, rule->companion, 0, COPY_LOCK_CLASS);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
	copies_locked = true;
}

/*
 * Rows
 */

/* INSERT. */
void
merge_arrive_insert(const TriggerData *trigger, MergeRule *rule, RowValues *row)
{
	Relation table = trigger->tg_relation;
	struct varlena *stamp = row_stamp_marked(row_stamp_of(rule, row), 0);
	MergeStore store;
	TupleTableSlot *slot;
	MergeRevival revival = REVIVAL_NONE;

	merge_arrive_begin(rule, table);
	merge_arrive_hear(rule, row);
	merge_store_open(&store, table, rule->key_index, STORE_FIRES_USERS);
	slot = merge_store_slot(&store);
	for (;;)
	{
		row_set_stamp(rule, row, stamp);
		row_values_to_slot(slot, row);
		if (merge_store_find(&store, slot, LockTupleExclusive))
		{
			row_set_stamp(rule, row, row_stamp_marked(stamp, STAMP_ARRIVES | STAMP_WHOLE));
			row_values_to_slot(slot, row);
			merge_store_update(&store, slot);
			break;
		}
		if (revival == REVIVAL_NONE)
		{
			revival = merge_removal_revive(rule, table, row);
			stamp = row_stamp_of(rule, row);
		}
		if (revival == REVIVAL_COVERED || revival == REVIVAL_UNCHANGED)
		{
			merge_counts_add(rule->root,
							 revival == REVIVAL_COVERED ? MERGE_MERGED : MERGE_UNCHANGED);
			break;
		}
		row_values_to_slot(slot, row);
		if (merge_store_insert(&store, slot))
		{
			if (revival == REVIVAL_NONE)
				merge_own_check(rule, table, row, NULL);
			merge_counts_add(rule->root, revival == REVIVAL_JOINED ? MERGE_MERGED : MERGE_INSERTED);
			break;
		}
	}
	ExecDropSingleTupleTableSlot(slot);
	merge_store_close(&store);
}

/* UPDATE, or an INSERT that has met a row. */
HeapTuple
merge_arrive_update(const TriggerData *trigger, MergeRule *rule, RowValues *row,
					const RowValues *there)
{
	Relation table = trigger->tg_relation;
	struct varlena *stamp = row_stamp_of(rule, row);
	bool whole = (row_stamp_marks(stamp) & STAMP_WHOLE) != 0;
	bool kept;
	RowStamp joined;
	MergeOutcome outcome;

	row_set_stamp(rule, row, row_stamp_marked(stamp, 0));
	merge_keep_key(rule, table, row, there, &kept);
	if (!whole)
		merge_arrive_hear(rule, row);
	merge_own_check(rule, table, row, there);
	merge_join_rows(rule, row, there, &outcome);
	merge_counts_add(rule->root, outcome.changed ? MERGE_MERGED : MERGE_UNCHANGED);
	if (outcome.conflict)
		merge_counts_add(rule->root, MERGE_CONFLICTS);
	if (outcome.incomplete)
		merge_counts_add(rule->root, MERGE_INCOMPLETE);
	if (!outcome.changed)
		return NULL;
	row_stamp_open(&joined, row_stamp_of(rule, row));
	if (!row_stamp_present(&joined))
	{
		merge_removal_cover(rule, table, row);
		return NULL;
	}
	/* one that is large here only is stored elsewhere here only */
	if (merge_row_is_large(rule, RelationGetDescr(table), row))
	{
		merge_stamp_large_values(rule, row, &joined);
		row_set_stamp(rule, row, row_stamp_close(&joined));
	}
	if (whole || (MyLogicalRepWorker != NULL && copies_are_made()))
		merge_removal_pass(rule, row);
	return heap_form_tuple(RelationGetDescr(table), row->values, row->nulls);
}
