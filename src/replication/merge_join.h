/*
 * merge_join.h
 *		The join of two rows of a merged table.
 */
#ifndef DISTRIBUTED_MERGE_JOIN_H
#define DISTRIBUTED_MERGE_JOIN_H

#include "postgres.h"

#include "access/htup.h"
#include "access/tupdesc.h"
#include "core/write_stamp.h"
#include "executor/tuptable.h"
#include "replication/merge_rule.h"

/* Values of a row, in the form of its table. */
typedef struct RowValues
{
	Datum *values;
	bool *nulls;
} RowValues;

/* What became of a row that was joined with another. */
typedef struct MergeOutcome
{
	bool changed;    /* does the join say more than the row that is there? */
	bool conflict;   /* and more than the other? */
	bool incomplete; /* was there a write whose value has not come? */
} MergeOutcome;

extern void row_values_init(RowValues *row, int count);
extern void row_values_open(RowValues *row, HeapTuple tuple, TupleDesc desc);
extern void row_values_copy(RowValues *row, const RowValues *from, int count);
extern void row_values_from_slot(RowValues *row, TupleTableSlot *slot);
extern void row_values_to_slot(TupleTableSlot *slot, const RowValues *row);
extern void row_values_own(const MergeRule *rule, RowValues *row);
extern void row_take(RowValues *row, const RowValues *from, int column);
extern bool row_same(const MergeRule *rule, const RowValues *a, const RowValues *b, int column);

extern struct varlena *row_stamp_of(const MergeRule *rule, const RowValues *row);
extern void row_set_stamp(const MergeRule *rule, RowValues *row, struct varlena *stamp);
extern struct varlena *row_stamp_without_writes(const struct varlena *flat);
extern WriteStamp merge_column_write(MergeRule *rule, const RowStamp *stamp, int column);
extern bool merge_forget_columns(const MergeRule *rule, RowStamp *stamp);
extern uint64 merge_value_hash(const MergeColumn *column, Datum value);
extern bool merge_column_includes(MergeRule *rule, int column, const RowValues *whole,
								  const RowValues *part);
extern void merge_join_rows(MergeRule *rule, RowValues *row, const RowValues *there,
							MergeOutcome *outcome);

#endif /* DISTRIBUTED_MERGE_JOIN_H */
