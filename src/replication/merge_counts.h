/*
 * merge_counts.h
 *		How many rows have arrived at each merged table, and what became of them.
 */
#ifndef DISTRIBUTED_MERGE_COUNTS_H
#define DISTRIBUTED_MERGE_COUNTS_H

#include "postgres.h"

typedef enum MergeCount
{
	MERGE_INSERTED,   /* of a key that was not there */
	MERGE_MERGED,     /* changed the row that was there */
	MERGE_UNCHANGED,  /* told nothing new */
	MERGE_CONFLICTS,  /* overwriting would have lost something, or failed */
	MERGE_OWN_DOTS,   /* told writes of this node that it does not know */
	MERGE_INCOMPLETE, /* told a write whose value has not come */
	MERGE_COUNTS
} MergeCount;

/* One more for a table of this database. */
extern void merge_counts_add(Oid table, MergeCount count);

/* The counts of a table; false if none are kept. */
extern bool merge_counts_get(Oid table, uint64 counts[MERGE_COUNTS]);

/* Forget a table's counts. */
extern void merge_counts_reset(Oid table);

#endif /* DISTRIBUTED_MERGE_COUNTS_H */
