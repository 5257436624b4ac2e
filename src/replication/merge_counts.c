/*
 * merge_counts.c
 *		How many rows have arrived at each merged table, and what became of them.
 *
 * The counts are those of the server, not of a session, and cost one addition
 * each: they are in a file that all sessions map, distributed.merges in the data
 * directory, and go on over a restart.  They are not part of any transaction: a
 * row is counted when it arrives, also where its transaction then fails.
 *
 * The file is a hash table of fixed size.  Who first counts for a table claims a
 * slot by swapping its key in, and keys stay, so nobody has to lock anything.
 * When all slots are taken, nothing is counted for further tables.  Nor is
 * anything when the file cannot be used: that is no reason not to replicate.
 */
#include "core/compat.h"

#include "core/shared_file.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "replication/merge_counts.h"

#define COUNTS_FILE  "distributed.merges"
#define COUNTS_MAGIC UINT64CONST(0x3153544e554f434d) /* "MCOUNTS1" in little-endian order */
#define COUNTS_BITS  12
#define COUNTS_SLOTS (1 << COUNTS_BITS)

/* A cache line of its own. */
typedef struct CountSlot
{
	pg_atomic_uint64 key; /* database and table; 0 where the slot is free */
	pg_atomic_uint64 counts[MERGE_COUNTS];
	uint64 unused[7 - MERGE_COUNTS];
} CountSlot;

typedef struct SharedCounts
{
	uint64 magic;
	uint64 unused[7];
	CountSlot slots[COUNTS_SLOTS];
} SharedCounts;

static bool
counts_are_ours(const void *content, Size size)
{
	return size == sizeof(SharedCounts) && ((const SharedCounts *) content)->magic == COUNTS_MAGIC;
}

static void *
counts_make(const void *old, Size old_size, Size *size)
{
	SharedCounts *counts = palloc0(sizeof(SharedCounts));

	*size = sizeof(SharedCounts);
	counts->magic = COUNTS_MAGIC;
	for (int i = 0; i < COUNTS_SLOTS; i++)
	{
		pg_atomic_init_u64(&counts->slots[i].key, 0);
		for (int j = 0; j < MERGE_COUNTS; j++)
			pg_atomic_init_u64(&counts->slots[i].counts[j], 0);
	}
	return counts;
}

static const SharedFile counts_file = {COUNTS_FILE, counts_are_ours, counts_make};

/* The file, or NULL; tried once per session. */
static SharedCounts *
counts_attached(void)
{
	static SharedCounts *counts = NULL;
	static bool tried = false;

	if (!tried)
		counts = shared_file_map(&counts_file, WARNING);
	tried = true;
	return counts;
}

/* The slot of a table of this database; one that is free becomes it, if asked to. */
static CountSlot *
counts_slot(Oid table, bool claim)
{
	SharedCounts *counts = counts_attached();
	uint64 key = (uint64) MyDatabaseId << 32 | table;
	/* multiplied by 2^64 over the golden ratio, the high bits depend on all */
	uint64 place = key * UINT64CONST(0x9e3779b97f4a7c15) >> (64 - COUNTS_BITS);

	for (int i = 0; counts && i < COUNTS_SLOTS; i++)
	{
		CountSlot *slot = &counts->slots[(place + (uint64) i) % COUNTS_SLOTS];
		uint64 found = pg_atomic_read_u64(&slot->key);

		if (found == 0 && (!claim || pg_atomic_compare_exchange_u64(&slot->key, &found, key)))
			return claim ? slot : NULL;
		/* if somebody else has just claimed it, "found" is by whom */
		if (found == key)
			return slot;
	}
	return NULL;
}

void
merge_counts_add(Oid table, MergeCount count)
{
	CountSlot *slot = counts_slot(table, true);

	if (slot)
		pg_atomic_fetch_add_u64(&slot->counts[count], 1);
}

bool
merge_counts_get(Oid table, uint64 counts[MERGE_COUNTS])
{
	CountSlot *slot = counts_slot(table, false);

	for (int i = 0; slot && i < MERGE_COUNTS; i++)
		counts[i] = pg_atomic_read_u64(&slot->counts[i]);
	return slot != NULL;
}

void
merge_counts_reset(Oid table)
{
	CountSlot *slot = counts_slot(table, false);

	for (int i = 0; slot && i < MERGE_COUNTS; i++)
		pg_atomic_write_u64(&slot->counts[i], 0);
}
