/*
 * merge_prune.c
 *		Having stamps tell of the columns that a table has by now.
 *
 * A stamp names the columns that were written later than their row.  The name of one
 * that was dropped, or renamed, stays there until the row is written; and a column that
 * gets the name later would find it.  The write of the row has a hash of the names of
 * its columns, which no longer tells of which they are: so none of them counts as
 * written, until one is.  And the write of a large value has a hash of it, which is that
 * of another one when the column has been given another type by an expression.
 *
 * This rewrites the rows of which that is so, where they are, and fires nothing.  All
 * columns that are there come to count as written with the row, and the values that are
 * there as those that were written: that is true if all servers have the same values, as
 * is asked of them when columns change.  The write is told by a time that is the next
 * within its nanosecond, the same on every server, so that the new hash takes the place
 * of the old one wherever they meet.
 */
#include "core/compat.h"

#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_inherits.h"
#include "core/write_stamp.h"
#include "miscadmin.h"
#include "replication/merge_join.h"
#include "replication/merge_prune.h"
#include "replication/merge_store.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

/* Give a write another hash, and its next time; false if it has that hash. */
static bool
prune_write(WriteStamp *write, uint64 hash)
{
	if (write->hash == hash)
		return false;
	write->at.logical++;
	write->hash = hash;
	return true;
}

/* The write of a large value, which may be another one by now, or not large. */
static bool
prune_column(MergeRule *rule, const RowValues *row, StampColumn *listed)
{
	for (int i = 0; i < rule->ncolumns; i++)
	{
		MergeColumn *column = &rule->columns[i];
		bool hashed = column->may_lack && !row->nulls[i];

		if (column->kind == MERGE_COLUMN_PLAIN && column->length == listed->length &&
			memcmp(column->name, listed->name, listed->length) == 0)
			return prune_write(&listed->write,
							   hashed ? merge_value_hash(column, row->values[i]) : 0);
	}
	return false;
}

/* Let the stamp of a row tell of the table's columns; false if it does. */
static bool
prune_stamp(MergeRule *rule, RowValues *row)
{
	RowStamp stamp;
	bool pruned;

	row_stamp_open(&stamp, row_stamp_of(rule, row));
	pruned = merge_forget_columns(rule, &stamp);
	for (uint32 i = 0; i < stamp.ncolumns; i++)
	{
		if (stamp.columns[i].write.hash != 0)
			pruned |= prune_column(rule, row, &stamp.columns[i]);
	}
	if (stamp.row.node.length > 0 && !merge_rule_knows(rule, stamp.row.hash))
		pruned |= prune_write(&stamp.row, rule->sent_columns);
	if (pruned)
		row_set_stamp(rule, row, row_stamp_close(&stamp));
	return pruned;
}

static uint64
prune_table(Relation table, Oid extension)
{
	MergeRule *rule = merge_rule_get(table, extension);
	Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
	TableScanDesc scan = table_beginscan(table, snapshot, 0, NULL);
	TupleTableSlot *there = table_slot_create(table, NULL);
	MergeStore store;
	TupleTableSlot *slot;
	uint64 pruned = 0;

	merge_store_open(&store, table, rule->key_index, STORE_FIRES_NOTHING);
	slot = merge_store_slot(&store);
	while (table_scan_getnextslot(scan, ForwardScanDirection, there))
	{
		RowValues row;

		CHECK_FOR_INTERRUPTS();
		row_values_from_slot(&row, there);
		if (!prune_stamp(rule, &row))
			continue;
		row_values_to_slot(slot, &row);
		if (merge_store_find(&store, slot, LockTupleExclusive))
			merge_store_update(&store, slot);
		pruned++;
	}
	ExecDropSingleTupleTableSlot(slot);
	merge_store_close(&store);
	ExecDropSingleTupleTableSlot(there);
	table_endscan(scan);
	UnregisterSnapshot(snapshot);
	return pruned;
}

/* Of a table that nobody else writes; how many rows had such names. */
uint64
merge_prune_rows(Oid oid, Oid extension)
{
	List *tables = find_all_inheritors(oid, AccessExclusiveLock, NULL);
	uint64 pruned = 0;
	ListCell *cell;

	foreach (cell, tables)
	{
		Relation table = table_open(lfirst_oid(cell), NoLock);

		if (table->rd_rel->relkind == RELKIND_RELATION)
			pruned += prune_table(table, extension);
		table_close(table, NoLock);
	}
	return pruned;
}
