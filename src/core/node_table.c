/*
 * node_table.c
 *		The kernel of clocks and counters: sorted nodes, each with a few
 *		unsigned counters, joined by maximum.
 *
 * A table maps node names to "arity" counters, each 0 to 2^63-1; a node that
 * is absent counts 0.  Under the pointwise order that is a lattice: the join
 * takes the greater counter of every node, the meet the lesser (Mattern,
 * "Virtual time and global states of distributed systems", 1989; for counters
 * Shapiro et al., "A comprehensive study of convergent and commutative
 * replicated data types", 2011).  vclock is this table with one counter.
 *
 * Stored bytes, behind the varlena header:
 *
 *		bytes			content
 *		4				bits 0-28 number of nodes n; bits 29-30 flags of the type
 *						on top; bit 31 set if counters take 8 bytes, else 4
 *		arity * n * 4|8	counters: a column per counter, in the order of the nodes
 *		n				length of each name, 1 to 255
 *		rest			the names, without separators
 *
 * Integers are in the machine's byte order and at any alignment, so a short
 * varlena is read where it lies.  Nodes are sorted by name (bytes), nodes
 * whose counters are all 0 are absent, and counters are wide only if one of
 * them needs it: equal tables have equal bytes.  Counters stand together and
 * lengths and names stand together, so two tables over the same nodes, the
 * common case, are told by one memcmp and combined by one loop over integers.
 */
#include "core/compat.h"

#include "core/node_table.h"
#include "miscadmin.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

/* How many entries may be collected before a cancel is noticed. */
#define NODE_ENTRIES_CHECK_INTERVAL 65536

/* Counters compared between two looks at whether the answer is known. */
#define ORDER_CHUNK 16

Size
node_table_flat_size(uint32 nnodes, Size names_size, uint8 arity, bool wide)
{
	return VARHDRSZ + sizeof(uint32) +
		(Size) nnodes * arity * (wide ? sizeof(uint64) : sizeof(uint32)) + nnodes + names_size;
}

/*
 * Find the parts of the image "flat" holds.  The image may have a short
 * header, but must not be compressed or external.
 */
void
node_table_open_image(NodeTable *table, const char *image, Size size, uint8 arity)
{
	uint32 head;
	Size counters_size;

	if (unlikely(size < sizeof(head)))
		elog(ERROR, "stored node table has %zu bytes", size);
	memcpy(&head, image, sizeof(head));
	table->nnodes = head & NODE_TABLE_COUNT_MASK;
	table->arity = arity;
	table->wide = (head & NODE_TABLE_WIDE) != 0;
	table->flags = (head >> NODE_TABLE_FLAGS_SHIFT) & NODE_TABLE_FLAGS_MASK;
	counters_size = (Size) table->nnodes * arity * (table->wide ? sizeof(uint64) : sizeof(uint32));
	if (unlikely(size < sizeof(head) + counters_size + table->nnodes))
		elog(ERROR, "stored node table of %u nodes has only %zu bytes", table->nnodes, size);
	table->counters = image + sizeof(head);
	table->lengths = (const uint8 *) table->counters + counters_size;
	table->names = (const char *) table->lengths + table->nnodes;
	table->names_size = size - sizeof(head) - counters_size - table->nnodes;
}

/* The same of a value that is a table and nothing else. */
void
node_table_open(NodeTable *table, const struct varlena *flat, uint8 arity)
{
	node_table_open_image(table, VARDATA_ANY(flat), VARSIZE_ANY_EXHDR(flat), arity);
}

/*
 * Prepare the image of a new table of the given shape in "flat", "size" bytes,
 * and open it; the caller writes counters, lengths and names.
 */
void
node_table_layout(NodeTable *table, struct varlena *flat, Size size, uint32 nnodes, uint8 arity,
				  bool wide, uint8 flags)
{
	uint32 head = nnodes | (wide ? NODE_TABLE_WIDE : 0) |
		((uint32) flags << NODE_TABLE_FLAGS_SHIFT);

	SET_VARSIZE(flat, size);
	memcpy(VARDATA(flat), &head, sizeof(head));
	node_table_open(table, flat, arity);
}

/* Refuse a table that PostgreSQL could not store. */
void
node_table_check_size(uint32 nnodes, Size size)
{
	if (!AllocSizeIsValid(size) || nnodes > NODE_TABLE_COUNT_MASK)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("value with %u nodes exceeds the maximum size of a datum", nnodes),
				 errdetail("It would take %zu bytes, more than %zu.", size, (Size) MaxAllocSize)));
}

static struct varlena *
node_table_new(NodeTable *table, uint32 nnodes, Size names_size, uint8 arity, bool wide,
			   uint8 flags)
{
	Size size = node_table_flat_size(nnodes, names_size, arity, wide);
	struct varlena *flat;

	node_table_check_size(nnodes, size);
	flat = palloc(size);
	node_table_layout(table, flat, size, nnodes, arity, wide, flags);
	return flat;
}

static inline void
node_table_put(NodeTable *table, uint32 slot, uint64 counter)
{
	char *counters = unconstify(char *, table->counters);

	if (table->wide)
		memcpy(counters + (Size) slot * sizeof(uint64), &counter, sizeof(uint64));
	else
	{
		uint32 narrow = (uint32) counter;

		memcpy(counters + (Size) slot * sizeof(uint32), &narrow, sizeof(uint32));
	}
}

/* Give a laid-out table the nodes of another, which are as many. */
static void
node_table_put_nodes(NodeTable *table, const NodeTable *source)
{
	memcpy(unconstify(uint8 *, table->lengths), source->lengths,
		   (Size) source->nnodes + source->names_size);
}

/*
 * Fill a laid-out table with the content of another of the same shape, whose
 * counters fit.
 */
void
node_table_assign(NodeTable *table, const NodeTable *source)
{
	uint32 slots = source->nnodes * source->arity;

	if (table->wide == source->wide)
		memcpy(unconstify(char *, table->counters), source->counters,
			   (Size) slots * (source->wide ? sizeof(uint64) : sizeof(uint32)));
	else
	{
		for (uint32 slot = 0; slot < slots; slot++)
			node_table_put(table, slot, node_table_counter(source, slot));
	}
	node_table_put_nodes(table, source);
	node_table_verify(table);
}

/*
 * The invariants of the stored form, checked after every build in assertion
 * builds.
 */
void
node_table_verify(const NodeTable *table)
{
#ifdef USE_ASSERT_CHECKING
	const char *previous = NULL;
	uint32 previous_length = 0;
	Size names_size = 0;
	bool needs_wide = false;
	NodeCursor cursor;

	for (node_cursor_open(&cursor, table); !node_cursor_done(&cursor); node_cursor_next(&cursor))
	{
		uint32 length = node_cursor_length(&cursor);
		bool counted = false;

		Assert(length > 0);
		if (previous)
			Assert(bytes_compare(previous, previous_length, cursor.name, length) < 0);
		for (int which = 0; which < table->arity; which++)
		{
			uint64 counter = node_table_counter(table, node_table_slot(table, cursor.index, which));

			Assert(counter <= PG_INT64_MAX);
			counted |= counter > 0;
			needs_wide |= counter > PG_UINT32_MAX;
		}
		Assert(counted);
		previous = cursor.name;
		previous_length = length;
		names_size += length;
	}
	Assert(names_size == table->names_size);
	Assert(needs_wide == table->wide);
#endif
}

/*
 * Look a node up.  A walk along the lengths: they are one byte each and lie
 * together, so this costs about a cycle per node and needs no index that
 * would have to be stored.
 */
bool
node_table_find(const NodeTable *table, const char *name, Size length, uint32 *index)
{
	NodeCursor cursor;

	for (node_cursor_open(&cursor, table); !node_cursor_done(&cursor); node_cursor_next(&cursor))
	{
		if (node_cursor_length(&cursor) == length && memcmp(cursor.name, name, length) == 0)
		{
			*index = cursor.index;
			return true;
		}
	}
	return false;
}

uint64
node_table_get(const NodeTable *table, const char *name, Size length, int which)
{
	uint32 index;

	if (!node_table_find(table, name, length, &index))
		return 0;
	return node_table_counter(table, node_table_slot(table, index, which));
}

NodeSum
node_table_sum(const NodeTable *table)
{
	NodeSum sum = {0, 0};
	uint32 slots = table->nnodes * table->arity;

	if (!table->wide)
	{
		/* 2^29 nodes of 2 counters below 2^32 stay below 2^62 */
		for (uint32 slot = 0; slot < slots; slot++)
		{
			uint32 counter;

			memcpy(&counter, table->counters + (Size) slot * sizeof(counter), sizeof(counter));
			sum.low += counter;
		}
	}
	else
	{
		for (uint32 slot = 0; slot < slots; slot++)
			sum = node_sum_add(sum, node_table_counter(table, slot));
	}
	return sum;
}

Datum
node_sum_numeric(NodeSum sum)
{
	char digits[32];
	Datum low;
	Datum high;
	Datum two64;

	snprintf(digits, sizeof(digits), UINT64_FORMAT, sum.low);
	low = DirectFunctionCall3(numeric_in, CStringGetDatum(digits), ObjectIdGetDatum(InvalidOid),
							  Int32GetDatum(-1));
	if (sum.high == 0)
		return low;
	high = DirectFunctionCall1(int8_numeric, Int64GetDatum((int64) sum.high));
	two64 = DirectFunctionCall3(numeric_in, CStringGetDatum("18446744073709551616"),
								ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	return DirectFunctionCall2(numeric_add, DirectFunctionCall2(numeric_mul, high, two64), low);
}

/*
 * Compare counter by counter two tables over the same nodes.  Inlined once for
 * each pair of widths, and in chunks, so that the inner loop has no branches.
 */
static pg_attribute_always_inline int
node_table_order_slots(const NodeTable *a, const NodeTable *b, bool a_wide, bool b_wide,
					   PartialOrder until)
{
	NodeTable left = *a;
	NodeTable right = *b;
	uint32 slots = a->nnodes * a->arity;
	uint32 slot = 0;
	int order = ORDER_EQUAL;

	left.wide = a_wide;
	right.wide = b_wide;
	while (slot < slots && (order & until) != until)
	{
		uint32 end = Min(slot + ORDER_CHUNK, slots);

		for (; slot < end; slot++)
		{
			uint64 x = node_table_counter(&left, slot);
			uint64 y = node_table_counter(&right, slot);

			order |= (x < y) * ORDER_BEFORE | (x > y) * ORDER_AFTER;
		}
	}
	return order;
}

/*
 * How a stands to b in the pointwise order; for vector clocks that is whether
 * a happened before b.  A caller who only asks whether some of the bits of
 * "until" are missing need not wait for the others: the walk ends once all of
 * those are set.
 */
PartialOrder
node_table_order_until(const NodeTable *a, const NodeTable *b, PartialOrder until)
{
	int order = ORDER_EQUAL;
	NodePairs pairs;

	Assert(a->arity == b->arity);
	if (node_table_same_nodes(a, b))
	{
		if (!a->wide && !b->wide)
			return (PartialOrder) node_table_order_slots(a, b, false, false, until);
		if (a->wide && b->wide)
			return (PartialOrder) node_table_order_slots(a, b, true, true, until);
		if (a->wide)
			return (PartialOrder) node_table_order_slots(a, b, true, false, until);
		return (PartialOrder) node_table_order_slots(a, b, false, true, until);
	}

	node_pairs_open(&pairs, a, b);
	while ((order & until) != until && node_pairs_next(&pairs))
	{
		for (int which = 0; which < a->arity; which++)
		{
			uint64 x = node_pair_counter(a, pairs.in_a, which);
			uint64 y = node_pair_counter(b, pairs.in_b, which);

			order |= (x < y) * ORDER_BEFORE | (x > y) * ORDER_AFTER;
		}
	}
	return (PartialOrder) order;
}

PartialOrder
node_table_order(const NodeTable *a, const NodeTable *b)
{
	return node_table_order_until(a, b, ORDER_CONCURRENT);
}

/*
 * The total order for sorting, a linear extension of the partial one: by the
 * sum of all counters (if a includes b and differs, its sum is greater), then
 * by the block of lengths and names as bytes, then by the counters as numbers.
 * It does not depend on the machine's byte order.
 */
int
node_table_compare(const NodeTable *a, const NodeTable *b)
{
	int order = node_sum_compare(node_table_sum(a), node_table_sum(b));
	Size a_size = (Size) a->nnodes + a->names_size;
	Size b_size = (Size) b->nnodes + b->names_size;

	if (order != 0)
		return order;
	order = memcmp(a->lengths, b->lengths, Min(a_size, b_size));
	if (order != 0)
		return order < 0 ? -1 : 1;
	/* equal so far, so tables of equally many nodes have the same ones */
	if (a->nnodes != b->nnodes)
		return a->nnodes < b->nnodes ? -1 : 1;
	for (uint32 slot = 0; slot < a->nnodes * a->arity; slot++)
	{
		uint64 x = node_table_counter(a, slot);
		uint64 y = node_table_counter(b, slot);

		if (x != y)
			return x < y ? -1 : 1;
	}
	return 0;
}

/*
 * The same of values, for the functions behind an index, a sort or a
 * constraint: those are called in contexts that outlive the call, so copies
 * that detoasting made are given back.
 */
static void
node_table_borrow(NodeTable *table, struct varlena **flat, Datum value, uint8 arity)
{
	*flat = PG_DETOAST_DATUM_PACKED(value);
	node_table_open(table, *flat, arity);
}

static void
node_table_return(struct varlena *flat, Datum value)
{
	if ((Pointer) flat != DatumGetPointer(value))
		pfree(flat);
}

int
node_table_datum_compare(Datum x, Datum y, uint8 arity)
{
	struct varlena *left;
	struct varlena *right;
	NodeTable a;
	NodeTable b;
	int order;

	node_table_borrow(&a, &left, x, arity);
	node_table_borrow(&b, &right, y, arity);
	order = node_table_compare(&a, &b);
	node_table_return(left, x);
	node_table_return(right, y);
	return order;
}

PartialOrder
node_table_datum_order(Datum x, Datum y, uint8 arity, PartialOrder until)
{
	struct varlena *left;
	struct varlena *right;
	NodeTable a;
	NodeTable b;
	PartialOrder order;

	node_table_borrow(&a, &left, x, arity);
	node_table_borrow(&b, &right, y, arity);
	order = node_table_order_until(&a, &b, until);
	node_table_return(left, x);
	node_table_return(right, y);
	return order;
}

/*
 * Entries: nodes collected in any order, then sorted and written.
 */
void
node_entries_init(NodeEntries *entries, uint32 capacity)
{
	entries->count = 0;
	entries->capacity = Max(capacity, 8);
	entries->items = MemoryContextAllocHuge(CurrentMemoryContext,
											sizeof(NodeEntry) * (Size) entries->capacity);
}

NodeEntry *
node_entries_add(NodeEntries *entries, const char *name, Size length)
{
	NodeEntry *entry;

	if (entries->count == entries->capacity)
	{
		if (entries->capacity > NODE_TABLE_COUNT_MASK)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("too many nodes in one value")));
		entries->capacity *= 2;
		entries->items = repalloc_huge(entries->items,
									   sizeof(NodeEntry) * (Size) entries->capacity);
	}
	if (entries->count % NODE_ENTRIES_CHECK_INTERVAL == 0)
		CHECK_FOR_INTERRUPTS();
	entry = &entries->items[entries->count++];
	entry->name = name;
	entry->length = (uint32) length;
	memset(entry->counters, 0, sizeof(entry->counters));
	return entry;
}

/* Add all nodes of a table; the names stay in it. */
void
node_entries_copy(NodeEntries *entries, const NodeTable *table)
{
	NodeCursor cursor;

	for (node_cursor_open(&cursor, table); !node_cursor_done(&cursor); node_cursor_next(&cursor))
	{
		NodeEntry *entry = node_entries_add(entries, cursor.name, node_cursor_length(&cursor));

		for (int which = 0; which < table->arity; which++)
			entry->counters[which] = node_table_counter(table,
														node_table_slot(table, cursor.index,
																		which));
	}
}

static int
node_entry_compare(const void *x, const void *y)
{
	const NodeEntry *a = x;
	const NodeEntry *b = y;

	CHECK_FOR_INTERRUPTS();
	return bytes_compare(a->name, a->length, b->name, b->length);
}

/*
 * Sort by name, make each name unique, drop nodes that count nothing; of nodes
 * without counters none are dropped.  Returns false after a soft error about a
 * duplicate.
 */
bool
node_entries_sort(NodeEntries *entries, uint8 arity, NodeDuplicates duplicates,
				  const InputSource *source)
{
	uint32 kept = 0;

	qsort(entries->items, entries->count, sizeof(NodeEntry), node_entry_compare);
	for (uint32 i = 0; i < entries->count; i++)
	{
		NodeEntry *entry = &entries->items[i];
		NodeEntry *last = kept > 0 ? &entries->items[kept - 1] : NULL;

		if (last && node_entry_compare(last, entry) == 0)
		{
			if (duplicates == NODE_DUPLICATES_REJECT)
				return input_malformed(source, "Node %s occurs more than once.",
									   json_tree_quote(entry->name, (int) entry->length));
			for (int which = 0; which < arity; which++)
				last->counters[which] = Max(last->counters[which], entry->counters[which]);
		}
		else
			entries->items[kept++] = *entry;
	}
	entries->count = kept;
	if (arity == 0)
		return true;

	kept = 0;
	for (uint32 i = 0; i < entries->count; i++)
	{
		uint64 any = 0;

		for (int which = 0; which < arity; which++)
			any |= entries->items[i].counters[which];
		if (any != 0)
			entries->items[kept++] = entries->items[i];
	}
	entries->count = kept;
	return true;
}

/* Find a name among sorted entries. */
bool
node_entries_find(const NodeEntries *entries, const char *name, Size length, uint32 *index)
{
	uint32 low = 0;
	uint32 high = entries->count;

	while (low < high)
	{
		uint32 middle = low + (high - low) / 2;
		const NodeEntry *entry = &entries->items[middle];
		int order = bytes_compare(entry->name, entry->length, name, length);

		if (order == 0)
		{
			*index = middle;
			return true;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* Write sorted, unique entries as a new table. */
struct varlena *
node_table_write(const NodeEntries *entries, uint8 arity, uint8 flags)
{
	Size names_size = 0;
	uint64 any = 0;
	struct varlena *flat;
	NodeTable table;
	uint8 *length;
	char *name;

	for (uint32 i = 0; i < entries->count; i++)
	{
		names_size += entries->items[i].length;
		for (int which = 0; which < arity; which++)
			any |= entries->items[i].counters[which];
	}
	flat = node_table_new(&table, entries->count, names_size, arity, any > PG_UINT32_MAX, flags);
	length = unconstify(uint8 *, table.lengths);
	name = unconstify(char *, table.names);
	for (uint32 i = 0; i < entries->count; i++)
	{
		const NodeEntry *entry = &entries->items[i];

		for (int which = 0; which < arity; which++)
			node_table_put(&table, node_table_slot(&table, i, which), entry->counters[which]);
		*length++ = (uint8) entry->length;
		memcpy(name, entry->name, entry->length);
		name += entry->length;
	}
	node_table_verify(&table);
	return flat;
}

/* From input in any order; NULL after a soft error. */
struct varlena *
node_table_build(NodeEntries *entries, uint8 arity, const InputSource *source)
{
	if (!node_entries_sort(entries, arity, NODE_DUPLICATES_REJECT, source))
		return NULL;
	return node_table_write(entries, arity, 0);
}

/*
 * The greatest counter that a meet of same-node tables will hold; decides its
 * width.
 */
static uint64
node_table_meet_greatest(const NodeTable *a, const NodeTable *b)
{
	uint64 greatest = 0;

	for (uint32 slot = 0; slot < a->nnodes * a->arity; slot++)
	{
		uint64 counter = Min(node_table_counter(a, slot), node_table_counter(b, slot));

		greatest = Max(greatest, counter);
	}
	return greatest;
}

/*
 * Join or meet of two tables, as a new one.
 */
struct varlena *
node_table_combine(const NodeTable *a, const NodeTable *b, NodeOperation operation)
{
	struct varlena *flat;
	NodeTable result;
	NodeEntries entries;
	NodePairs pairs;
	uint8 arity = a->arity;

	Assert(a->arity == b->arity);

	/* A meet of several counters per node may leave a node with none. */
	if ((operation == NODE_JOIN || arity == 1) && node_table_same_nodes(a, b))
	{
		bool wide = operation == NODE_JOIN
			? a->wide || b->wide
			: a->wide && b->wide && node_table_meet_greatest(a, b) > PG_UINT32_MAX;

		flat = node_table_new(&result, a->nnodes, a->names_size, arity, wide, 0);
		node_table_put_nodes(&result, a);
		for (uint32 slot = 0; slot < a->nnodes * arity; slot++)
		{
			uint64 x = node_table_counter(a, slot);
			uint64 y = node_table_counter(b, slot);

			node_table_put(&result, slot, operation == NODE_JOIN ? Max(x, y) : Min(x, y));
		}
		node_table_verify(&result);
		return flat;
	}

	node_entries_init(&entries, a->nnodes + b->nnodes);
	node_pairs_open(&pairs, a, b);
	while (node_pairs_next(&pairs))
	{
		NodeEntry *entry = node_entries_add(&entries, pairs.name, pairs.length);
		uint64 any = 0;

		for (int which = 0; which < arity; which++)
		{
			uint64 x = node_pair_counter(a, pairs.in_a, which);
			uint64 y = node_pair_counter(b, pairs.in_b, which);

			entry->counters[which] = operation == NODE_JOIN ? Max(x, y) : Min(x, y);
			any |= entry->counters[which];
		}
		if (any == 0)
			entries.count--;
	}
	flat = node_table_write(&entries, arity, 0);
	pfree(entries.items);
	return flat;
}

/*
 * A copy in which counter "which" of one node is "value", which is not 0.
 */
struct varlena *
node_table_set(const NodeTable *table, const char *name, Size length, int which, uint64 value)
{
	struct varlena *flat;
	NodeTable result;
	NodeEntries entries;
	uint32 index;
	uint8 arity = table->arity;
	bool found = node_table_find(table, name, length, &index);

	Assert(value > 0 && value <= PG_INT64_MAX);
	if (found &&
		(table->wide ? node_table_counter(table, node_table_slot(table, index, which)) <= value
					 : value <= PG_UINT32_MAX))
	{
		/* same nodes, same width: the image changes in one place */
		flat = node_table_new(&result, table->nnodes, table->names_size, arity, table->wide, 0);
		node_table_assign(&result, table);
		node_table_put(&result, node_table_slot(&result, index, which), value);
		node_table_verify(&result);
		return flat;
	}

	node_entries_init(&entries, table->nnodes + 1);
	node_entries_copy(&entries, table);
	if (found)
		entries.items[index].counters[which] = value;
	else
	{
		node_entries_add(&entries, name, length)->counters[which] = value;
		node_entries_sort(&entries, arity, NODE_DUPLICATES_JOIN, NULL);
	}
	flat = node_table_write(&entries, arity, 0);
	pfree(entries.items);
	return flat;
}

/*
 * A copy in which counter "which" of one node has grown by "by".  A counter
 * that would exceed its limit is an error of "type_name".
 */
struct varlena *
node_table_increment(const NodeTable *table, NodeName node, int which, uint64 by,
					 const char *type_name)
{
	uint64 counter = node_table_get(table, node.name, node.length, which);

	if (by > PG_INT64_MAX - counter)
	{
		InputSource source = input_from_arguments(type_name);

		input_out_of_range(&source,
						   "The counter of %s is " UINT64_FORMAT
						   " and cannot grow by " UINT64_FORMAT " beyond " INT64_FORMAT ".",
						   json_tree_quote(node.name, (int) node.length), counter, by,
						   PG_INT64_MAX);
	}
	return node_table_set(table, node.name, node.length, which, counter + by);
}

/*
 * The part of a table that concerns the nodes of another.
 */
struct varlena *
node_table_restrict(const NodeTable *table, const NodeTable *nodes)
{
	struct varlena *flat;
	NodeEntries entries;
	NodePairs pairs;

	node_entries_init(&entries, Min(table->nnodes, nodes->nnodes));
	node_pairs_open(&pairs, table, nodes);
	while (node_pairs_next(&pairs))
	{
		NodeEntry *entry;

		if (pairs.in_a < 0 || pairs.in_b < 0)
			continue;
		entry = node_entries_add(&entries, pairs.name, pairs.length);
		for (int which = 0; which < table->arity; which++)
			entry->counters[which] = node_pair_counter(table, pairs.in_a, which);
	}
	flat = node_table_write(&entries, table->arity, 0);
	pfree(entries.items);
	return flat;
}

/*
 * What a replica that has seen "seen" lacks of "table": the nodes of which it
 * has seen less.  Joining that gives what joining the whole gives.
 */
struct varlena *
node_table_delta(const NodeTable *table, const NodeTable *seen)
{
	struct varlena *flat;
	NodeEntries entries;
	NodePairs pairs;

	Assert(table->arity == seen->arity);
	node_entries_init(&entries, table->nnodes);
	node_pairs_open(&pairs, table, seen);
	while (node_pairs_next(&pairs))
	{
		NodeEntry *entry;
		bool lacking = false;

		if (pairs.in_a < 0)
			continue;
		entry = node_entries_add(&entries, pairs.name, pairs.length);
		for (int which = 0; which < table->arity; which++)
		{
			entry->counters[which] = node_pair_counter(table, pairs.in_a, which);
			lacking |= entry->counters[which] > node_pair_counter(seen, pairs.in_b, which);
		}
		if (!lacking)
			entries.count--;
	}
	flat = node_table_write(&entries, table->arity, 0);
	pfree(entries.items);
	return flat;
}

/*
 * What the types' functions have in common.
 */

Datum
node_table_sql_contained(FunctionCallInfo fcinfo, uint8 arity)
{
	PartialOrder order = node_table_datum_order(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), arity,
												ORDER_AFTER);

	PG_RETURN_BOOL((order & ORDER_AFTER) == 0);
}

Datum
node_table_sql_contains(FunctionCallInfo fcinfo, uint8 arity)
{
	PartialOrder order = node_table_datum_order(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), arity,
												ORDER_BEFORE);

	PG_RETURN_BOOL((order & ORDER_BEFORE) == 0);
}

Datum
node_table_sql_delta(FunctionCallInfo fcinfo, uint8 arity)
{
	NodeTable table;
	NodeTable seen;

	node_table_open(&table, PG_GETARG_VARLENA_PP(0), arity);
	node_table_open(&seen, PG_GETARG_VARLENA_PP(1), arity);
	PG_RETURN_POINTER(node_table_delta(&table, &seen));
}

/* A sort keeps the number of counters where its comparator finds it. */
static inline uint8
sort_arity(SortSupport ssup)
{
	return (uint8) (uintptr_t) ssup->ssup_extra;
}

static int
node_table_sort_compare(Datum x, Datum y, SortSupport ssup)
{
	return node_table_datum_compare(x, y, sort_arity(ssup));
}

/* The sum, which comes first in the total order. */
static Datum
node_table_abbreviate(Datum original, SortSupport ssup)
{
	struct varlena *flat;
	NodeTable table;
	Datum key;

	node_table_borrow(&table, &flat, original, sort_arity(ssup));
	key = node_sum_sort_key(node_table_sum(&table));
	node_table_return(flat, original);
	return key;
}

Datum
node_table_sql_sortsupport(FunctionCallInfo fcinfo, uint8 arity)
{
	SortSupport ssup = (SortSupport) PG_GETARG_POINTER(0);

	ssup->ssup_extra = (void *) (uintptr_t) arity;
	sort_key_install(ssup, node_table_sort_compare, node_table_abbreviate);
	PG_RETURN_VOID();
}
