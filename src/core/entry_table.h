/*
 * entry_table.h
 *		The stored form of sets, registers and maps: nodes, and sorted entries
 *		that name them.
 */
#ifndef DISTRIBUTED_ENTRY_TABLE_H
#define DISTRIBUTED_ENTRY_TABLE_H

#include "postgres.h"

#include "core/node_table.h"
#include "core/packed.h"

/* What is stored as a column; see entry_table.c. */
typedef enum TableColumn
{
	ENTRY_KEY_END, /* where the entry's key ends, among all keys */
	ENTRY_VALUE_END,
	ENTRY_NODE,    /* index of the node that wrote it */
	ENTRY_TIME,    /* the node's counter, or nanoseconds */
	ENTRY_LOGICAL, /* the logical part of a hybrid time */
	ENTRY_REMOVED, /* 1: the key was removed then */
	NODE_PREFIX,   /* all dots of a node up to this one are in the context */
	RANGE_NODE,    /* dots beyond the prefix: whose, */
	RANGE_FIRST,   /* from which, */
	RANGE_SPAN,    /* and how many follow it */
	TABLE_COLUMNS
} TableColumn;

/* A table to read, wherever its bytes lie. */
typedef struct EntryTable
{
	NodeTable nodes; /* names only */
	uint32 nentries;
	uint32 nranges;
	PackedColumn columns[TABLE_COLUMNS];
	const char *keys;
	const char *values;
	uint32 keys_size;
	uint32 values_size;
} EntryTable;

/*
 * One entry; key and value are borrowed, and empty where a type has none.
 * There may be millions of them, so it is kept small.
 */
typedef struct Entry
{
	const char *key;
	const char *value;
	uint64 time;
	uint32 key_length;
	uint32 value_length : 31;
	uint32 removed : 1;
	uint32 node;
	uint32 logical;
} Entry;

/* Dots of a node, both ends included. */
typedef struct DotRange
{
	uint64 first;
	uint64 last;
	uint32 node;
} DotRange;

/* Where an entry stands, and the part of its key that tells most pairs apart. */
typedef struct EntryPlace
{
	uint64 prefix;
	uint32 index;
} EntryPlace;

/*
 * A table to write.  The nodes are sorted and each has its prefix for a
 * counter; the entries are sorted; the ranges are sorted and lie beyond the
 * prefixes.
 */
typedef struct EntryDraft
{
	NodeEntries nodes;
	Entry *entries;
	EntryPlace *order; /* where they stand; NULL: one behind the other */
	uint32 nentries;
	uint32 max_entries;
	DotRange *ranges;
	uint32 nranges;
	uint32 max_ranges;
} EntryDraft;

/* A walk along the entries. */
typedef struct EntryCursor
{
	const EntryTable *table;
	uint32 index;
	uint32 key_end;
	uint32 value_end;
	bool begins_key; /* the entry is the first of its key */
	Entry entry;
} EntryCursor;

/* What decides the size of a table. */
typedef struct TableShape
{
	uint32 nnodes;
	uint32 nentries;
	uint32 nranges;
	Size keys_size;
	Size values_size;
	Size names_size;
	uint64 greatest[TABLE_COLUMNS]; /* or any number that takes as many bytes */
} TableShape;

/* Decides first by the keys. */
typedef int (*EntryOrder)(const Entry *a, const Entry *b);

/*
 * A table for functions behind indexes, sorts and constraints, whose memory
 * outlives the call: a copy that detoasting made is given back.
 */
typedef struct EntryLoan
{
	EntryTable table;
	struct varlena *copy; /* or NULL */
} EntryLoan;

static inline void
entry_cursor_open(EntryCursor *cursor, const EntryTable *table)
{
	memset(cursor, 0, sizeof(*cursor));
	cursor->table = table;
	cursor->entry.key = table->keys;
}

/* Step to the next entry, cursor->entry; false at the end. */
static inline bool
entry_cursor_next(EntryCursor *cursor)
{
	const EntryTable *table = cursor->table;
	Entry *entry = &cursor->entry;
	uint32 index = cursor->index;
	uint32 end;

	if (index == table->nentries)
		return false;
	end = (uint32) packed_get(&table->columns[ENTRY_KEY_END], index);
	cursor->begins_key = index == 0 || end > cursor->key_end;
	if (cursor->begins_key)
	{
		entry->key = table->keys + cursor->key_end;
		entry->key_length = end - cursor->key_end;
		cursor->key_end = end;
	}
	end = (uint32) packed_get(&table->columns[ENTRY_VALUE_END], index);
	entry->value = table->values + cursor->value_end;
	entry->value_length = end - cursor->value_end;
	cursor->value_end = end;
	entry->node = (uint32) packed_get(&table->columns[ENTRY_NODE], index);
	entry->time = packed_get(&table->columns[ENTRY_TIME], index);
	entry->logical = (uint32) packed_get(&table->columns[ENTRY_LOGICAL], index);
	entry->removed = packed_get(&table->columns[ENTRY_REMOVED], index) & 1;
	cursor->index++;
	return true;
}

/* A range of a table. */
static inline DotRange
entry_table_range(const EntryTable *table, uint32 index)
{
	DotRange range;

	range.node = (uint32) packed_get(&table->columns[RANGE_NODE], index);
	range.first = packed_get(&table->columns[RANGE_FIRST], index);
	range.last = range.first + packed_get(&table->columns[RANGE_SPAN], index);
	return range;
}

/*
 * Many entries in the order of their keys are scattered in memory, and so are
 * the keys: fetch those that come so many places later.
 */
#define PREFETCH_DISTANCE 16

static inline void
entry_prefetch(const void *address)
{
#ifdef __GNUC__
	__builtin_prefetch(address);
#endif
}

static inline bool
entry_same_key(const Entry *a, const Entry *b)
{
	return a->key_length == b->key_length &&
		(a->key == b->key || memcmp(a->key, b->key, a->key_length) == 0);
}

static inline Entry *
entry_draft_get(const EntryDraft *draft, uint32 index)
{
	return &draft->entries[draft->order ? draft->order[index].index : index];
}

static inline void
entry_draft_prefetch(const EntryDraft *draft, uint32 index)
{
	if (draft->order && index + 2 * PREFETCH_DISTANCE < draft->nentries)
	{
		entry_prefetch(entry_draft_get(draft, index + 2 * PREFETCH_DISTANCE));
		entry_prefetch(entry_draft_get(draft, index + PREFETCH_DISTANCE)->key);
	}
}

/* Does an entry have the key of the one before? */
static inline bool
entry_draft_repeats_key(const EntryDraft *draft, uint32 index)
{
	if (index == 0 ||
		(draft->order && draft->order[index].prefix != draft->order[index - 1].prefix))
		return false;
	return entry_same_key(entry_draft_get(draft, index - 1), entry_draft_get(draft, index));
}

static inline int
entry_compare_keys(const Entry *a, const Entry *b)
{
	return bytes_compare(a->key, a->key_length, b->key, b->key_length);
}

static inline int
entry_compare_values(const Entry *a, const Entry *b)
{
	return bytes_compare(a->value, a->value_length, b->value, b->value_length);
}

/* reading */
extern void entry_table_open(EntryTable *table, const struct varlena *flat);
extern bool entry_table_find(const EntryTable *table, const char *key, Size length, uint32 *from,
							 uint32 *to);
extern void entry_table_borrow(EntryLoan *loan, Datum value);
extern void entry_table_return(EntryLoan *loan);
extern NodeName entry_table_node(const EntryTable *table, uint32 node);
extern void entry_table_seek(EntryCursor *cursor, const EntryTable *table, uint32 index);
extern uint32 entry_table_count_keys(const EntryTable *table);
extern int entry_table_compare(const EntryTable *a, const EntryTable *b);

/* building */
extern void entry_draft_init(EntryDraft *draft, uint32 entries);
extern Entry *entry_draft_add(EntryDraft *draft);
extern void entry_draft_add_range(EntryDraft *draft, uint32 node, uint64 first, uint64 last);
extern struct varlena *entry_table_write(const EntryDraft *draft);
extern struct varlena *entry_table_begin(EntryTable *table, TableShape *shape,
										 const EntryDraft *draft);
extern void *entry_draft_grow(void *items, Size size, uint32 *room);
extern void entry_table_verify(const struct varlena *flat);

static inline void
table_shape_see(TableShape *shape, TableColumn column, uint64 number)
{
	shape->greatest[column] |= number;
}

#endif /* DISTRIBUTED_ENTRY_TABLE_H */
