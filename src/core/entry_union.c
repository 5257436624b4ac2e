/*
 * entry_union.c
 *		Several entry tables as one: the nodes of all, and the entries of all in
 *		one sequence.
 *
 * What the two kernels on entry tables do to join many values, as in an
 * aggregate, begins alike: bring all entries into one order, so that those of
 * one key, and equal ones, stand together.  They are sorted, which for S
 * entries takes S log S however many tables they come from.  (Two tables are
 * joined in one walk, see entry_splice.c.)
 */
#include "core/compat.h"

#include "core/entry_union.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "utils/memutils.h"

typedef struct SortContext
{
	const Entry *entries;
	EntryOrder order;
} SortContext;

/* So few places are sorted by comparing them; so many by wider digits. */
#define RADIX_MIN  64
#define RADIX_WIDE 65536

static int
place_compare(const void *x, const void *y, void *arg)
{
	const EntryPlace *a = x;
	const EntryPlace *b = y;
	const SortContext *context = arg;

	CHECK_FOR_INTERRUPTS();
	if (a->prefix != b->prefix)
		return a->prefix < b->prefix ? -1 : 1;
	return context->order(&context->entries[a->index], &context->entries[b->index]);
}

/*
 * Sort places by their prefixes, from the last digit to the first: a few
 * passes through memory, where comparing would take some twenty for a million
 * places, each waiting for it.  Digits of many places have 16 bits, for half as
 * many passes: of text, hardly more than a hundred of their values occur.
 * "spare" is as large; the result is in one of the two.
 */
static EntryPlace *
sort_by_prefix(EntryPlace *places, EntryPlace *spare, uint32 count)
{
	int bits = count < RADIX_WIDE ? 8 : 16;
	int digits = 64 / bits;
	uint32 values = (uint32) 1 << bits;
	uint32 *all = palloc0(sizeof(uint32) * digits * values);

	for (uint32 i = 0; i < count; i++)
	{
		for (int digit = 0; digit < digits; digit++)
			all[digit * values + ((places[i].prefix >> (bits * digit)) & (values - 1))]++;
	}
	for (int digit = 0; digit < digits; digit++)
	{
		uint32 *starts = all + digit * values;
		int shift = bits * digit;
		uint32 start = 0;
		EntryPlace *swap = spare;

		CHECK_FOR_INTERRUPTS();
		/* most often the keys are short, and agree in the last bytes */
		if (starts[(places[0].prefix >> shift) & (values - 1)] == count)
			continue;
		for (uint32 value = 0; value < values; value++)
		{
			uint32 number = starts[value];

			starts[value] = start;
			start += number;
		}
		for (uint32 i = 0; i < count; i++)
			spare[starts[(places[i].prefix >> shift) & (values - 1)]++] = places[i];
		spare = places;
		places = swap;
	}
	pfree(all);
	return places;
}

/* Sort places; those with the same prefix by comparing their entries. */
static EntryPlace *
sort_places(EntryPlace *places, EntryPlace *spare, uint32 count, SortContext *context)
{
	uint32 next;

	if (count < RADIX_MIN)
	{
		qsort_arg(places, count, sizeof(EntryPlace), place_compare, context);
		return places;
	}
	places = sort_by_prefix(places, spare, count);
	for (uint32 i = 0; i < count; i = next)
	{
		for (next = i + 1; next < count && places[next].prefix == places[i].prefix; next++)
			;
		if (next - i > 1)
			qsort_arg(&places[i], next - i, sizeof(EntryPlace), place_compare, context);
	}
	return places;
}

/* How many bytes all keys begin with in common. */
static uint32
common_prefix(const Entry *entries, uint32 count)
{
	const char *key = entries[0].key;
	uint32 common = entries[0].key_length;

	for (uint32 i = 1; i < count && common > 0; i++)
	{
		const Entry *entry = &entries[i];

		common = Min(common, entry->key_length);
		if (memcmp(entry->key, key, common) != 0)
		{
			uint32 same = 0;

			while (entry->key[same] == key[same])
				same++;
			common = same;
		}
	}
	return common;
}

/* Eight bytes of a key from "skip" on, as a number that sorts like them. */
static uint64
key_prefix(const Entry *entry, uint32 skip)
{
	uint64 prefix = 0;
	uint32 length = Min(entry->key_length - skip, sizeof(prefix));

	memcpy(&prefix, entry->key + skip, length);
	return pg_hton64(prefix);
}

/*
 * Bring the entries into order, where they stand.  Keys often begin alike
 * ("user:17"), so the eight bytes that are compared as a number follow what
 * all have in common.
 */
static void
order_entries(EntryDraft *draft, EntryOrder order)
{
	const Entry *entries = draft->entries;
	uint32 count = draft->nentries;
	SortContext context = {entries, order};
	uint32 skip = count > 0 ? common_prefix(entries, count) : 0;
	Size size = sizeof(EntryPlace) * ((Size) count + 1);
	EntryPlace *places = MemoryContextAllocHuge(CurrentMemoryContext, size);
	EntryPlace *spare = MemoryContextAllocHuge(CurrentMemoryContext, size);

	for (uint32 i = 0; i < count; i++)
	{
		places[i].prefix = key_prefix(&entries[i], skip);
		places[i].index = i;
	}
	draft->order = sort_places(places, spare, count, &context);
	pfree(draft->order == places ? spare : places);
}

/* The same, and put them one behind the other. */
void
entry_draft_sort(EntryDraft *draft, EntryOrder order)
{
	Entry *sorted;

	if (draft->nentries < 2)
		return;
	order_entries(draft, order);
	sorted = MemoryContextAllocHuge(GetMemoryChunkContext(draft->entries),
									sizeof(Entry) * (Size) draft->nentries);
	for (uint32 i = 0; i < draft->nentries; i++)
	{
		entry_draft_prefetch(draft, i);
		sorted[i] = *entry_draft_get(draft, i);
	}
	pfree(draft->entries);
	pfree(draft->order);
	draft->entries = sorted;
	draft->order = NULL;
	draft->max_entries = draft->nentries;
}

/* All nodes of all tables, and the numbers that each table's have there. */
static void
unite_nodes(EntryUnion *all, const struct varlena *const *values, uint32 count)
{
	NodeEntries *nodes = &all->draft.nodes;
	NodeTable before = {0};
	NodeTable *names;
	Size total = 0;
	bool differ = false;

	names = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(NodeTable) * (Size) count);
	all->starts = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Size) * (Size) count);
	for (uint32 t = 0; t < count; t++)
	{
		EntryTable table;

		entry_table_open(&table, values[t]);
		names[t] = table.nodes;
		/* a table over the nodes of the one before shares its numbers */
		if (t > 0 && node_table_same_nodes(&before, &table.nodes))
		{
			all->starts[t] = all->starts[t - 1];
			continue;
		}
		differ |= t > 0;
		all->starts[t] = total;
		total += table.nodes.nnodes;
		before = table.nodes;
		node_entries_copy(nodes, &table.nodes);
	}
	all->numbers = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * (total + 1));

	if (!differ)
	{
		for (uint32 i = 0; i < nodes->count; i++)
			all->numbers[i] = i;
	}
	else
	{
		node_entries_sort(nodes, 0, NODE_DUPLICATES_JOIN, NULL);
		for (uint32 t = 0; t < count; t++)
		{
			NodeCursor cursor;

			CHECK_FOR_INTERRUPTS();
			if (t > 0 && all->starts[t] == all->starts[t - 1] && names[t - 1].nnodes > 0)
				continue;
			for (node_cursor_open(&cursor, &names[t]); !node_cursor_done(&cursor);
				 node_cursor_next(&cursor))
				node_entries_find(nodes, cursor.name, node_cursor_length(&cursor),
								  &all->numbers[all->starts[t] + cursor.index]);
		}
	}
	pfree(names);
}

static void
append_entries(EntryUnion *all, uint32 t, const struct varlena *value)
{
	EntryTable table;
	EntryCursor cursor;

	entry_table_open(&table, value);
	for (entry_cursor_open(&cursor, &table); entry_cursor_next(&cursor);)
	{
		Entry *entry = entry_draft_add(&all->draft);

		*entry = cursor.entry;
		entry->node = entry_union_node(all, t, entry->node);
	}
}

/*
 * Unite "count" tables, at least one.  Names, keys and values stay in them.
 */
void
entry_union_open(EntryUnion *all, const struct varlena *const *values, uint32 count,
				 EntryOrder order)
{
	Size total = 0;

	for (uint32 t = 0; t < count; t++)
	{
		EntryTable table;

		entry_table_open(&table, values[t]);
		total += table.nentries;
	}
	entry_draft_init(&all->draft, (uint32) Min(total, PG_UINT32_MAX));
	unite_nodes(all, values, count);
	for (uint32 t = 0; t < count; t++)
		append_entries(all, t, values[t]);
	order_entries(&all->draft, order);
}

/* Give back what was allocated. */
void
entry_union_close(EntryUnion *all)
{
	pfree(all->draft.nodes.items);
	pfree(all->draft.entries);
	pfree(all->draft.order);
	if (all->draft.ranges)
		pfree(all->draft.ranges);
	pfree(all->numbers);
	pfree(all->starts);
}

/* Leave out nodes that neither count nor are named by an entry. */
void
entry_draft_drop_unused_nodes(EntryDraft *draft)
{
	NodeEntries *nodes = &draft->nodes;
	uint32 *numbers = MemoryContextAllocHuge(CurrentMemoryContext,
											 sizeof(uint32) * ((Size) nodes->count + 1));
	uint32 kept = 0;

	for (uint32 i = 0; i < nodes->count; i++)
		numbers[i] = nodes->items[i].counters[0] > 0;
	for (uint32 i = 0; i < draft->nentries; i++)
		numbers[entry_draft_get(draft, i)->node] = 1;
	for (uint32 i = 0; i < draft->nranges; i++)
		numbers[draft->ranges[i].node] = 1;
	for (uint32 i = 0; i < nodes->count; i++)
	{
		if (numbers[i] == 0)
			continue;
		numbers[i] = kept;
		nodes->items[kept++] = nodes->items[i];
	}
	nodes->count = kept;
	for (uint32 i = 0; i < draft->nentries; i++)
		entry_draft_get(draft, i)->node = numbers[entry_draft_get(draft, i)->node];
	for (uint32 i = 0; i < draft->nranges; i++)
		draft->ranges[i].node = numbers[draft->ranges[i].node];
	pfree(numbers);
}
