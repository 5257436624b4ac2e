/*
 * merge_removal.h
 *		Removed rows of merged tables, in the tables' companions.
 */
#ifndef DISTRIBUTED_MERGE_REMOVAL_H
#define DISTRIBUTED_MERGE_REMOVAL_H

#include "postgres.h"

#include "access/tableam.h"
#include "replication/merge_join.h"
#include "replication/merge_store.h"
#include "utils/snapshot.h"

/* What a removal makes of a row that arrives where there is none. */
typedef enum MergeRevival
{
	REVIVAL_NONE,    /* the key was not removed */
	REVIVAL_JOINED,  /* it was; the row has taken that up, and is to be inserted */
	REVIVAL_COVERED, /* the removal has seen the row, or comes to say more by it */
	REVIVAL_UNCHANGED
} MergeRevival;

/* The companion of a table, open for writing. */
typedef struct MergeCompanion
{
	MergeRule *rule;
	Relation relation;
	MergeStore store;
	TupleTableSlot *row; /* to be written, or the key to find */
} MergeCompanion;

/* A walk along all removals of a table. */
typedef struct MergeRemovals
{
	MergeCompanion companion;
	Snapshot snapshot;
	TableScanDesc scan;
	TupleTableSlot *current;
	MemoryContext memory; /* of the current one */
} MergeRemovals;

extern void merge_removals_open(MergeRemovals *removals, MergeRule *rule);
extern bool merge_removals_next(MergeRemovals *removals, RowValues *row);
extern bool merge_removals_delete(MergeRemovals *removals);
extern void merge_removals_close(MergeRemovals *removals);
extern uint64 merge_removal_renew(MergeRule *rule, const RowValues *key);

extern void merge_removal_pass(MergeRule *rule, const RowValues *row);
extern void merge_removal_keep(MergeRule *rule, RowValues *row);
extern MergeRevival merge_removal_revive(MergeRule *rule, Relation table, RowValues *row);
extern void merge_removal_cover(MergeRule *rule, Relation table, RowValues *row);
extern void merge_removal_deleted(MergeRule *rule, Relation table, RowValues *row);
extern void merge_removal_inserted(MergeRule *rule, Relation table, const RowValues *row);
extern void merge_removal_arrive(Relation companion, Oid table, Oid extension, HeapTuple tuple);

#endif /* DISTRIBUTED_MERGE_REMOVAL_H */
