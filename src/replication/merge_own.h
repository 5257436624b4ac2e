/*
 * merge_own.h
 *		Does what arrives tell writes of this node that it has not made?
 */
#ifndef DISTRIBUTED_MERGE_OWN_H
#define DISTRIBUTED_MERGE_OWN_H

#include "postgres.h"

#include "replication/merge_join.h"

extern void merge_own_check(MergeRule *rule, Relation table, const RowValues *row,
							const RowValues *there);

#endif /* DISTRIBUTED_MERGE_OWN_H */
