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
void
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
void *
entry_draft_grow(void *items, Size size, uint32 *room)
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
		draft->entries = entry_draft_grow(draft->entries, sizeof(Entry), &draft->max_entries);
	return &draft->entries[draft->nentries++];
}

void
entry_draft_add_range(EntryDraft *draft, uint32 node, uint64 first, uint64 last)
{
	DotRange *range;

	CHECK_FOR_INTERRUPTS();
	if (draft->nranges == draft->max_ranges)
		draft->ranges = entry_draft_grow(draft->ranges, sizeof(DotRange), &draft->max_ranges);
	range = &draft->ranges[draft->nranges++];
	range->node = node;
	range->first = first;
	range->last = last;
}

/*
 * Begin a table of which the entries are known to be of some shape, with the
 * nodes and ranges of a draft; the caller writes the entries.
 */
struct varlena *
entry_table_begin(EntryTable *table, TableShape *shape, const EntryDraft *draft)
{
	struct varlena *flat;
	uint8 *length;
	char *name;

	shape->nnodes = draft->nodes.count;
	shape->nranges = draft->nranges;
	for (uint32 i = 0; i < draft->nodes.count; i++)
	{
		shape->names_size += draft->nodes.items[i].length;
		table_shape_see(shape, NODE_PREFIX, draft->nodes.items[i].counters[0]);
	}
	for (uint32 i = 0; i < draft->nranges; i++)
	{
		const DotRange *range = &draft->ranges[i];

		table_shape_see(shape, RANGE_NODE, range->node);
		table_shape_see(shape, RANGE_FIRST, range->first);
		table_shape_see(shape, RANGE_SPAN, range->last - range->first);
	}

	flat = entry_table_new(table, shape);
	for (uint32 i = 0; i < draft->nranges; i++)
	{
		const DotRange *range = &draft->ranges[i];

		packed_put(&table->columns[RANGE_NODE], i, range->node);
		packed_put(&table->columns[RANGE_FIRST], i, range->first);
		packed_put(&table->columns[RANGE_SPAN], i, range->last - range->first);
	}
	length = unconstify(uint8 *, table->nodes.lengths);
	name = unconstify(char *, table->nodes.names);
	for (uint32 i = 0; i < draft->nodes.count; i++)
	{
		const NodeEntry *node = &draft->nodes.items[i];

		packed_put(&table->columns[NODE_PREFIX], i, node->counters[0]);
		*length++ = (uint8) node->length;
		memcpy(name, node->name, node->length);
		name += node->length;
	}
	return flat;
}

struct varlena *
entry_table_write(const EntryDraft *draft)
{
	TableShape shape = {0};
	EntryTable table;
	struct varlena *flat;
	char *keys;
	char *values;

	shape.nentries = draft->nentries;
	for (uint32 i = 0; i < draft->nentries; i++)
	{
		const Entry *entry = entry_draft_get(draft, i);

		CHECK_FOR_INTERRUPTS();
		entry_draft_prefetch(draft, i);
		if (!entry_draft_repeats_key(draft, i))
			shape.keys_size += entry->key_length;
		shape.values_size += entry->value_length;
		table_shape_see(&shape, ENTRY_NODE, entry->node);
		table_shape_see(&shape, ENTRY_TIME, entry->time);
		table_shape_see(&shape, ENTRY_LOGICAL, entry->logical);
		table_shape_see(&shape, ENTRY_REMOVED, entry->removed);
	}
	table_shape_see(&shape, ENTRY_KEY_END, shape.keys_size);
	table_shape_see(&shape, ENTRY_VALUE_END, shape.values_size);

	flat = entry_table_begin(&table, &shape, draft);
	keys = unconstify(char *, table.keys);
	values = unconstify(char *, table.values);
	for (uint32 i = 0; i < draft->nentries; i++)
	{
		const Entry *entry = entry_draft_get(draft, i);

		CHECK_FOR_INTERRUPTS();
		entry_draft_prefetch(draft, i);
		entry_draft_prefetch(draft, i);
		if (!entry_draft_repeats_key(draft, i))
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
	}
	entry_table_verify(flat);
	return flat;
}
