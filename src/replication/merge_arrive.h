/*
 * merge_arrive.h
 *		Rows that arrive at merged tables.
 */
#ifndef DISTRIBUTED_MERGE_ARRIVE_H
#define DISTRIBUTED_MERGE_ARRIVE_H

#include "postgres.h"

#include "commands/trigger.h"
#include "replication/merge_join.h"

extern void merge_arrive_begin(MergeRule *rule, Relation written);
extern void merge_arrive_hear(const MergeRule *rule, const RowValues *row);
extern void merge_arrive_insert(const TriggerData *trigger, MergeRule *rule, RowValues *row);
extern HeapTuple merge_arrive_update(const TriggerData *trigger, MergeRule *rule, RowValues *row,
									 const RowValues *there);

#endif /* DISTRIBUTED_MERGE_ARRIVE_H */
