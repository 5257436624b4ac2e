/*
 * merge_told.h
 *		Which horizons this server has told.
 */
#ifndef DISTRIBUTED_MERGE_TOLD_H
#define DISTRIBUTED_MERGE_TOLD_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "utils/array.h"

extern bool merge_told_has(ArrayType *told, int64 horizon);
extern ArrayType *merge_told_add(ArrayType *told, TimestampTz start, int64 horizon);

#endif /* DISTRIBUTED_MERGE_TOLD_H */
