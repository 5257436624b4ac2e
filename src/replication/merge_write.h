/*
 * merge_write.h
 *		Rows of merged tables that are written here.
 */
#ifndef DISTRIBUTED_MERGE_WRITE_H
#define DISTRIBUTED_MERGE_WRITE_H

#include "postgres.h"

#include "commands/trigger.h"
#include "replication/merge_join.h"

extern NodeName merge_local_node(MergeRule *rule);
extern const char *merge_key_text(const MergeRule *rule, const RowValues *row);
extern void merge_keep_key(MergeRule *rule, Relation table, RowValues *row, const RowValues *there,
						   bool *changed);
extern bool merge_row_is_large(const MergeRule *rule, TupleDesc desc, const RowValues *row);
extern void merge_stamp_large_values(MergeRule *rule, const RowValues *row, RowStamp *stamp);
extern void merge_stamp_new_row(MergeRule *rule, TupleDesc desc, RowValues *row, NodeName node);
extern void merge_take_over(MergeRule *rule, Relation table, RowValues *row,
							const RowValues *removed);
extern HeapTuple merge_write_insert(const TriggerData *trigger, MergeRule *rule, RowValues *row);
extern HeapTuple merge_write_update(const TriggerData *trigger, MergeRule *rule, RowValues *row,
									const RowValues *there);

#endif /* DISTRIBUTED_MERGE_WRITE_H */
