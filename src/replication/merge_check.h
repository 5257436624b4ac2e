/*
 * merge_check.h
 *		Whether rows of a table can be merged.
 */
#ifndef DISTRIBUTED_MERGE_CHECK_H
#define DISTRIBUTED_MERGE_CHECK_H

#include "postgres.h"

#include "replication/merge_shape.h"

extern void merge_check_kind(Oid table);
extern void merge_check_refuse(const MergeShape *shape, Relation table, bool lww);
extern bool merge_check_constraint(const MergeShape *shape);
extern const char *merge_check_unique(const MergeShape *shape, Relation table);
extern void merge_check_warn(const MergeShape *shape, Relation table);

#endif /* DISTRIBUTED_MERGE_CHECK_H */
