/*
 * dot_store.c
 *		The kernel of sets, flags, multi-value registers and maps of these:
 *		entries with dots, under a causal context.
 *
 * A dot, (node, counter), names one write.  A store holds the entries of the
 * writes that still count and, as its causal context, the dots of all writes
 * it knows of.  Joining two stores, an entry survives if both have it, or if
 * one has it and its dot is not in the other's context: what one knows and
 * does not have, it has removed, and what it does not know, it has not seen
 * yet.  So removing needs no tombstone, and a write that is concurrent with a
 * removal survives it (Almeida, Shoker, Baquero, "Delta state replicated data
 * types", 2018; Bieniusa et al., "An optimized conflict-free replicated set",
 * 2012).  The context is kept per node as a prefix, all dots up to a counter,
 * and ranges beyond it, normally none: it is then a vector clock.
 *
 * Why the join is one: let a store be the set of its entries and, for every
 * dot, whether it is known.  For a single dot the states are unknown < live <
 * removed, a chain, and the rule above takes the greater one.  Stores are
 * products of such chains.
 *
 * An aggregate joins many stores at once.  Then an entry survives if as many
 * of them have it as know its dot; for two stores that is the rule above.
 */
#include "core/compat.h"

#include "core/dot_store.h"
#include "core/entry_splice.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/*
 * Order
 */

/* The order of entries: by key, then dot. */
int
dot_store_order(const Entry *a, const Entry *b)
{
	int order = entry_compare_keys(a, b);

	if (order != 0)
		return order;
	if (a->node != b->node)
		return a->node < b->node ? -1 : 1;
	if (a->time != b->time)
		return a->time < b->time ? -1 : 1;
	/* equal unless two writers have used one node's name */
	return entry_compare_values(a, b);
}

/*
 * Contexts
 */

/* From this counter of a node on, up to the next segment, so many stores know a dot. */
typedef struct DotSegment
{
	uint64 first;
	uint32 stores;
} DotSegment;

/* How many of several stores know each dot. */
typedef struct DotCover
{
	DotSegment *segments; /* by node and first counter */
	uint32 *starts;       /* where those of each node begin */
} DotCover;

static int
range_compare_first(const void *x, const void *y)
{
	const DotRange *a = x;
	const DotRange *b = y;

	CHECK_FOR_INTERRUPTS();
	if (a->node != b->node)
		return a->node < b->node ? -1 : 1;
	return (a->first > b->first) - (a->first < b->first);
}

static int
range_compare_last(const void *x, const void *y)
{
	const DotRange *a = x;
	const DotRange *b = y;

	CHECK_FOR_INTERRUPTS();
	if (a->node != b->node)
		return a->node < b->node ? -1 : 1;
	return (a->last > b->last) - (a->last < b->last);
}

static void *
copy_array(const void *items, Size size)
{
	void *copy = MemoryContextAllocHuge(CurrentMemoryContext, size + 1);

	if (size > 0)
		memcpy(copy, items, size);
	return copy;
}

/* Sort ranges, which may overlap, by node and first counter. */
void
dot_store_sort_context(EntryDraft *draft)
{
	if (draft->nranges > 1)
		qsort(draft->ranges, draft->nranges, sizeof(DotRange), range_compare_first);
}

/*
 * Prepare to count; "draft" has the ranges of all stores, and gets them sorted.
 * Where one range ends the next one mostly begins, so few segments remain.
 */
static void
cover_open(DotCover *cover, EntryDraft *draft)
{
	uint32 count = draft->nranges;
	uint32 begun = 0;
	uint32 ended = 0;
	uint32 nsegments = 0;
	const DotRange *ranges;
	DotRange *ends;

	dot_store_sort_context(draft);
	ranges = draft->ranges;
	ends = copy_array(ranges, sizeof(DotRange) * (Size) count);
	if (count > 1)
		qsort(ends, count, sizeof(DotRange), range_compare_last);
	cover->segments = MemoryContextAllocHuge(CurrentMemoryContext,
											 sizeof(DotSegment) * (2 * (Size) count + 1));
	cover->starts = MemoryContextAllocHuge(CurrentMemoryContext,
										   sizeof(uint32) * ((Size) draft->nodes.count + 1));
	for (uint32 node = 0; node < draft->nodes.count; node++)
	{
		uint32 stores = 0;

		cover->starts[node] = nsegments;
		while (ended < count && ends[ended].node == node)
		{
			uint32 before = stores;
			uint64 at = ends[ended].last + 1;

			/* what begins here, or before the next end, and what ends here */
			if (begun < count && ranges[begun].node == node)
				at = Min(at, ranges[begun].first);
			for (; begun < count && ranges[begun].node == node && ranges[begun].first == at;
				 begun++)
				stores++;
			for (; ended < count && ends[ended].node == node && ends[ended].last + 1 == at; ended++)
				stores--;
			if (stores != before)
			{
				cover->segments[nsegments].first = at;
				cover->segments[nsegments++].stores = stores;
			}
		}
	}
	cover->starts[draft->nodes.count] = nsegments;
	pfree(ends);
}

static void
cover_close(DotCover *cover)
{
	pfree(cover->segments);
	pfree(cover->starts);
}

/* How many stores know the dot of an entry?  Those that have it do, at least. */
static uint32
cover_count(const DotCover *cover, const Entry *entry)
{
	uint32 low = cover->starts[entry->node];
	uint32 high = cover->starts[entry->node + 1];

	/* the last segment that begins at the dot or before */
	while (high - low > 1)
	{
		uint32 middle = low + (high - low) / 2;

		if (cover->segments[middle].first <= entry->time)
			low = middle;
		else
			high = middle;
	}
	return cover->segments[low].stores;
}

/* Add what a store knows, with the numbers that its nodes have in the draft. */
static void
add_context(EntryDraft *draft, const EntryTable *store, const uint32 *numbers)
{
	for (uint32 i = 0; i < store->nodes.nnodes; i++)
	{
		uint64 prefix = packed_get(&store->columns[NODE_PREFIX], i);

		if (prefix > 0)
			entry_draft_add_range(draft, numbers[i], 1, prefix);
	}
	for (uint32 i = 0; i < store->nranges; i++)
	{
		DotRange range = entry_table_range(store, i);

		entry_draft_add_range(draft, numbers[range.node], range.first, range.last);
	}
}

/*
 * Bring sorted ranges, which may overlap, into the stored form: a range from 1
 * is the node's prefix, and those that touch become one.
 */
static void
settle_context(EntryDraft *draft)
{
	NodeEntry *nodes = draft->nodes.items;
	uint32 kept = 0;

	for (uint32 i = 0; i < draft->nranges; i++)
	{
		const DotRange *range = &draft->ranges[i];
		NodeEntry *node = &nodes[range->node];
		DotRange *last = kept > 0 ? &draft->ranges[kept - 1] : NULL;

		/* counters end at 2^63-1, so the successor does not overflow */
		if (last && last->node == range->node)
		{
			if (range->first <= last->last + 1)
			{
				last->last = Max(last->last, range->last);
				continue;
			}
		}
		else if (range->first <= node->counters[0] + 1)
		{
			node->counters[0] = Max(node->counters[0], range->last);
			continue;
		}
		draft->ranges[kept++] = *range;
	}
	draft->nranges = kept;
}

/*
 * What one of two stores knows, the nodes having the numbers that they have in
 * a splice.
 */
typedef struct DotContext
{
	uint64 *prefixes;
	DotRange *ranges;
	uint32 nranges;
} DotContext;

static void
context_open(DotContext *context, const EntrySplice *splice, int table)
{
	const EntryTable *store = splice->tables[table];
	const uint32 *numbers = splice->numbers[table];
	Size nnodes = splice->draft.nodes.count;

	context->prefixes = MemoryContextAllocExtended(CurrentMemoryContext,
												   sizeof(uint64) * (nnodes + 1),
												   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (uint32 i = 0; i < store->nodes.nnodes; i++)
		context->prefixes[numbers[i]] = packed_get(&store->columns[NODE_PREFIX], i);
	context->nranges = store->nranges;
	context->ranges = MemoryContextAllocHuge(CurrentMemoryContext,
											 sizeof(DotRange) * ((Size) store->nranges + 1));
	for (uint32 i = 0; i < store->nranges; i++)
	{
		context->ranges[i] = entry_table_range(store, i);
		context->ranges[i].node = numbers[context->ranges[i].node];
	}
}

static void
context_close(DotContext *context)
{
	pfree(context->prefixes);
	pfree(context->ranges);
}

/* Are all dots from first to last known? */
static inline bool
context_knows(const DotContext *context, uint32 node, uint64 first, uint64 last)
{
	uint32 low = 0;
	uint32 high = context->nranges;

	if (last <= context->prefixes[node])
		return true;
	/* ranges do not touch, so one of them has all or none has */
	while (low < high)
	{
		uint32 middle = low + (high - low) / 2;
		const DotRange *range = &context->ranges[middle];

		if (range->node < node || (range->node == node && range->last < last))
			low = middle + 1;
		else
			high = middle;
	}
	return low < context->nranges && context->ranges[low].node == node &&
		context->ranges[low].first <= first;
}

/*
 * Write a store from sorted entries and ranges sorted by node and first
 * counter; every entry's dot is in a range.  Nodes without are left out.
 */
struct varlena *
dot_store_build(EntryDraft *draft)
{
	settle_context(draft);
	entry_draft_drop_unused_nodes(draft);
	return entry_table_write(draft);
}

/*
 * The join of stores
 */

/* The join of two: one walk along both. */
static struct varlena *
join_two(const struct varlena *a, const struct varlena *b)
{
	EntryTable tables[2];
	EntrySplice splice;
	EntryPairs pairs;
	DotContext contexts[2];
	EntryDraft *draft = &splice.draft;
	struct varlena *result;

	entry_table_open(&tables[0], a);
	entry_table_open(&tables[1], b);
	entry_splice_open(&splice, &tables[0], &tables[1]);
	for (int table = 0; table < 2; table++)
		context_open(&contexts[table], &splice, table);
	entry_pairs_open(&pairs, &splice);
	while (entry_pairs_next(&pairs, dot_store_order))
	{
		int table = pairs.has[0] ? 0 : 1;
		const Entry *entry = &pairs.cursors[table].entry;

		if ((pairs.has[0] && pairs.has[1]) ||
			!context_knows(&contexts[1 - table], entry->node, entry->time, entry->time))
			entry_splice_keep(&splice, table, &pairs.cursors[table]);
	}
	for (uint32 i = 0; i < draft->nodes.count; i++)
		draft->nodes.items[i].counters[0] = Max(contexts[0].prefixes[i], contexts[1].prefixes[i]);
	for (int table = 0; table < 2; table++)
	{
		for (uint32 i = 0; i < contexts[table].nranges; i++)
			entry_draft_add_range(draft, contexts[table].ranges[i].node,
								  contexts[table].ranges[i].first, contexts[table].ranges[i].last);
	}
	dot_store_sort_context(draft);
	settle_context(draft);
	result = entry_splice_write(&splice);
	context_close(&contexts[0]);
	context_close(&contexts[1]);
	entry_splice_close(&splice);
	return result;
}

/* The join of many stores. */
static struct varlena *
join_many(const struct varlena *const *values, uint32 count)
{
	EntryUnion all;
	EntryDraft *draft = &all.draft;
	DotCover cover;
	struct varlena *result;
	uint32 kept = 0;
	uint32 next;

	entry_union_open(&all, values, count, dot_store_order);
	for (uint32 t = 0; t < count; t++)
	{
		EntryTable store;

		entry_table_open(&store, values[t]);
		add_context(draft, &store, all.numbers + all.starts[t]);
	}
	cover_open(&cover, draft);
	for (uint32 i = 0; i < draft->nentries; i = next)
	{
		const Entry *entry = entry_draft_get(draft, i);

		CHECK_FOR_INTERRUPTS();
		entry_draft_prefetch(draft, i);
		for (next = i + 1; next < draft->nentries; next++)
		{
			if (draft->order[next].prefix != draft->order[i].prefix ||
				dot_store_order(entry, entry_draft_get(draft, next)) != 0)
				break;
		}
		if (cover_count(&cover, entry) == next - i)
			draft->order[kept++] = draft->order[i];
	}
	draft->nentries = kept;
	settle_context(draft);
	result = entry_table_write(draft);
	cover_close(&cover);
	entry_union_close(&all);
	return result;
}

static struct varlena *
dot_store_join(const struct varlena *const *values, uint32 count)
{
	return count == 2 ? join_two(values[0], values[1]) : join_many(values, count);
}

/*
 * Does b already include a?  Then b knows all dots that a knows, and has no
 * entry that a knows and does not have.
 */
static bool
dot_store_includes(const EntryTable *b, const EntryTable *a)
{
	EntrySplice splice;
	EntryPairs pairs;
	DotContext of_a;
	DotContext of_b;
	bool includes = true;

	entry_splice_open(&splice, a, b);
	context_open(&of_a, &splice, 0);
	context_open(&of_b, &splice, 1);
	for (uint32 i = 0; i < splice.draft.nodes.count && includes; i++)
		includes = of_a.prefixes[i] == 0 || context_knows(&of_b, i, 1, of_a.prefixes[i]);
	for (uint32 i = 0; i < of_a.nranges && includes; i++)
		includes = context_knows(&of_b, of_a.ranges[i].node, of_a.ranges[i].first,
								 of_a.ranges[i].last);
	entry_pairs_open(&pairs, &splice);
	while (includes && entry_pairs_next(&pairs, dot_store_order))
	{
		const Entry *entry = &pairs.cursors[1].entry;

		CHECK_FOR_INTERRUPTS();
		includes = pairs.has[0] || !context_knows(&of_a, entry->node, entry->time, entry->time);
	}
	context_close(&of_a);
	context_close(&of_b);
	entry_splice_close(&splice);
	return includes;
}

/* How many dots a store knows. */
static NodeSum
count_dots(const EntryTable *store)
{
	NodeSum sum = {0, 0};

	for (uint32 i = 0; i < store->nodes.nnodes; i++)
		sum = node_sum_add(sum, packed_get(&store->columns[NODE_PREFIX], i));
	for (uint32 i = 0; i < store->nranges; i++)
		sum = node_sum_add(sum, packed_get(&store->columns[RANGE_SPAN], i) + 1);
	return sum;
}

/*
 * The total order for sorting, a linear extension of inclusion: by the number
 * of dots that are known; if one store includes another and knows no more, it
 * has removed more, so then the one with more entries comes first.
 */
static int
dot_store_compare(const EntryTable *a, const EntryTable *b)
{
	int order = node_sum_compare(count_dots(a), count_dots(b));

	if (order != 0)
		return order;
	if (a->nentries != b->nentries)
		return a->nentries > b->nentries ? -1 : 1;
	return entry_table_compare(a, b);
}

static Datum
dot_store_sort_key(const EntryTable *store)
{
	return node_sum_sort_key(count_dots(store));
}

const EntryKernel dot_store_kernel = {
	.lattice = BATCH_LATTICE("dot store", dot_store_join),
	.includes = dot_store_includes,
	.compare = dot_store_compare,
	.sort_key = dot_store_sort_key,
};

/*
 * Changes
 */

/* A splice that begins with all that a store knows. */
static void
change_open(EntrySplice *splice, const EntryTable *store, const EntryTable *more)
{
	const uint32 *numbers;

	entry_splice_open(splice, store, more);
	numbers = splice->numbers[0];
	for (uint32 i = 0; i < store->nodes.nnodes; i++)
		splice->draft.nodes.items[numbers[i]].counters[0] = packed_get(&store->columns[NODE_PREFIX],
																	   i);
	for (uint32 i = 0; i < store->nranges; i++)
	{
		DotRange range = entry_table_range(store, i);

		entry_draft_add_range(&splice->draft, numbers[range.node], range.first, range.last);
	}
}

/*
 * Write at "node": entries from .. to - 1, which are all that the write
 * replaces, give way to one with the node's next dot.
 */
struct varlena *
dot_store_put(const EntryTable *store, uint32 from, uint32 to, Entry entry, NodeName node,
			  const char *type_name)
{
	EntrySplice splice;
	SingleEntry single;
	uint64 *last;

	single_entry_open(&single, &entry, node);
	change_open(&splice, store, &single.table);

	/* the last dot of the node ends its last range, or else its prefix */
	last = &splice.draft.nodes.items[splice.numbers[1][0]].counters[0];
	for (uint32 i = 0; i < splice.draft.nranges; i++)
	{
		if (splice.draft.ranges[i].node == splice.numbers[1][0])
			last = &splice.draft.ranges[i].last;
	}
	if (*last >= PG_INT64_MAX)
	{
		InputSource source = input_from_arguments(type_name);

		input_out_of_range(&source, "Node %s has no dots left after " INT64_FORMAT ".",
						   json_tree_quote(node.name, (int) node.length), PG_INT64_MAX);
	}
	single.columns[ENTRY_TIME] = ++*last;

	entry_splice_keep_range(&splice, 0, 0, from);
	entry_splice_keep_range(&splice, 1, 0, 1);
	entry_splice_keep_range(&splice, 0, to, store->nentries);
	return entry_splice_write(&splice);
}

/* The last dot of a node that a store knows; of any node, if that is NULL. */
uint64
dot_store_last_dot(const EntryTable *store, const NodeName *node)
{
	uint32 from = 0;
	uint32 to = store->nodes.nnodes;
	uint64 last = 0;

	if (node)
	{
		if (!node_table_find(&store->nodes, node->name, node->length, &from))
			return 0;
		to = from + 1;
	}
	for (uint32 i = from; i < to; i++)
		last = Max(last, packed_get(&store->columns[NODE_PREFIX], i));
	for (uint32 i = 0; i < store->nranges; i++)
	{
		DotRange range = entry_table_range(store, i);

		if (range.node >= from && range.node < to)
			last = Max(last, range.last);
	}
	return last;
}

/* The store that knows a node's dots up to this one, and has no entries. */
struct varlena *
dot_store_knowing(NodeName node, uint64 last)
{
	EntryDraft draft;

	entry_draft_init(&draft, 0);
	node_entries_add(&draft.nodes, node.name, node.length)->counters[0] = last;
	return dot_store_build(&draft);
}

/*
 * The entries of a store that knows only dots of one node, without a gap, and
 * those dots, all of them counted on from a later one.
 */
struct varlena *
dot_store_after(const EntryTable *store, NodeName node, uint64 last)
{
	uint64 count = dot_store_last_dot(store, &node);
	EntryCursor cursor;
	EntryDraft draft;

	if (count > PG_INT64_MAX - last)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("node %s has not enough dots left",
						json_tree_quote(node.name, (int) node.length))));
	entry_draft_init(&draft, store->nentries);
	node_entries_add(&draft.nodes, node.name, node.length);
	entry_draft_add_range(&draft, 0, last + 1, last + count);
	for (entry_cursor_open(&cursor, store); entry_cursor_next(&cursor);)
	{
		Entry entry = cursor.entry;

		entry.time += last;
		*entry_draft_add(&draft) = entry;
	}
	return dot_store_build(&draft);
}

/* Remove entries from .. to - 1; their dots stay known. */
struct varlena *
dot_store_drop(const EntryTable *store, uint32 from, uint32 to)
{
	EntryTable nothing = {0};
	EntrySplice splice;

	change_open(&splice, store, &nothing);
	entry_splice_keep_range(&splice, 0, 0, from);
	entry_splice_keep_range(&splice, 0, to, store->nentries);
	return entry_splice_write(&splice);
}

/*
 * What other replicas ask for.
 */

/* The context as a clock: of each node the dots without a gap. */
struct varlena *
dot_store_context(const EntryTable *store)
{
	NodeEntries nodes;
	NodeCursor cursor;

	node_entries_init(&nodes, store->nodes.nnodes);
	for (node_cursor_open(&cursor, &store->nodes); !node_cursor_done(&cursor);
		 node_cursor_next(&cursor))
	{
		uint64 prefix = packed_get(&store->columns[NODE_PREFIX], cursor.index);

		if (prefix > 0)
			node_entries_add(&nodes, cursor.name, node_cursor_length(&cursor))->counters[0] =
				prefix;
	}
	return node_table_write(&nodes, 1, 0);
}

/* Take sorted dots out of sorted ranges; every dot is in one of them. */
static void
subtract_dots(EntryDraft *draft, const DotRange *dots, uint32 count)
{
	DotRange *ranges = draft->ranges;
	uint32 nranges = draft->nranges;
	uint32 dot = 0;

	draft->ranges = NULL;
	draft->nranges = draft->max_ranges = 0;
	for (uint32 i = 0; i < nranges; i++)
	{
		DotRange range = ranges[i];

		for (; dot < count && dots[dot].node == range.node && dots[dot].first <= range.last; dot++)
		{
			if (dots[dot].first > range.first)
				entry_draft_add_range(draft, range.node, range.first, dots[dot].first - 1);
			range.first = dots[dot].first + 1;
		}
		if (range.first <= range.last)
			entry_draft_add_range(draft, range.node, range.first, range.last);
	}
	if (ranges)
		pfree(ranges);
}

/*
 * What a replica that has seen a clock lacks: the entries that it has not
 * seen, under the context without the dots of live entries that it has.  So
 * removals travel, and what stayed does not.
 */
struct varlena *
dot_store_delta(const EntryTable *store, const NodeTable *seen)
{
	EntryCursor cursor;
	EntryDraft draft;
	EntryDraft stayed;
	NodePairs pairs;
	uint64 *seen_counters;
	uint32 *numbers;

	entry_draft_init(&draft, 64);
	entry_draft_init(&stayed, 0);
	node_entries_copy(&draft.nodes, &store->nodes);
	numbers = MemoryContextAllocHuge(CurrentMemoryContext,
									 sizeof(uint32) * ((Size) store->nodes.nnodes + 1));
	seen_counters = MemoryContextAllocHuge(CurrentMemoryContext,
										   sizeof(uint64) * ((Size) store->nodes.nnodes + 1));
	node_pairs_open(&pairs, &store->nodes, seen);
	while (node_pairs_next(&pairs))
	{
		if (pairs.in_a < 0)
			continue;
		numbers[pairs.in_a] = (uint32) pairs.in_a;
		seen_counters[pairs.in_a] = node_pair_counter(seen, pairs.in_b, 0);
	}
	for (entry_cursor_open(&cursor, store); entry_cursor_next(&cursor);)
	{
		const Entry *entry = &cursor.entry;

		if (entry->time > seen_counters[entry->node])
			*entry_draft_add(&draft) = *entry;
		else
			entry_draft_add_range(&stayed, entry->node, entry->time, entry->time);
	}
	add_context(&draft, store, numbers);
	dot_store_sort_context(&draft);
	dot_store_sort_context(&stayed);
	subtract_dots(&draft, stayed.ranges, stayed.nranges);
	return dot_store_build(&draft);
}
