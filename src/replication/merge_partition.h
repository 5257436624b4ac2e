/*
 * merge_partition.h
 *		Which partition of a merged table a row belongs to.
 */
#ifndef DISTRIBUTED_MERGE_PARTITION_H
#define DISTRIBUTED_MERGE_PARTITION_H

#include "postgres.h"

#include "replication/merge_join.h"

extern Relation merge_partition_open(Relation root, const MergeRule *rule, const RowValues *row);

#endif /* DISTRIBUTED_MERGE_PARTITION_H */
