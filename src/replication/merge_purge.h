/*
 * merge_purge.h
 *		What is remembered of removed rows that were purged.
 */
#ifndef DISTRIBUTED_MERGE_PURGE_H
#define DISTRIBUTED_MERGE_PURGE_H

#include "postgres.h"

extern uint64 merge_purged_dot(Oid extension, Oid table);
extern uint64 merge_purged_time(Oid extension, Oid table);

#endif /* DISTRIBUTED_MERGE_PURGE_H */
