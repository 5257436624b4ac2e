/*
 * merge_convert.h
 *		Merged tables of version 1.0.
 */
#ifndef DISTRIBUTED_MERGE_CONVERT_H
#define DISTRIBUTED_MERGE_CONVERT_H

#include "postgres.h"

#include "replication/merge_shape.h"

extern void merge_convert_begin(const MergeShape *shape);
extern void merge_convert_end(const MergeShape *shape);

#endif /* DISTRIBUTED_MERGE_CONVERT_H */
