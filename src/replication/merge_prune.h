/*
 * merge_prune.h
 *		Forgetting what stamps say of columns that a table lacks.
 */
#ifndef DISTRIBUTED_MERGE_PRUNE_H
#define DISTRIBUTED_MERGE_PRUNE_H

#include "postgres.h"

extern uint64 merge_prune_rows(Oid table, Oid extension);

#endif /* DISTRIBUTED_MERGE_PRUNE_H */
