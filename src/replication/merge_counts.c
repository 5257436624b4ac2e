/*
 * merge_counts.c
 *		How many rows have arrived at each merged table, and what became of them.
 */
#include "core/compat.h"

#include "replication/merge_counts.h"

void
merge_counts_add(Oid table, MergeCount count)
{
}

bool
merge_counts_get(Oid table, uint64 counts[MERGE_COUNTS])
{
	return false;
}

void
merge_counts_reset(Oid table)
{
}
