/*
 * entry_splice.h
 *		Two entry tables in step, and a new one of pieces of both.
 */
#ifndef DISTRIBUTED_ENTRY_SPLICE_H
#define DISTRIBUTED_ENTRY_SPLICE_H

#include "postgres.h"

#include "core/entry_table.h"

/* Entries from .. to - 1 of a table, one behind the other in the new one. */
typedef struct EntryRun
{
	uint32 from;
	uint32 to;
	uint32 key_start; /* where, among the table's keys, those begin that are new */
	uint8 table;
} EntryRun;

/* An entry of the new table that has another time than in its run. */
typedef struct EntryChange
{
	uint64 time;
	uint32 index;
} EntryChange;

/*
 * The two tables, what of them goes into the new one, and what that has
 * besides: draft.nodes with their prefixes and draft.ranges, both sorted.
 */
typedef struct EntrySplice
{
	const EntryTable *tables[2];
	uint32 *numbers[2]; /* of each table's nodes in the draft */
	bool renumbers[2];  /* are any of them others? */
	EntryRun *runs;
	uint32 nruns;
	uint32 max_runs;
	EntryChange *changes;
	uint32 nchanges;
	uint32 max_changes;
	uint32 nentries; /* that were kept so far */
	Entry last;      /* the key of what was kept last */
	EntryDraft draft;
} EntrySplice;

/*
 * A walk along the entries of both tables in their common order.  What both
 * have comes once.
 */
typedef struct EntryPairs
{
	EntryCursor cursors[2]; /* their entries' nodes have the draft's numbers */
	bool more[2];
	bool has[2]; /* which tables have the current entry */
	const uint32 *numbers[2];
} EntryPairs;

/* An entry as a table of its own. */
typedef struct SingleEntry
{
	EntryTable table;
	uint64 columns[NODE_PREFIX];
	uint8 length;
} SingleEntry;

extern void entry_splice_open(EntrySplice *splice, const EntryTable *a, const EntryTable *b);
extern void entry_splice_keep(EntrySplice *splice, int table, const EntryCursor *cursor);
extern void entry_splice_keep_range(EntrySplice *splice, int table, uint32 from, uint32 to);
extern void entry_splice_change(EntrySplice *splice, uint64 time);
extern struct varlena *entry_splice_write(EntrySplice *splice);
extern void entry_splice_close(EntrySplice *splice);
extern void single_entry_open(SingleEntry *single, const Entry *entry, NodeName node);

static inline void
entry_pairs_step(EntryPairs *pairs, int table)
{
	EntryCursor *cursor = &pairs->cursors[table];

	pairs->more[table] = entry_cursor_next(cursor);
	if (pairs->more[table])
		cursor->entry.node = pairs->numbers[table][cursor->entry.node];
}

static inline void
entry_pairs_open(EntryPairs *pairs, const EntrySplice *splice)
{
	for (int table = 0; table < 2; table++)
	{
		pairs->numbers[table] = splice->numbers[table];
		pairs->has[table] = false;
		entry_cursor_open(&pairs->cursors[table], splice->tables[table]);
		entry_pairs_step(pairs, table);
	}
}

/* "order" is 0 where two entries are one. */
static inline bool
entry_pairs_next(EntryPairs *pairs, EntryOrder order)
{
	int difference;

	for (int table = 0; table < 2; table++)
	{
		if (pairs->has[table])
			entry_pairs_step(pairs, table);
	}
	if (!pairs->more[0] && !pairs->more[1])
		return false;
	if (pairs->more[0] && pairs->more[1])
		difference = order(&pairs->cursors[0].entry, &pairs->cursors[1].entry);
	else
		difference = pairs->more[0] ? -1 : 1;
	pairs->has[0] = difference <= 0;
	pairs->has[1] = difference >= 0;
	return true;
}

#endif /* DISTRIBUTED_ENTRY_SPLICE_H */
