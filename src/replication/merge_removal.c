/*
 * merge_removal.c
 *		Removed rows of merged tables, in the tables' companions.
 *
 * A row that is deleted is gone from its table.  What is to be known of it, its key,
 * its lattice columns and what was seen of it, goes into the companion, and by its
 * publication to the peers, as an INSERT.  So does a whole row that must reach peers
 * where it may be missing, since PostgreSQL's apply drops an UPDATE of a missing row:
 * it is inserted into the companion and deleted there in one transaction, and where
 * it arrives it is one that arrives at the table.
 *
 * Why this is sound
 *
 * Of a key, a server has a row, or a removal, or nothing; of that we look at the
 * presence: live dots and context, all dots that were seen.  A row has live dots, a
 * removal has none.  Both are joined as add-wins flags, so if every server came to join
 * all states there are, all would have the same.  What must be shown is that no state
 * gets lost on its way.  A link (publisher, subscriber) is a queue: what is committed
 * arrives in that order, once or, after a crash, again.  Every change of a state is
 * published: a row that appears as an INSERT, a changed one as an UPDATE, both of the
 * table; a removal that appears or changes as an INSERT of the companion.  Deletes are
 * not published.  A state that joins nothing new is not written, so it ends there.
 *
 * The one thing that may be lost is an UPDATE, where there is no row.  So the claim to
 * be kept is: for each link, what the publisher has is covered by the join of what the
 * subscriber has and of what the queue brings *as INSERTs*, of either relation, and of
 * UPDATEs that find a row.  Three rules keep it:
 *
 *	[marker]	A removal adds a dot of its own to the context, though it brings nothing
 *				to life.  So no row has a removal's context by itself: a row that meets a
 *				removal and survives it learns something, and is changed by it.
 *	[whole]		A row that survives a removal which told it something travels whole
 *				(STAMP_WHOLE, merge_removal_pass) besides being updated, and before that.
 *	[insert]	So does a row that an arriving INSERT has changed; and while any table is
 *				being copied to this server, one that an UPDATE has changed.
 *
 * And one makes it end:
 *
 *	[stable]	A removal is purged only when every server is known to have its context,
 *				and to have sent what it did before: merge_acknowledge.c.  Where such a
 *				removal meets a row none of whose dots it has seen, there is nothing to
 *				join (is_gone): here or elsewhere the row has begun anew without it.
 *
 * Case by case:
 *
 * UPDATE of a row that is missing where it arrives.  There is no row because (a) it was
 * never here: then its INSERT is behind, in another queue, or was not copied yet; since
 * an UPDATE follows an INSERT of its publisher's, or of something that has come to its
 * publisher as one and went on as one, the state that it tells comes as an INSERT by
 * this link, before it, or after it by [insert]; or (b) a removal is here.  The
 * publisher, when it sent this, had not joined that removal.  When it does, by whatever
 * way, the row that it has dies of it, and the removal travels; or survives, is changed
 * by [marker], and comes as an INSERT by [whole].  That it may be the subscriber's own
 * removal, which comes back to the publisher only, does not matter.
 *
 * A removal meets a later write.  The row has a live dot that the removal has not seen.
 * It is updated in place, never deleted and inserted again: who waits for the row under
 * READ COMMITTED would find none.  It travels whole, before its UPDATE is published,
 * since the peer that has the removal must have the row when the UPDATE comes; and by
 * [marker] this happens once per removal and server.  Two such rows that meet join, as
 * rows do.
 *
 * The row is inserted again.  Where the removal is known, the new row takes up its
 * context and its lattice columns, and ends it (merge_removal_inserted), with a new dot
 * that is greater than any in that context (merge_time.c).  The INSERT that peers get
 * is of the new row alone, and the UPDATE behind it, in the same transaction, is of the
 * row that has taken up the rest; a peer that has the removal joins it with the INSERT
 * itself.  If the INSERT's dot is in the removal's context, that peer drops both: then
 * the row is passed whole between them (take_over_there).
 * Where the removal is not known yet it is a concurrent write, as above.  A key deleted
 * and inserted by one statement fires AFTER DELETE when the new row is there: that row
 * takes up the removal (take_over_there).  The row that takes it up has been locked, or
 * else its inserter is waited for: table first, companion second, everywhere.
 *
 * Purged here and not there.  Context and dots of the purged removal are behind the
 * horizons of all servers, by all links.  No row of dots it has seen is under way
 * any more; the peer that still has it sends it again only if it changes there, which
 * takes a row or removal with something new.  If the key is inserted again here, the
 * row has but new dots, its lattice columns begin anew, and where it arrives the other
 * server's removal counts as gone, or what was counted before would be counted there
 * and not here.  is_gone asks both: that everyone has seen the removal, and that it has
 * seen none of the row's dots.  A row of which it has seen some was not begun anew; it
 * may have come late by another way, and that removal must go on behind it.  A removal
 * that arrives where it has been purged is kept again, and purged again.
 *
 * The initial copy.  Table and companion are copied at moments of their own, in either
 * order, and each with its queue from there on.
 *	- Table first: a row that is removed before the companion is copied is in that
 *	  copy, as a removal; one removed after it is in the queue.
 *	- Companion first: a row that is removed between is in neither copy, but in the
 *	  companion's queue, which begins where its copy ends.  A row whose removal was
 *	  copied and that was inserted again is in the table's copy, and its removal, if it
 *	  has ended there, still is here: they join as they would have there.
 *	- What arrives by other links meanwhile and is changed here travels whole, by
 *	  [insert]: peers that copy from us at the same time may have neither.
 *	- Both copies fire the triggers and look for each other's rows, so that they would
 *	  wait for each other: the first row of either takes one lock per pair
 *	  (merge_arrive_begin).
 *	- A server that joins is in merge_nodes from its first breath, and a server that is
 *	  copying acknowledges nothing, so no removal is purged between the two copies.
 *
 * A row removed while it is copied.  The copy has the row as its snapshot had it, the
 * queue behind it the removal; or the copy of the companion has the removal and the row
 * comes after it, and is covered (REVIVAL_COVERED).
 *
 * Transactions skipped.  The claim is broken for that link by whoever skips one, and
 * nothing here can know.  It is restored by resync of the publisher, which sends all
 * rows and all removals as INSERTs.
 *
 * Three in a ring, or any graph in which there is a way from each to each.  The claim is
 * one of single links, and what changes a state is published to all of them, whatever
 * it came by.  A state that returns to where it is known changes nothing, and ends.
 *
 * t/108_removal_model.pl tries all this on a model, and shows that without any of the
 * rules it does not hold.
 */
#include "core/compat.h"

#include "access/table.h"
#include "core/node_table.h"
#include "miscadmin.h"
#include "replication/merge_arrive.h"
#include "replication/merge_counts.h"
#include "replication/merge_nodes.h"
#include "replication/merge_own.h"
#include "replication/merge_partition.h"
#include "replication/merge_removal.h"
#include "replication/merge_shape.h"
#include "replication/merge_store.h"
#include "replication/merge_time.h"
#include "replication/merge_write.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/*
 * The companion
 */

/*
 * Has the companion been altered while we waited for its lock?  What is known of it
 * would then put values into columns of another type.
 */
static void
companion_check_form(const MergeCompanion *companion)
{
	const MergeRule *rule = companion->rule;
	TupleDesc desc = RelationGetDescr(companion->relation);

	for (int i = 0; i < rule->ncolumns; i++)
	{
		int there = i == rule->stamp ? rule->companion_stamp : rule->columns[i].companion;

		if (there < 0 || (i != rule->stamp && rule->columns[i].kind == MERGE_COLUMN_IGNORED))
			continue;
		if (TupleDescAttr(desc, there)->attisdropped ||
			TupleDescAttr(desc, there)->atttypid != rule->columns[i].type)
			ereport(ERROR,
					(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
					 errmsg("table \"%s\" has been altered meanwhile",
							RelationGetRelationName(companion->relation)),
					 errhint("Try again.")));
	}
}

static void
companion_open(MergeCompanion *companion, MergeRule *rule)
{
	companion->rule = rule;
	companion->relation = table_open(rule->companion, RowExclusiveLock);
	if (!rule->valid)
		companion_check_form(companion);
	merge_store_open(&companion->store, companion->relation, rule->companion_key,
					 STORE_FIRES_NOTHING);
	companion->row = merge_store_slot(&companion->store);
}

static void
companion_close(MergeCompanion *companion)
{
	ExecDropSingleTupleTableSlot(companion->row);
	merge_store_close(&companion->store);
	table_close(companion->relation, NoLock);
}

/* Fill the slot from a row of the table. */
static void
companion_set(MergeCompanion *companion, const RowValues *row, bool whole)
{
	const MergeRule *rule = companion->rule;
	TupleTableSlot *slot = companion->row;
	int natts = RelationGetNumberOfAttributes(companion->relation);

	ExecClearTuple(slot);
	memset(slot->tts_values, 0, sizeof(Datum) * natts);
	memset(slot->tts_isnull, true, sizeof(bool) * natts);
	for (int i = 0; i < rule->ncolumns; i++)
	{
		int there = rule->columns[i].companion;

		if (there < 0 || (!whole && rule->columns[i].kind == MERGE_COLUMN_PLAIN))
			continue;
		slot->tts_values[there] = row->values[i];
		slot->tts_isnull[there] = row->nulls[i];
	}
	slot->tts_values[rule->companion_stamp] = row->values[rule->stamp];
	slot->tts_isnull[rule->companion_stamp] = row->nulls[rule->stamp];
	ExecStoreVirtualTuple(slot);
}

/* A row of the table's form from a slot of the companion's. */
static void
companion_get(const MergeRule *rule, TupleTableSlot *slot, RowValues *row)
{
	row_values_init(row, rule->ncolumns);
	slot_getallattrs(slot);
	for (int i = 0; i < rule->ncolumns; i++)
	{
		int there = i == rule->stamp ? rule->companion_stamp : rule->columns[i].companion;

		if (there < 0 || (i != rule->stamp && rule->columns[i].kind == MERGE_COLUMN_IGNORED))
			continue;
		row->values[i] = slot->tts_values[there];
		row->nulls[i] = slot->tts_isnull[there];
	}
}

/* Find, and lock, the removal of a row's key; its values are the caller's to keep. */
static bool
companion_find(MergeCompanion *companion, const RowValues *row, RowValues *removed)
{
	companion_set(companion, row, false);
	if (!merge_store_find(&companion->store, companion->row, LockTupleExclusive))
		return false;
	companion_get(companion->rule, companion->store.there, removed);
	row_values_own(companion->rule, removed);
	return true;
}

static void
companion_check(const MergeRule *rule, const char *table)
{
	if (rule->uncompanioned >= 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("column \"%s\" of merged table \"%s\" is not in its companion",
						rule->columns[rule->uncompanioned].name, table),
				 errdetail("What was counted there would be lost with the row."),
				 errhint("Call enable_merge again.")));
}

/* Insert a removal; false if there is one of its key by now. */
static bool
companion_insert(MergeCompanion *companion, const RowValues *row)
{
	companion_check(companion->rule, RelationGetRelationName(companion->relation));
	companion_set(companion, row, false);
	return merge_store_insert(&companion->store, companion->row);
}

/*
 * Put a removal into the companion, joined with that of its key, if there is one.  A
 * second one takes the place of the first, so that peers get it as an INSERT.
 */
static bool
companion_put(MergeCompanion *companion, RowValues *row)
{
	for (;;)
	{
		RowValues removed;

		if (companion_find(companion, row, &removed))
		{
			MergeOutcome outcome;

			merge_join_rows(companion->rule, row, &removed, &outcome);
			if (!outcome.changed)
				return false;
			merge_store_delete(&companion->store);
		}
		if (companion_insert(companion, row))
			return true;
	}
}

/* Keep a removal. */
void
merge_removal_keep(MergeRule *rule, RowValues *row)
{
	MergeCompanion companion;

	companion_open(&companion, rule);
	(void) companion_put(&companion, row);
	companion_close(&companion);
}

/* Send a whole row to all peers. */
void
merge_removal_pass(MergeRule *rule, const RowValues *row)
{
	MergeCompanion companion;

	companion_open(&companion, rule);
	companion_set(&companion, row, true);
	merge_store_pass(&companion.store, companion.row);
	companion_close(&companion);
}

/* Send a removal to all peers again: it is inserted anew.  How many there are of the key. */
uint64
merge_removal_renew(MergeRule *rule, const RowValues *key)
{
	MergeCompanion companion;
	RowValues removed;
	bool found;

	companion_open(&companion, rule);
	found = companion_find(&companion, key, &removed);
	if (found)
	{
		merge_store_delete(&companion.store);
		(void) companion_insert(&companion, &removed);
	}
	companion_close(&companion);
	return found;
}

/*
 * All removals of a table
 */

void
merge_removals_open(MergeRemovals *removals, MergeRule *rule)
{
	companion_open(&removals->companion, rule);
	removals->snapshot = RegisterSnapshot(GetLatestSnapshot());
	removals->scan = table_beginscan(removals->companion.relation, removals->snapshot, 0, NULL);
	removals->current = table_slot_create(removals->companion.relation, NULL);
	removals->memory = AllocSetContextCreate(CurrentMemoryContext, "removal",
											 ALLOCSET_DEFAULT_SIZES);
}

/* Step to the next one, whose values are gone at the one after it; false at the end. */
bool
merge_removals_next(MergeRemovals *removals, RowValues *row)
{
	MemoryContext caller;

	CHECK_FOR_INTERRUPTS();
	MemoryContextReset(removals->memory);
	if (!table_scan_getnextslot(removals->scan, ForwardScanDirection, removals->current))
		return false;
	caller = MemoryContextSwitchTo(removals->memory);
	companion_get(removals->companion.rule, removals->current, row);
	MemoryContextSwitchTo(caller);
	return true;
}

/* Delete the current one; false if somebody has done so, or has put another in its place. */
bool
merge_removals_delete(MergeRemovals *removals)
{
	MergeStore *store = &removals->companion.store;

	if (!merge_store_find(store, removals->current, LockTupleExclusive) ||
		!ItemPointerEquals(&store->there->tts_tid, &removals->current->tts_tid))
		return false;
	merge_store_delete(store);
	return true;
}

void
merge_removals_close(MergeRemovals *removals)
{
	MemoryContextDelete(removals->memory);
	ExecDropSingleTupleTableSlot(removals->current);
	table_endscan(removals->scan);
	UnregisterSnapshot(removals->snapshot);
	companion_close(&removals->companion);
}

/*
 * What removals make of rows
 */

static bool
is_removed(const MergeRule *rule, const RowValues *row)
{
	RowStamp stamp;

	row_stamp_open(&stamp, row_stamp_of(rule, row));
	return !row_stamp_present(&stamp);
}

/*
 * Has a removal seen none of the dots that hold a row?  Where it has seen some of
 * them, the row was not written anew only: by another way, the old one can come late
 * to where its removal has been purged, meet a new one of its key, and have its
 * removal behind it.
 */
static bool
outlives(const RowStamp *row, const RowStamp *removed)
{
	bool lives = false;

	for (uint32 i = 0; i < row->nnodes; i++)
	{
		bool found;
		uint32 index;

		if (row->nodes[i].live == 0)
			continue;
		lives = true;
		index = row_stamp_find_node(removed, row->nodes[i].node, &found);
		if (found && removed->nodes[index].context >= row->nodes[i].live)
			return false;
	}
	return lives;
}

/*
 * Has a row been removed, as everyone knows, and been written again?  Then there is
 * nothing to join: the new one may have begun anew, where the removal had been
 * purged, and if not it has all of that.
 */
static bool
is_gone(const MergeRule *rule, const RowValues *removed, const RowValues *row)
{
	RowStamp gone;
	RowStamp here;
	NodeTable seen;
	NodeTable stable;
	PartialOrder order;

	if (rule->permanent)
		return false;
	row_stamp_open(&gone, row_stamp_of(rule, removed));
	row_stamp_open(&here, row_stamp_of(rule, row));
	if (!outlives(&here, &gone))
		return false;
	node_table_open(&seen, row_stamp_context(&gone), 1);
	node_table_open(&stable, merge_nodes_stable(rule->extension), 1);
	order = node_table_order(&seen, &stable);
	return order == ORDER_BEFORE || order == ORDER_EQUAL;
}

/* The removal as it meets a row: it has no values of plain columns to tell. */
static void
forget_writes(const MergeRule *rule, RowValues *removed)
{
	row_set_stamp(rule, removed, row_stamp_without_writes(row_stamp_of(rule, removed)));
}

/* What becomes of a row whose removal is there, and was found. */
static MergeRevival
revive(MergeCompanion *companion, RowValues *row, RowValues *removed)
{
	MergeRule *rule = companion->rule;
	MergeOutcome outcome;
	RowValues joined;

	if (is_gone(rule, removed, row))
	{
		merge_store_delete(&companion->store);
		return REVIVAL_JOINED;
	}
	row_values_copy(&joined, row, rule->ncolumns);
	merge_join_rows(rule, &joined, removed, &outcome);
	if (is_removed(rule, &joined))
	{
		if (!outcome.changed)
			return REVIVAL_UNCHANGED;
		merge_store_delete(&companion->store);
		(void) companion_put(companion, &joined);
		return REVIVAL_COVERED;
	}
	/* what nobody has written is what the row has, too */
	forget_writes(rule, removed);
	merge_join_rows(rule, removed, row, &outcome);
	*row = *removed;
	merge_store_delete(&companion->store);
	return REVIVAL_JOINED;
}

/*
 * A row arrives where there is none of its key.  If the key was removed, the row
 * takes up what is known of that; where the removal has seen it, it stays removed.
 */
MergeRevival
merge_removal_revive(MergeRule *rule, Relation table, RowValues *row)
{
	MergeRevival revival = REVIVAL_NONE;
	MergeCompanion companion;
	RowValues removed;

	companion_open(&companion, rule);
	if (companion_find(&companion, row, &removed))
	{
		merge_own_check(rule, table, row, &removed);
		revival = revive(&companion, row, &removed);
	}
	companion_close(&companion);
	return revival;
}

/*
 * Delete the row of a key from its table, if it is there, as a row that arrives
 * removes it, and keep its removal.
 */
void
merge_removal_cover(MergeRule *rule, Relation table, RowValues *row)
{
	TupleTableSlot *key;
	MergeStore store;

	row_values_own(rule, row);
	merge_store_open(&store, table, rule->key_index, STORE_FIRES_USERS);
	key = merge_store_slot(&store);
	row_values_to_slot(key, row);
	if (merge_store_find(&store, key, LockTupleExclusive))
		merge_store_delete(&store);
	ExecDropSingleTupleTableSlot(key);
	merge_store_close(&store);
	merge_removal_keep(rule, row);
}

/*
 * Rows that are written here
 */

/* Has a removal seen all that holds a row? */
static bool
covers(const MergeRule *rule, const RowValues *removed, const RowValues *row)
{
	RowStamp gone;
	RowStamp here;
	RowStamp joined;

	row_stamp_open(&gone, row_stamp_of(rule, removed));
	row_stamp_open(&here, row_stamp_of(rule, row));
	row_stamp_join(&joined, &here, &gone);
	return !row_stamp_present(&joined);
}

/*
 * Let the row of the key that is there take up what was removed; false if there is
 * none.  The removal, in the companion if that is given, ends.
 *
 * The INSERT of the row may have a dot that is in the removal's context: the removal's
 * own dot may be later than the clock, or than when the INSERT began that waited for
 * the DELETE to end.  Peers drop such an INSERT, and then the UPDATE.  So the row
 * is passed whole, with its next dot.
 */
static bool
take_over_there(MergeRule *rule, Relation table, const RowValues *removed,
				MergeCompanion *companion)
{
	MergeStore store;
	TupleTableSlot *slot;
	bool found;

	merge_store_open(&store, table, rule->key_index, STORE_FIRES_NOTHING);
	slot = merge_store_slot(&store);
	row_values_to_slot(slot, removed);
	found = merge_store_find(&store, slot, LockTupleExclusive);
	if (found)
	{
		RowValues row;
		bool covered;

		row_values_from_slot(&row, store.there);
		covered = covers(rule, removed, &row);
		merge_take_over(rule, table, &row, removed);
		if (companion)
			merge_store_delete(&companion->store);
		if (covered)
			merge_removal_pass(rule, &row);
		row_values_to_slot(slot, &row);
		merge_store_update(&store, slot);
	}
	ExecDropSingleTupleTableSlot(slot);
	merge_store_close(&store);
	return found;
}

/*
 * A row was deleted here: keep what is to be known of it.  Where its key is there
 * again, as one that a statement has deleted and inserted, that row takes it up.
 */
void
merge_removal_deleted(MergeRule *rule, Relation table, RowValues *row)
{
	NodeName node = merge_local_node(rule);
	RowStamp stamp;

	companion_check(rule, RelationGetRelationName(table));
	row_values_own(rule, row);
	row_stamp_open(&stamp, row_stamp_of(rule, row));
	row_stamp_remove(&stamp, node, merge_time_of_removal(row_stamp_latest(&stamp)));
	row_set_stamp(rule, row, row_stamp_close(&stamp));
	if (!take_over_there(rule, table, row, NULL))
		merge_removal_keep(rule, row);
}

/*
 * A row was inserted here.  If its key had been removed, it takes that up, now that
 * it is there: nobody who inserts a row is to be told, in RETURNING or by a
 * constraint, what was removed.  And whoever has removed the key meanwhile has ended.
 */
void
merge_removal_inserted(MergeRule *rule, Relation table, const RowValues *row)
{
	MergeCompanion companion;
	RowValues removed;
	bool found;

	companion_open(&companion, rule);
	found = companion_find(&companion, row, &removed);
	/* it may be that of the row itself, which a trigger has deleted again */
	if (found)
	{
		if (is_gone(rule, &removed, row))
			merge_store_delete(&companion.store);
		else
			(void) take_over_there(rule, table, &removed, &companion);
	}
	companion_close(&companion);
}

/*
 * Rows that arrive
 */

/* One that was passed whole arrives at the table. */
static void
pass_on(MergeRule *rule, Relation table, RowValues *row)
{
	MergeStore store;
	TupleTableSlot *slot;

	row_set_stamp(rule, row, row_stamp_marked(row_stamp_of(rule, row), STAMP_ARRIVES));
	merge_store_open(&store, table, rule->key_index, STORE_FIRES_USERS);
	slot = merge_store_slot(&store);
	row_values_to_slot(slot, row);
	merge_store_arrive(&store, slot);
	ExecDropSingleTupleTableSlot(slot);
	merge_store_close(&store);
}

/* A removal meets the row that is there. */
static void
remove_there(MergeRule *rule, Relation table, MergeStore *store, RowValues *removal)
{
	RowValues there;
	RowValues joined;
	MergeOutcome outcome;

	row_values_from_slot(&there, store->there);
	merge_own_check(rule, table, removal, &there);
	if (is_gone(rule, removal, &there))
	{
		merge_counts_add(rule->root, MERGE_UNCHANGED);
		return;
	}
	row_values_copy(&joined, removal, rule->ncolumns);
	merge_join_rows(rule, &joined, &there, &outcome);
	if (is_removed(rule, &joined))
	{
		merge_counts_add(rule->root, MERGE_MERGED);
		if (outcome.conflict)
			merge_counts_add(rule->root, MERGE_CONFLICTS);
		merge_removal_cover(rule, table, &joined);
	}
	else
	{
		TupleTableSlot *slot = merge_store_slot(store);

		/* the row has a write that the removal has not seen; the trigger joins them */
		forget_writes(rule, removal);
		row_set_stamp(rule, removal,
					  row_stamp_marked(row_stamp_of(rule, removal), STAMP_ARRIVES | STAMP_WHOLE));
		row_values_to_slot(slot, removal);
		merge_store_update(store, slot);
		ExecDropSingleTupleTableSlot(slot);
	}
}

/* A removal arrives. */
static void
arrive_removal(MergeRule *rule, Relation table, RowValues *removal)
{
	MergeStore store;
	TupleTableSlot *key;
	bool done = false;
	bool counted = false;

	merge_store_open(&store, table, rule->key_index, STORE_FIRES_USERS);
	key = merge_store_slot(&store);
	while (!done)
	{
		row_values_to_slot(key, removal);
		if (merge_store_find(&store, key, LockTupleExclusive))
		{
			remove_there(rule, table, &store, removal);
			done = true;
		}
		else
		{
			MergeCompanion companion;
			bool changed;

			companion_open(&companion, rule);
			changed = companion_put(&companion, removal);
			if (!counted)
				merge_counts_add(rule->root, changed ? MERGE_INSERTED : MERGE_UNCHANGED);
			counted = true;
			done = true;
			/* somebody may have inserted the key before he could see the removal */
			if (changed && merge_store_find(&store, key, LockTupleExclusive))
			{
				RowValues mine;

				if (companion_find(&companion, removal, &mine))
					merge_store_delete(&companion.store);
				done = false;
			}
			companion_close(&companion);
		}
	}
	ExecDropSingleTupleTableSlot(key);
	merge_store_close(&store);
}

/* A row arrives at a companion: a removal, or a row that is passed whole. */
void
merge_removal_arrive(Relation companion, Oid table_oid, Oid extension, HeapTuple tuple)
{
	TupleTableSlot *slot;
	Relation root;
	Relation table;
	MergeRule *rule;
	RowValues row;

	root = table_open(table_oid, RowExclusiveLock);
	rule = merge_rule_get(root, extension);
	slot = MakeSingleTupleTableSlot(RelationGetDescr(companion), &TTSOpsHeapTuple);
	ExecStoreHeapTuple(tuple, slot, false);
	companion_get(rule, slot, &row);
	table = merge_partition_open(root, rule, &row);
	if (table != root)
	{
		rule = merge_rule_get(table, extension);
		companion_get(rule, slot, &row);
	}
	row_set_stamp(rule, &row, row_stamp_marked(row_stamp_of(rule, &row), 0));
	merge_arrive_begin(rule, companion);
	if (is_removed(rule, &row))
	{
		merge_arrive_hear(rule, &row);
		arrive_removal(rule, table, &row);
		if (rule->permanent)
			merge_nodes_check_again(extension);
	}
	else
		pass_on(rule, table, &row);
	if (table != root)
		table_close(table, NoLock);
	table_close(root, NoLock);
	ExecDropSingleTupleTableSlot(slot);
}
