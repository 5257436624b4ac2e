/*
 * entry_union.c
 *		Several entry tables as one: the nodes of all, and the entries of all in
 *		one sequence.
 *
 * What the two kernels on entry tables do to join many values, as in an
 * aggregate, begins alike: bring all entries into one order, so that those of
 * one key, and equal ones, stand together.  All but the first table's are
 * sorted, which for S entries takes S log S however many tables they come
 * from.  (Two tables are joined in one walk, see entry_splice.c.)
 */
#include "core/compat.h"

#include "core/entry_union.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "utils/memutils.h"

/* Where an entry stood, and the part of its key that tells most pairs apart. */
typedef struct SortItem
{
	uint64 prefix;
	uint32 index;
} SortItem;

typedef struct SortContext
{
	const Entry *entries;
	EntryOrder order;
} SortContext;

static int
sort_item_compare(const void *x, const void *y, void *arg)
{
	const SortItem *a = x;
	const SortItem *b = y;
	const SortContext *context = arg;

	CHECK_FOR_INTERRUPTS();
	if (a->prefix != b->prefix)
		return a->prefix < b->prefix ? -1 : 1;
	return context->order(&context->entries[a->index], &context->entries[b->index]);
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
 * Sort entries from "first" on.  Keys often begin alike ("user:17"), so the
 * eight bytes that are compared as a number follow what all have in common.
 */
static void
sort_entries(EntryDraft *draft, uint32 first, EntryOrder order)
{
	Entry *entries = draft->entries + first;
	uint32 count = draft->nentries - first;
	SortContext context = {entries, order};
	SortItem *items;
	Entry *sorted;
	uint32 skip;

	if (count < 2)
		return;
	skip = common_prefix(entries, count);
	items = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(SortItem) * (Size) count);
	for (uint32 i = 0; i < count; i++)
	{
		items[i].prefix = key_prefix(&entries[i], skip);
		items[i].index = i;
	}
	qsort_arg(items, count, sizeof(SortItem), sort_item_compare, &context);
	sorted = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Entry) * (Size) count);
	for (uint32 i = 0; i < count; i++)
		sorted[i] = entries[items[i].index];
	memcpy(entries, sorted, sizeof(Entry) * (Size) count);
	pfree(sorted);
	pfree(items);
}

void
entry_draft_sort(EntryDraft *draft, EntryOrder order)
{
	sort_entries(draft, 0, order);
}

/* Merge two sorted parts, of which the second begins at "second". */
static void
merge_entries(EntryDraft *draft, uint32 second, EntryOrder order)
{
	const Entry *a = draft->entries;
	const Entry *a_end = a + second;
	const Entry *b = a_end;
	const Entry *b_end = draft->entries + draft->nentries;
	Entry *merged;
	Entry *next;

	if (a == a_end || b == b_end || order(a_end - 1, b) <= 0)
		return;
	merged = next = MemoryContextAllocHuge(CurrentMemoryContext,
										   sizeof(Entry) * (Size) draft->nentries);
	while (a < a_end && b < b_end)
	{
		CHECK_FOR_INTERRUPTS();
		*next++ = order(a, b) <= 0 ? *a++ : *b++;
	}
	memcpy(next, a, sizeof(Entry) * (a_end - a));
	memcpy(next + (a_end - a), b, sizeof(Entry) * (b_end - b));
	pfree(draft->entries);
	draft->entries = merged;
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
	uint32 first;

	entry_draft_init(&all->draft, 64);
	unite_nodes(all, values, count);
	append_entries(all, 0, values[0]);
	first = all->draft.nentries;
	for (uint32 t = 1; t < count; t++)
		append_entries(all, t, values[t]);
	sort_entries(&all->draft, first, order);
	merge_entries(&all->draft, first, order);
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
		numbers[draft->entries[i].node] = 1;
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
		draft->entries[i].node = numbers[draft->entries[i].node];
	for (uint32 i = 0; i < draft->nranges; i++)
		draft->ranges[i].node = numbers[draft->ranges[i].node];
	pfree(numbers);
}
