/*
 * merge_prune.c
 *		Forgetting what stamps say of columns that a table lacks.
 *
 * A stamp names the columns that were written later than their row.  The name of one
 * that was dropped, or renamed, stays there: it is never read, and a column that gets
 * the name later would find it.  This rewrites the rows that have such names, where
 * they are, and fires nothing.  A peer that has not dropped the column brings the name
 * back: so it is done where all servers have dropped it.
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

/* Take out the names that the table lacks; false if there are none. */
static bool
prune_stamp(MergeRule *rule, RowValues *row)
{
	RowStamp stamp;
	uint32 kept = 0;

	row_stamp_open(&stamp, row_stamp_of(rule, row));
	for (uint32 i = 0; i < stamp.ncolumns; i++)
	{
		const StampColumn *listed = &stamp.columns[i];
		bool known = false;

		for (int j = 0; j < rule->ncolumns && !known; j++)
		{
			const MergeColumn *column = &rule->columns[j];

			known = column->kind == MERGE_COLUMN_PLAIN && column->length == listed->length &&
				memcmp(column->name, listed->name, listed->length) == 0;
		}
		if (known)
			stamp.columns[kept++] = *listed;
	}
	if (kept == stamp.ncolumns)
		return false;
	stamp.ncolumns = kept;
	row_set_stamp(rule, row, row_stamp_close(&stamp));
	return true;
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
