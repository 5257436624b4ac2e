/*
 * entry_table.c
 *		The stored form of sets, registers and maps: nodes, and sorted entries
 *		that name them.
 *
 * Two kernels share it.  In a dot store an entry is (key, dot, value), a dot
 * being a node and one of its counters, and the table has a causal context:
 * the dots that are known, live or not.  In a stamped map an entry is (key,
 * time, node, value or removal), and there is no context.
 *
 * Stored bytes, behind the varlena header:
 *
 *		bytes			content
 *		4				the widths of what follows: bits 0-29 three for each column,
 *						bits 30-31 of the counts (0, 1, 2: that many bytes; 3: 4)
 *		3 counts		nodes n, entries e, ranges r
 *		e each			columns of the entries: end of the key, end of the value,
 *						node, time, logical time, removed
 *		n				column of the nodes: prefix, the counter up to which all dots
 *						of the node are in the context
 *		r each			columns of the ranges, dots beyond the prefixes: node, first
 *						counter, how many follow it
 *		rest			the keys, the values, the length of each node's name (a byte
 *						each), the names; all without separators
 *
 * A column is as wide as its greatest number needs (0, 1, 2, 4 or 8 bytes), so
 * one that a type does not use takes none.  Integers are in the machine's byte
 * order and at any alignment.
 *
 * Entries are sorted by key (bytes), and those of one key by node and counter.
 * A key is stored once, with its first entry: the ends of further ones repeat
 * it.  Nodes are sorted by name and referred to by index, and each is in the
 * context or stamps an entry.  Ranges are sorted by node and counter and touch
 * neither one another nor a prefix; normally there are none.  So equal values
 * have equal bytes.
 */
#include "core/compat.h"

#include "core/entry_table.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#define WIDTH_BITS   3
#define COUNTS_SHIFT (WIDTH_BITS * TABLE_COLUMNS)

/* What decides the size of a table. */
typedef struct TableShape
{
	uint32 nnodes;
	uint32 nentries;
	uint32 nranges;
	Size keys_size;
	Size values_size;
	Size names_size;
	uint64 greatest[TABLE_COLUMNS];
} TableShape;

/* How many numbers a column has. */
static inline uint32
column_count(TableColumn column, uint32 nnodes, uint32 nentries, uint32 nranges)
{
	return column < NODE_PREFIX ? nentries : column == NODE_PREFIX ? nnodes : nranges;
}

/*
 * Find the parts of the image that "flat" holds.  The image may have a short
 * header, but must not be compressed or external.
 */
void
entry_table_open(EntryTable *table, const struct varlena *flat)
{
	const char *image = VARDATA_ANY(flat);
	Size size = VARSIZE_ANY_EXHDR(flat);
	Size at = sizeof(uint32);
	PackedColumn counts;
	uint32 nnodes;
	uint32 widths;

	if (unlikely(size < at))
		elog(ERROR, "stored entry table has %zu bytes", size);
	memcpy(&widths, image, sizeof(widths));
	counts.bytes = image + at;
	counts.width = packed_width_decode(widths >> COUNTS_SHIFT);
	at += 3 * counts.width;
	if (unlikely(size < at))
		elog(ERROR, "stored entry table has only %zu bytes", size);
	nnodes = (uint32) packed_get(&counts, 0);
	table->nentries = (uint32) packed_get(&counts, 1);
	table->nranges = (uint32) packed_get(&counts, 2);
	for (int column = 0; column < TABLE_COLUMNS; column++)
	{
		uint8 width = packed_width_decode(widths & ((1 << WIDTH_BITS) - 1));

		widths >>= WIDTH_BITS;
		table->columns[column].bytes = image + at;
		table->columns[column].width = width;
		at += (Size) width * column_count(column, nnodes, table->nentries, table->nranges);
	}
	if (unlikely(size < at))
		elog(ERROR, "stored entry table of %u entries has only %zu bytes", table->nentries, size);
	table->keys_size = table->values_size = 0;
	if (table->nentries > 0)
	{
		table->keys_size = (uint32) packed_get(&table->columns[ENTRY_KEY_END], table->nentries - 1);
		table->values_size = (uint32) packed_get(&table->columns[ENTRY_VALUE_END],
												 table->nentries - 1);
	}
	table->keys = image + at;
	table->values = table->keys + table->keys_size;
	at += (Size) table->keys_size + table->values_size + nnodes;
	if (unlikely(size < at))
		elog(ERROR, "stored entry table of %u nodes has only %zu bytes", nnodes, size);
	table->nodes.nnodes = nnodes;
	table->nodes.arity = 0;
	table->nodes.wide = false;
	table->nodes.flags = 0;
	table->nodes.counters = NULL;
	table->nodes.lengths = (const uint8 *) image + at - nnodes;
	table->nodes.names = image + at;
	table->nodes.names_size = (uint32) (size - at);
}

/*
 * Invariants of the stored form, checked after every build in assertion
 * builds.
 */
static void
entry_table_verify(const struct varlena *flat)
{
#ifdef USE_ASSERT_CHECKING
	EntryTable table;
	EntryCursor cursor;
	NodeCursor node;
	Entry before = {0};
	DotRange last = {0};
	Size names_size = 0;

	entry_table_open(&table, flat);
	for (int column = 0; column < TABLE_COLUMNS; column++)
	{
		uint64 greatest = 0;

		for (uint32 i = column_count(column, table.nodes.nnodes, table.nentries, table.nranges);
			 i-- > 0;)
			greatest = Max(greatest, packed_get(&table.columns[column], i));
		Assert(packed_width(greatest) == table.columns[column].width);
	}
	for (node_cursor_open(&node, &table.nodes); !node_cursor_done(&node); node_cursor_next(&node))
	{
		uint32 length = node_cursor_length(&node);

		Assert(length > 0);
		Assert(node.index == 0 ||
			   bytes_compare(node.name - table.nodes.lengths[node.index - 1],
							 table.nodes.lengths[node.index - 1], node.name, length) < 0);
		names_size += length;
	}
	Assert(names_size == table.nodes.names_size);
	for (entry_cursor_open(&cursor, &table); entry_cursor_next(&cursor);)
	{
		const Entry *entry = &cursor.entry;

		Assert(entry->node < table.nodes.nnodes);
		Assert(!entry->removed || entry->value_length == 0);
		if (cursor.index > 1)
		{
			int order = entry_compare_keys(&before, entry);

			Assert(cursor.begins_key ? order < 0 : order == 0);
			Assert(order < 0 || before.node < entry->node ||
				   (before.node == entry->node && before.time < entry->time));
		}
		before = *entry;
	}
	for (uint32 i = 0; i < table.nranges; i++)
	{
		DotRange range = entry_table_range(&table, i);
		bool same = i > 0 && range.node == last.node;

		Assert(range.node < table.nodes.nnodes);
		Assert(range.first <= range.last && range.last <= PG_INT64_MAX);
		Assert(range.first > packed_get(&table.columns[NODE_PREFIX], range.node) + 1);
		Assert(i == 0 || range.node >= last.node);
		Assert(!same || range.first > last.last + 1);
		last = range;
	}
#endif
}

/*
 * Allocate the image of a table and open it; the caller writes columns, keys,
 * values, lengths and names.
 */
static struct varlena *
entry_table_new(EntryTable *table, const TableShape *shape)
{
	uint8 counts_width = packed_width(Max(Max(shape->nnodes, shape->nentries), shape->nranges));
	Size size = VARHDRSZ + sizeof(uint32) + 3 * counts_width + shape->keys_size +
		shape->values_size + shape->nnodes + shape->names_size;
	uint32 widths = 0;
	struct varlena *flat;
	char *image;
	Size at;
	PackedColumn counts;

	for (int column = 0; column < TABLE_COLUMNS; column++)
	{
		uint8 width = packed_width(shape->greatest[column]);

		table->columns[column].width = width;
		widths |= packed_width_code(width) << (WIDTH_BITS * column);
		size += (Size) width * column_count(column, shape->nnodes, shape->nentries, shape->nranges);
	}
	widths |= packed_width_code(counts_width) << COUNTS_SHIFT;
	if (!AllocSizeIsValid(size))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("value with %u entries exceeds the maximum size of a datum",
						shape->nentries),
				 errdetail("It would take %zu bytes, more than %zu.", size, (Size) MaxAllocSize)));

	flat = palloc(size);
	SET_VARSIZE(flat, size);
	image = VARDATA(flat);
	memcpy(image, &widths, sizeof(widths));
	at = sizeof(widths);
	counts.bytes = image + at;
	counts.width = counts_width;
	packed_put(&counts, 0, shape->nnodes);
	packed_put(&counts, 1, shape->nentries);
	packed_put(&counts, 2, shape->nranges);
	at += 3 * counts_width;
	for (int column = 0; column < TABLE_COLUMNS; column++)
	{
		table->columns[column].bytes = image + at;
		at += (Size) table->columns[column].width *
			column_count(column, shape->nnodes, shape->nentries, shape->nranges);
	}
	table->nentries = shape->nentries;
	table->nranges = shape->nranges;
	table->keys = image + at;
	table->keys_size = (uint32) shape->keys_size;
	table->values = table->keys + shape->keys_size;
	table->values_size = (uint32) shape->values_size;
	table->nodes.nnodes = shape->nnodes;
	table->nodes.lengths = (const uint8 *) table->values + shape->values_size;
	table->nodes.names = (const char *) table->nodes.lengths + shape->nnodes;
	table->nodes.names_size = (uint32) shape->names_size;
	return flat;
}

void
entry_table_borrow(EntryLoan *loan, Datum value)
{
	struct varlena *flat = PG_DETOAST_DATUM_PACKED(value);

	loan->copy = (Pointer) flat == DatumGetPointer(value) ? NULL : flat;
	entry_table_open(&loan->table, flat);
}

void
entry_table_return(EntryLoan *loan)
{
	if (loan->copy)
		pfree(loan->copy);
}

/* The name of a node, where it lies. */
NodeName
entry_table_node(const EntryTable *table, uint32 node)
{
	NodeName result = {table->nodes.names, table->nodes.lengths[node]};

	for (uint32 i = 0; i < node; i++)
		result.name += table->nodes.lengths[i];
	return result;
}

/*
 * Find the entries of a key: from .. to - 1.  False, and both where it would
 * stand, if it has none.
 */
bool
entry_table_find(const EntryTable *table, const char *key, Size length, uint32 *from, uint32 *to)
{
	const PackedColumn *ends = &table->columns[ENTRY_KEY_END];
	uint32 low = 0;
	uint32 high = table->nentries;

	while (low < high)
	{
		uint32 first = low + (high - low) / 2;
		uint32 end = (uint32) packed_get(ends, first);
		uint32 next = first + 1;
		uint32 start = 0;
		int order;

		/* to the first entry of that key, and behind its last */
		while (first > 0 && (start = (uint32) packed_get(ends, first - 1)) == end)
			first--;
		if (first == 0)
			start = 0;
		order = bytes_compare(table->keys + start, end - start, key, length);
		if (order > 0)
		{
			high = first;
			continue;
		}
		while (next < table->nentries && packed_get(ends, next) == end)
			next++;
		if (order == 0)
		{
			*from = first;
			*to = next;
			return true;
		}
		low = next;
	}
	*from = *to = low;
	return false;
}

/* Open a cursor whose next entry is the one at "index", the first of its key. */
void
entry_table_seek(EntryCursor *cursor, const EntryTable *table, uint32 index)
{
	entry_cursor_open(cursor, table);
	cursor->index = index;
	if (index > 0)
	{
		cursor->key_end = (uint32) packed_get(&table->columns[ENTRY_KEY_END], index - 1);
		cursor->value_end = (uint32) packed_get(&table->columns[ENTRY_VALUE_END], index - 1);
	}
}

uint32
entry_table_count_keys(const EntryTable *table)
{
	const PackedColumn *ends = &table->columns[ENTRY_KEY_END];
	uint32 keys = table->nentries > 0 ? 1 : 0;
	uint64 before = keys ? packed_get(ends, 0) : 0;

	for (uint32 i = 1; i < table->nentries; i++)
	{
		uint64 end = packed_get(ends, i);

		keys += end != before;
		before = end;
	}
	return keys;
}

/*
 * A total order of tables for what their kernel's order leaves open.  It does
 * not depend on the machine's byte order.
 */
int
entry_table_compare(const EntryTable *a, const EntryTable *b)
{
	int order;

#define COMPARE(x, y) \
	if ((x) != (y)) \
	return (x) < (y) ? -1 : 1
	COMPARE(a->nodes.nnodes, b->nodes.nnodes);
	COMPARE(a->nentries, b->nentries);
	COMPARE(a->nranges, b->nranges);
	order = bytes_compare(a->keys, a->keys_size, b->keys, b->keys_size);
	if (order == 0)
		order = bytes_compare(a->values, a->values_size, b->values, b->values_size);
	if (order == 0)
		order = bytes_compare((const char *) a->nodes.lengths,
							  (Size) a->nodes.nnodes + a->nodes.names_size,
							  (const char *) b->nodes.lengths,
							  (Size) b->nodes.nnodes + b->nodes.names_size);
	if (order != 0)
		return order < 0 ? -1 : 1;
	for (int column = 0; column < TABLE_COLUMNS; column++)
	{
		uint32 count = column_count(column, a->nodes.nnodes, a->nentries, a->nranges);

		for (uint32 i = 0; i < count; i++)
			COMPARE(packed_get(&a->columns[column], i), packed_get(&b->columns[column], i));
	}
#undef COMPARE
	return 0;
}

/*
 * Building a table from a draft.
 */

void
entry_draft_init(EntryDraft *draft, uint32 entries)
{
	memset(draft, 0, sizeof(*draft));
	node_entries_init(&draft->nodes, 0);
	draft->max_entries = Max(entries, 8);
	draft->entries = MemoryContextAllocHuge(CurrentMemoryContext,
											sizeof(Entry) * (Size) draft->max_entries);
}

/* Double an array's room; the count is a uint32. */
static void *
draft_grow(void *items, Size size, uint32 *room)
{
	if (*room > PG_UINT32_MAX / 2)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("too many entries in one value")));
	*room = Max(*room * 2, 8);
	return items ? repalloc_huge(items, size * (Size) *room)
				 : MemoryContextAllocHuge(CurrentMemoryContext, size * (Size) *room);
}

/* Room for one more entry, not initialised. */
Entry *
entry_draft_add(EntryDraft *draft)
{
	CHECK_FOR_INTERRUPTS();
	if (draft->nentries == draft->max_entries)
		draft->entries = draft_grow(draft->entries, sizeof(Entry), &draft->max_entries);
	return &draft->entries[draft->nentries++];
}

void
entry_draft_add_range(EntryDraft *draft, uint32 node, uint64 first, uint64 last)
{
	DotRange *range;

	CHECK_FOR_INTERRUPTS();
	if (draft->nranges == draft->max_ranges)
		draft->ranges = draft_grow(draft->ranges, sizeof(DotRange), &draft->max_ranges);
	range = &draft->ranges[draft->nranges++];
	range->node = node;
	range->first = first;
	range->last = last;
}

static inline void
shape_see(TableShape *shape, TableColumn column, uint64 number)
{
	/* not the greatest itself, but what decides the width */
	shape->greatest[column] |= number;
}

struct varlena *
entry_table_write(const EntryDraft *draft)
{
	TableShape shape = {0};
	EntryTable table;
	struct varlena *flat;
	const Entry *before = NULL;
	char *keys;
	char *values;
	uint8 *length;
	char *name;

	shape.nnodes = draft->nodes.count;
	shape.nentries = draft->nentries;
	shape.nranges = draft->nranges;
	for (uint32 i = 0; i < draft->nentries; i++)
	{
		const Entry *entry = &draft->entries[i];

		CHECK_FOR_INTERRUPTS();
		if (before == NULL || !entry_same_key(before, entry))
			shape.keys_size += entry->key_length;
		shape.values_size += entry->value_length;
		shape_see(&shape, ENTRY_NODE, entry->node);
		shape_see(&shape, ENTRY_TIME, entry->time);
		shape_see(&shape, ENTRY_LOGICAL, entry->logical);
		shape_see(&shape, ENTRY_REMOVED, entry->removed);
		before = entry;
	}
	shape_see(&shape, ENTRY_KEY_END, shape.keys_size);
	shape_see(&shape, ENTRY_VALUE_END, shape.values_size);
	for (uint32 i = 0; i < draft->nodes.count; i++)
	{
		shape.names_size += draft->nodes.items[i].length;
		shape_see(&shape, NODE_PREFIX, draft->nodes.items[i].counters[0]);
	}
	for (uint32 i = 0; i < draft->nranges; i++)
	{
		const DotRange *range = &draft->ranges[i];

		shape_see(&shape, RANGE_NODE, range->node);
		shape_see(&shape, RANGE_FIRST, range->first);
		shape_see(&shape, RANGE_SPAN, range->last - range->first);
	}

	flat = entry_table_new(&table, &shape);
	keys = unconstify(char *, table.keys);
	values = unconstify(char *, table.values);
	before = NULL;
	for (uint32 i = 0; i < draft->nentries; i++)
	{
		const Entry *entry = &draft->entries[i];

		CHECK_FOR_INTERRUPTS();
		if (before == NULL || !entry_same_key(before, entry))
		{
			memcpy(keys, entry->key, entry->key_length);
			keys += entry->key_length;
		}
		memcpy(values, entry->value, entry->value_length);
		values += entry->value_length;
		packed_put(&table.columns[ENTRY_KEY_END], i, keys - table.keys);
		packed_put(&table.columns[ENTRY_VALUE_END], i, values - table.values);
		packed_put(&table.columns[ENTRY_NODE], i, entry->node);
		packed_put(&table.columns[ENTRY_TIME], i, entry->time);
		packed_put(&table.columns[ENTRY_LOGICAL], i, entry->logical);
		packed_put(&table.columns[ENTRY_REMOVED], i, entry->removed);
		before = entry;
	}
	for (uint32 i = 0; i < draft->nranges; i++)
	{
		const DotRange *range = &draft->ranges[i];

		packed_put(&table.columns[RANGE_NODE], i, range->node);
		packed_put(&table.columns[RANGE_FIRST], i, range->first);
		packed_put(&table.columns[RANGE_SPAN], i, range->last - range->first);
	}
	length = unconstify(uint8 *, table.nodes.lengths);
	name = unconstify(char *, table.nodes.names);
	for (uint32 i = 0; i < draft->nodes.count; i++)
	{
		const NodeEntry *node = &draft->nodes.items[i];

		packed_put(&table.columns[NODE_PREFIX], i, node->counters[0]);
		*length++ = (uint8) node->length;
		memcpy(name, node->name, node->length);
		name += node->length;
	}
	entry_table_verify(flat);
	return flat;
}

/*
 * Changing a table.  A change copies columns, keys and values in pieces, which
 * costs little more than copying the value.
 */

/*
 * Copy numbers from .. to - 1 of a column to "at" of another, each "shift"
 * greater.
 */
static void
column_copy(const PackedColumn *target, uint32 at, const PackedColumn *source, uint32 from,
			uint32 to, int64 shift)
{
	if (target->width == source->width && shift == 0)
		memcpy(unconstify(char *, target->bytes) + (Size) at * target->width,
			   source->bytes + (Size) from * source->width, (Size) (to - from) * source->width);
	else if (target->width == 4 && source->width == 4)
	{
		PackedColumn wide_target = {target->bytes, 4};
		PackedColumn wide_source = {source->bytes, 4};

		/* widths that the compiler knows: no branch per number */
		for (uint32 i = from; i < to; i++)
			packed_put(&wide_target, at + (i - from), packed_get(&wide_source, i) + (uint64) shift);
	}
	else
	{
		for (uint32 i = from; i < to; i++)
			packed_put(target, at + (i - from), packed_get(source, i) + (uint64) shift);
	}
}

/*
 * The greatest number of a column without entries from .. to - 1, or another
 * that takes as many bytes.
 */
static uint64
column_greatest_without(const PackedColumn *column, uint32 count, uint32 from, uint32 to)
{
	uint64 all = 0;

	for (uint32 i = 0; i < count; i++)
	{
		if (i == from)
			i = to;
		if (i >= count)
			break;
		all |= packed_get(column, i);
		/* once it needs the width there is, that is known */
		if (packed_width(all) == column->width)
			break;
	}
	return all;
}

static inline uint64
column_greatest(const PackedColumn *column, uint32 count)
{
	return column_greatest_without(column, count, count, count);
}

/* Copy a column of node numbers, among which a new one has its place. */
static void
column_copy_nodes(const PackedColumn *target, uint32 at, const PackedColumn *source, uint32 from,
				  uint32 to, const EntryChange *change)
{
	if (!change->new_node)
	{
		column_copy(target, at, source, from, to, 0);
		return;
	}
	for (uint32 i = from; i < to; i++)
	{
		uint64 node = packed_get(source, i);

		packed_put(target, at + (i - from), node + (node >= change->entry->node));
	}
}

struct varlena *
entry_table_change(const EntryTable *table, const EntryChange *change)
{
	const Entry *entry = change->entry;
	uint32 from = change->from;
	uint32 to = change->to;
	uint32 kept = table->nentries - (to - from);
	uint32 behind = from + (entry != NULL);
	uint32 nnodes = table->nodes.nnodes;
	const PackedColumn *columns = table->columns;
	TableShape shape = {0};
	EntryTable result;
	struct varlena *flat;
	uint32 key_start = 0;
	uint32 key_end = 0;
	uint32 value_start = 0;
	uint32 value_end = 0;

	/* what goes, of keys and values */
	if (from > 0)
	{
		key_start = (uint32) packed_get(&columns[ENTRY_KEY_END], from - 1);
		value_start = (uint32) packed_get(&columns[ENTRY_VALUE_END], from - 1);
	}
	key_end = key_start;
	value_end = value_start;
	if (to > from)
	{
		key_end = (uint32) packed_get(&columns[ENTRY_KEY_END], to - 1);
		value_end = (uint32) packed_get(&columns[ENTRY_VALUE_END], to - 1);
	}

	shape.nnodes = nnodes + (entry && change->new_node);
	shape.nentries = kept + (entry != NULL);
	shape.nranges = table->nranges;
	shape.keys_size = table->keys_size - (key_end - key_start) + (entry ? entry->key_length : 0);
	shape.values_size = table->values_size - (value_end - value_start) +
		(entry ? entry->value_length : 0);
	shape.names_size = table->nodes.names_size +
		(entry && change->new_node ? change->name.length : 0);
	shape.greatest[ENTRY_KEY_END] = shape.keys_size;
	shape.greatest[ENTRY_VALUE_END] = shape.values_size;
	shape.greatest[ENTRY_TIME] = column_greatest_without(&columns[ENTRY_TIME], table->nentries,
														 from, to);
	if (entry && change->new_node)
	{
		/* node numbers are known only when all are looked at: they shift */
		for (uint32 i = 0; i < table->nentries; i++)
		{
			uint64 node = packed_get(&columns[ENTRY_NODE], i);

			if (i < from || i >= to)
				shape_see(&shape, ENTRY_NODE, node + (node >= entry->node));
		}
		for (uint32 i = 0; i < table->nranges; i++)
		{
			uint64 node = packed_get(&columns[RANGE_NODE], i);

			shape_see(&shape, RANGE_NODE, node + (node >= entry->node));
		}
	}
	else
	{
		shape.greatest[ENTRY_NODE] = column_greatest_without(&columns[ENTRY_NODE], table->nentries,
															 from, to);
		shape.greatest[RANGE_NODE] = column_greatest(&columns[RANGE_NODE], table->nranges);
	}
	for (int column = NODE_PREFIX; column < TABLE_COLUMNS; column++)
	{
		if (column != RANGE_NODE)
			shape.greatest[column] = column_greatest(&columns[column],
													 column_count(column, nnodes, table->nentries,
																  table->nranges));
	}
	if (entry)
	{
		shape_see(&shape, ENTRY_NODE, entry->node);
		shape_see(&shape, ENTRY_TIME, entry->time);
		if (change->range < 0)
			shape_see(&shape, NODE_PREFIX, entry->time);
		else
			shape_see(&shape, RANGE_SPAN,
					  packed_get(&columns[RANGE_SPAN], (uint32) change->range) + 1);
	}

	flat = entry_table_new(&result, &shape);

	/* entries: before, instead, behind */
	for (int column = 0; column < NODE_PREFIX; column++)
	{
		const PackedColumn *target = &result.columns[column];
		int64 shift = 0;

		if (column == ENTRY_NODE)
		{
			column_copy_nodes(target, 0, &columns[column], 0, from, change);
			column_copy_nodes(target, behind, &columns[column], to, table->nentries, change);
			continue;
		}
		if (column == ENTRY_KEY_END)
			shift = (int64) shape.keys_size - table->keys_size;
		else if (column == ENTRY_VALUE_END)
			shift = (int64) shape.values_size - table->values_size;
		column_copy(target, 0, &columns[column], 0, from, 0);
		column_copy(target, behind, &columns[column], to, table->nentries, shift);
	}
	memcpy(unconstify(char *, result.keys), table->keys, key_start);
	memcpy(unconstify(char *, result.values), table->values, value_start);
	if (entry)
	{
		packed_put(&result.columns[ENTRY_KEY_END], from, key_start + entry->key_length);
		packed_put(&result.columns[ENTRY_VALUE_END], from, value_start + entry->value_length);
		packed_put(&result.columns[ENTRY_NODE], from, entry->node);
		packed_put(&result.columns[ENTRY_TIME], from, entry->time);
		memcpy(unconstify(char *, result.keys) + key_start, entry->key, entry->key_length);
		memcpy(unconstify(char *, result.values) + value_start, entry->value, entry->value_length);
	}
	memcpy(unconstify(char *, result.keys) + result.keys_size - (table->keys_size - key_end),
		   table->keys + key_end, table->keys_size - key_end);
	memcpy(unconstify(char *, result.values) + result.values_size -
			   (table->values_size - value_end),
		   table->values + value_end, table->values_size - value_end);

	/* context */
	column_copy_nodes(&result.columns[RANGE_NODE], 0, &columns[RANGE_NODE], 0, table->nranges,
					  change);
	column_copy(&result.columns[RANGE_FIRST], 0, &columns[RANGE_FIRST], 0, table->nranges, 0);
	column_copy(&result.columns[RANGE_SPAN], 0, &columns[RANGE_SPAN], 0, table->nranges, 0);
	if (entry && change->new_node)
	{
		const uint8 *lengths = table->nodes.lengths;
		uint8 *result_lengths = unconstify(uint8 *, result.nodes.lengths);
		char *names = unconstify(char *, result.nodes.names);
		uint32 place = entry->node;
		Size before = 0;

		for (uint32 i = 0; i < place; i++)
			before += lengths[i];
		column_copy(&result.columns[NODE_PREFIX], 0, &columns[NODE_PREFIX], 0, place, 0);
		column_copy(&result.columns[NODE_PREFIX], place + 1, &columns[NODE_PREFIX], place, nnodes,
					0);
		memcpy(result_lengths, lengths, place);
		result_lengths[place] = (uint8) change->name.length;
		memcpy(result_lengths + place + 1, lengths + place, nnodes - place);
		memcpy(names, table->nodes.names, before);
		memcpy(names + before, change->name.name, change->name.length);
		memcpy(names + before + change->name.length, table->nodes.names + before,
			   table->nodes.names_size - before);
	}
	else
	{
		column_copy(&result.columns[NODE_PREFIX], 0, &columns[NODE_PREFIX], 0, nnodes, 0);
		memcpy(unconstify(uint8 *, result.nodes.lengths), table->nodes.lengths,
			   (Size) nnodes + table->nodes.names_size);
	}
	if (entry && change->range < 0)
		packed_put(&result.columns[NODE_PREFIX], entry->node, entry->time);
	else if (entry)
		packed_put(&result.columns[RANGE_SPAN], (uint32) change->range,
				   packed_get(&columns[RANGE_SPAN], (uint32) change->range) + 1);
	entry_table_verify(flat);
	return flat;
}
