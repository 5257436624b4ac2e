/*
 * node_table.h
 *		The kernel of clocks and counters: sorted nodes, each with a few
 *		unsigned counters, joined by maximum.
 */
#ifndef DISTRIBUTED_NODE_TABLE_H
#define DISTRIBUTED_NODE_TABLE_H

#include "postgres.h"

#include "core/input.h"
#include "core/json_tree.h"
#include "core/node_name.h"
#include "core/sort_key.h"
#include "fmgr.h"
#include "lib/stringinfo.h"

#define NODE_TABLE_MAX_ARITY 2

/* The 4 bytes after the varlena header; see node_table.c for the layout. */
#define NODE_TABLE_WIDE        0x80000000U
#define NODE_TABLE_FLAGS_SHIFT 29
#define NODE_TABLE_FLAGS_MASK  0x03U
#define NODE_TABLE_COUNT_MASK  0x1fffffffU

/*
 * A table to read, wherever its bytes lie: behind a 1-byte or 4-byte varlena
 * header, so at any alignment, or in a working state.
 */
typedef struct NodeTable
{
	uint32 nnodes;
	uint32 names_size;    /* bytes of all names together */
	uint8 arity;          /* counters per node */
	bool wide;            /* 8 bytes per counter, otherwise 4 */
	uint8 flags;          /* two bits for the type on top; 0 but in vclock_box */
	const char *counters; /* arity columns of nnodes counters, unaligned */
	const uint8 *lengths; /* nnodes bytes: length of each name */
	const char *names;    /* directly behind the lengths */
} NodeTable;

/* One node on its way into a table; the name is borrowed. */
typedef struct NodeEntry
{
	const char *name;
	uint32 length;
	uint64 counters[NODE_TABLE_MAX_ARITY];
} NodeEntry;

/* Entries collected in any order. */
typedef struct NodeEntries
{
	NodeEntry *items;
	uint32 count;
	uint32 capacity;
} NodeEntries;

/* A sum of counters: 128 bits, also where the compiler has no such integer. */
typedef struct NodeSum
{
	uint64 high;
	uint64 low;
} NodeSum;

/* How two elements of a partial order stand to each other. */
typedef enum PartialOrder
{
	ORDER_EQUAL = 0,
	ORDER_BEFORE = 1, /* less somewhere, greater nowhere */
	ORDER_AFTER = 2,
	ORDER_CONCURRENT = ORDER_BEFORE | ORDER_AFTER
} PartialOrder;

/* What to do with a node that occurs twice among collected entries. */
typedef enum NodeDuplicates
{
	NODE_DUPLICATES_REJECT,
	NODE_DUPLICATES_JOIN
} NodeDuplicates;

/* Which of the two lattice operations. */
typedef enum NodeOperation
{
	NODE_JOIN, /* the greater counter of each node */
	NODE_MEET  /* the lesser; absent is 0 */
} NodeOperation;

static inline uint64
node_table_counter(const NodeTable *table, uint32 slot)
{
	if (table->wide)
	{
		uint64 wide;

		memcpy(&wide, table->counters + (Size) slot * sizeof(wide), sizeof(wide));
		return wide;
	}
	else
	{
		uint32 narrow;

		memcpy(&narrow, table->counters + (Size) slot * sizeof(narrow), sizeof(narrow));
		return narrow;
	}
}

/* Where counter "which" of a node stands: each counter is a column. */
static inline uint32
node_table_slot(const NodeTable *table, uint32 index, int which)
{
	return (uint32) which * table->nnodes + index;
}

/* One counter of every node, as a table of its own. */
static inline NodeTable
node_table_column(const NodeTable *table, int which)
{
	NodeTable column = *table;

	column.arity = 1;
	column.counters += (Size) which * table->nnodes *
		(table->wide ? sizeof(uint64) : sizeof(uint32));
	return column;
}

/* The lengths and names of a table are one block: equal sets are equal bytes. */
static inline bool
node_table_same_nodes(const NodeTable *a, const NodeTable *b)
{
	return a->nnodes == b->nnodes && a->names_size == b->names_size &&
		memcmp(a->lengths, b->lengths, (Size) a->nnodes + a->names_size) == 0;
}

/*
 * A walk along the nodes of one table, or along two in step.  Every operation
 * on two tables with different nodes is a loop over such pairs.
 */
typedef struct NodeCursor
{
	const NodeTable *table;
	uint32 index;
	const char *name;
} NodeCursor;

typedef struct NodePairs
{
	NodeCursor a;
	NodeCursor b;
	/* the current pair; -1 where the table lacks the node */
	int64 in_a;
	int64 in_b;
	const char *name;
	uint32 length;
} NodePairs;

static inline void
node_cursor_open(NodeCursor *cursor, const NodeTable *table)
{
	cursor->table = table;
	cursor->index = 0;
	cursor->name = table->names;
}

static inline bool
node_cursor_done(const NodeCursor *cursor)
{
	return cursor->index == cursor->table->nnodes;
}

static inline uint32
node_cursor_length(const NodeCursor *cursor)
{
	return cursor->table->lengths[cursor->index];
}

static inline void
node_cursor_next(NodeCursor *cursor)
{
	cursor->name += cursor->table->lengths[cursor->index++];
}

static inline uint64
node_pair_counter(const NodeTable *table, int64 index, int which)
{
	return index < 0 ? 0 : node_table_counter(table, node_table_slot(table, (uint32) index, which));
}

static inline void
node_pairs_open(NodePairs *pairs, const NodeTable *a, const NodeTable *b)
{
	node_cursor_open(&pairs->a, a);
	node_cursor_open(&pairs->b, b);
}

/* The next node of either table, in order; false at the end of both. */
static inline bool
node_pairs_next(NodePairs *pairs)
{
	bool a_done = node_cursor_done(&pairs->a);
	bool b_done = node_cursor_done(&pairs->b);
	int order;

	if (a_done && b_done)
		return false;
	if (a_done || b_done)
		order = a_done ? 1 : -1;
	else
		order = bytes_compare(pairs->a.name, node_cursor_length(&pairs->a), pairs->b.name,
							  node_cursor_length(&pairs->b));
	pairs->in_a = pairs->in_b = -1;
	if (order >= 0)
	{
		pairs->in_b = pairs->b.index;
		pairs->name = pairs->b.name;
		pairs->length = node_cursor_length(&pairs->b);
		node_cursor_next(&pairs->b);
	}
	if (order <= 0)
	{
		pairs->in_a = pairs->a.index;
		pairs->name = pairs->a.name;
		pairs->length = node_cursor_length(&pairs->a);
		node_cursor_next(&pairs->a);
	}
	return true;
}

/* reading */
extern void node_table_open_image(NodeTable *table, const char *image, Size size, uint8 arity);
extern void node_table_open(NodeTable *table, const struct varlena *flat, uint8 arity);
extern bool node_table_find(const NodeTable *table, const char *name, Size length, uint32 *index);
extern uint64 node_table_get(const NodeTable *table, const char *name, Size length, int which);
extern NodeSum node_table_sum(const NodeTable *table);
extern PartialOrder node_table_order(const NodeTable *a, const NodeTable *b);
extern PartialOrder node_table_order_until(const NodeTable *a, const NodeTable *b,
										   PartialOrder until);
extern int node_table_compare(const NodeTable *a, const NodeTable *b);
extern int node_table_datum_compare(Datum x, Datum y, uint8 arity);
extern PartialOrder node_table_datum_order(Datum x, Datum y, uint8 arity, PartialOrder until);
extern void node_table_verify(const NodeTable *table);

/* building */
extern void node_entries_init(NodeEntries *entries, uint32 capacity);
extern NodeEntry *node_entries_add(NodeEntries *entries, const char *name, Size length);
extern void node_entries_copy(NodeEntries *entries, const NodeTable *table);
extern bool node_entries_sort(NodeEntries *entries, uint8 arity, NodeDuplicates duplicates,
							  const InputSource *source);
extern bool node_entries_find(const NodeEntries *entries, const char *name, Size length,
							  uint32 *index);
extern struct varlena *node_table_write(const NodeEntries *entries, uint8 arity, uint8 flags);
extern struct varlena *node_table_build(NodeEntries *entries, uint8 arity,
										const InputSource *source);
extern Size node_table_flat_size(uint32 nnodes, Size names_size, uint8 arity, bool wide);
extern void node_table_check_size(uint32 nnodes, Size size);
extern void node_table_layout(NodeTable *table, struct varlena *flat, Size size, uint32 nnodes,
							  uint8 arity, bool wide, uint8 flags);
extern void node_table_assign(NodeTable *table, const NodeTable *source);

/* the lattice */
extern struct varlena *node_table_combine(const NodeTable *a, const NodeTable *b,
										  NodeOperation operation);
extern struct varlena *node_table_set(const NodeTable *table, const char *name, Size length,
									  int which, uint64 value);
extern struct varlena *node_table_increment(const NodeTable *table, NodeName node, int which,
											uint64 by, const char *type_name);
extern struct varlena *node_table_restrict(const NodeTable *table, const NodeTable *nodes);
extern struct varlena *node_table_delta(const NodeTable *table, const NodeTable *seen);

/* the same for the functions of a type with so many counters */
extern Datum node_table_sql_contained(FunctionCallInfo fcinfo, uint8 arity);
extern Datum node_table_sql_contains(FunctionCallInfo fcinfo, uint8 arity);
extern Datum node_table_sql_delta(FunctionCallInfo fcinfo, uint8 arity);
extern Datum node_table_sql_sortsupport(FunctionCallInfo fcinfo, uint8 arity);

/* the sum as numbers PostgreSQL knows */
extern Datum node_sum_numeric(NodeSum sum);

static inline NodeSum
node_sum_add(NodeSum sum, uint64 counter)
{
	sum.low += counter;
	sum.high += sum.low < counter;
	return sum;
}

/* a - b, where a is not less. */
static inline NodeSum
node_sum_subtract(NodeSum a, NodeSum b)
{
	a.high -= b.high + (a.low < b.low);
	a.low -= b.low;
	return a;
}

/* Abbreviated for sorting: all sums that 64 bits cannot hold are equal. */
static inline Datum
node_sum_sort_key(NodeSum sum)
{
	return sort_key(sum.high == 0 ? sum.low : PG_UINT64_MAX);
}

static inline int
node_sum_compare(NodeSum a, NodeSum b)
{
	if (a.high != b.high)
		return a.high < b.high ? -1 : 1;
	return (a.low > b.low) - (a.low < b.low);
}

#endif /* DISTRIBUTED_NODE_TABLE_H */
