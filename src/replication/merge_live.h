/*
 * merge_live.h
 *		The view of a merged table that shows the rows which are there.
 */
#ifndef DISTRIBUTED_MERGE_LIVE_H
#define DISTRIBUTED_MERGE_LIVE_H

#include "postgres.h"

#include "replication/merge_shape.h"

extern Oid merge_live_find(Oid table, Oid extension);
extern void merge_live_create(Oid table, Oid extension);
extern void merge_live_drop(Oid table, Oid extension);

#endif /* DISTRIBUTED_MERGE_LIVE_H */
