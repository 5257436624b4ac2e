/*
 * set_builder.c
 *		A new set from elements and the nodes that add them.
 *
 * Adding elements one by one costs a copy of the set each.  Here pairs of
 * element and node are collected, and at the end sorted; each node's dots are
 * numbered in the order of its elements.  So the same pairs give the same
 * bytes, in whatever order, how often and in how many parts they come: partial
 * states, which are such sets themselves, are united by their pairs.
 */
#include "core/compat.h"

#include "core/dot_store.h"
#include "core/set_builder.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* Pairs that may be collected before repeated ones are looked for. */
#define BUILDER_MIN 1024

typedef struct SetBuilder
{
	MergeState base;

	/* A pair: the key is the element, the value the node, in one piece. */
	EntryDraft pairs;
	uint32 settle_at;     /* how many pairs make it worth to sort them */
	struct varlena *flat; /* of the pairs, if they have not changed since */
} SetBuilder;

static int
compare_pairs(const Entry *a, const Entry *b)
{
	int order = entry_compare_keys(a, b);

	return order != 0 ? order : entry_compare_values(a, b);
}

/* Sort the pairs and let go of repeated ones. */
static void
settle_pairs(SetBuilder *builder)
{
	EntryDraft *pairs = &builder->pairs;
	uint32 kept = 0;

	entry_draft_sort(pairs, compare_pairs);
	for (uint32 i = 0; i < pairs->nentries; i++)
	{
		if (kept > 0 && compare_pairs(&pairs->entries[kept - 1], &pairs->entries[i]) == 0)
			pfree(unconstify(char *, pairs->entries[i].key));
		else
			pairs->entries[kept++] = pairs->entries[i];
	}
	pairs->nentries = kept;
	builder->settle_at = kept > PG_UINT32_MAX / 2 ? PG_UINT32_MAX : 2 * kept;
}

/* Called in the builder's context. */
static void
add_pair(SetBuilder *builder, const char *element, uint32 length, NodeName node)
{
	char *pair = palloc(Max(1, length + node.length));
	Entry *entry;

	if (builder->flat)
	{
		pfree(builder->flat);
		builder->flat = NULL;
	}
	if (builder->pairs.entries == NULL)
		entry_draft_init(&builder->pairs, 0);
	else if (builder->pairs.nentries >= Max(BUILDER_MIN, builder->settle_at))
		settle_pairs(builder);
	memcpy(pair, element, length);
	memcpy(pair + length, node.name, node.length);
	entry = entry_draft_add(&builder->pairs);
	memset(entry, 0, sizeof(*entry));
	entry->key = pair;
	entry->key_length = length;
	entry->value = pair + length;
	entry->value_length = (uint32) node.length;
}

void
set_builder_add(MergeState *state, const char *element, uint32 length, NodeName node)
{
	MemoryContext old = MemoryContextSwitchTo(state->eoh.eoh_context);

	add_pair((SetBuilder *) state, element, length, node);
	MemoryContextSwitchTo(old);
}

static void
set_builder_absorb(MergeState *state, const struct varlena *flat)
{
	EntryTable set;
	EntryCursor cursor;
	NodeEntries nodes;

	entry_table_open(&set, flat);
	node_entries_init(&nodes, set.nodes.nnodes);
	node_entries_copy(&nodes, &set.nodes);
	for (entry_cursor_open(&cursor, &set); entry_cursor_next(&cursor);)
	{
		const NodeEntry *node = &nodes.items[cursor.entry.node];
		NodeName name = {node->name, node->length};

		set_builder_add(state, cursor.entry.key, cursor.entry.key_length, name);
	}
	pfree(nodes.items);
}

/* The pairs, which are sorted and unique, as a set. */
static struct varlena *
build_set(const EntryDraft *pairs)
{
	EntryDraft draft;
	uint32 node = 0;

	entry_draft_init(&draft, pairs->nentries);
	for (uint32 i = 0; i < pairs->nentries; i++)
	{
		const Entry *pair = &pairs->entries[i];

		if (i == 0 || entry_compare_values(&pair[-1], pair) != 0)
			node_entries_add(&draft.nodes, pair->value, pair->value_length);
	}
	node_entries_sort(&draft.nodes, 0, NODE_DUPLICATES_JOIN, NULL);
	for (uint32 i = 0; i < pairs->nentries; i++)
	{
		const Entry *pair = &pairs->entries[i];
		Entry *entry = entry_draft_add(&draft);

		if (i == 0 || entry_compare_values(&pair[-1], pair) != 0)
			node_entries_find(&draft.nodes, pair->value, pair->value_length, &node);
		*entry = *pair;
		entry->node = node;
		entry->time = ++draft.nodes.items[node].counters[0];
		entry->value = "";
		entry->value_length = 0;
	}
	return entry_table_write(&draft);
}

static Size
set_builder_flat_size(MergeState *state)
{
	SetBuilder *builder = (SetBuilder *) state;
	MemoryContext context = state->eoh.eoh_context;

	if (builder->flat == NULL)
	{
		MemoryContext work = AllocSetContextCreate(context, "distributed set work",
												   ALLOCSET_DEFAULT_SIZES);
		MemoryContext old = MemoryContextSwitchTo(work);
		struct varlena *flat;

		if (builder->pairs.nentries > 0)
			settle_pairs(builder);
		flat = build_set(&builder->pairs);
		builder->flat = MemoryContextAlloc(context, VARSIZE(flat));
		memcpy(builder->flat, flat, VARSIZE(flat));
		MemoryContextSwitchTo(old);
		MemoryContextDelete(work);
	}
	return VARSIZE(builder->flat);
}

static void
set_builder_flatten(MergeState *state, struct varlena *flat, Size size)
{
	memcpy(flat, ((SetBuilder *) state)->flat, size);
}

/* As a plain function, of two sets. */
static struct varlena *
set_builder_combine(const LatticeType *type, const struct varlena *a, const struct varlena *b)
{
	MergeState *state = merge_state_create(type, CurrentMemoryContext);
	struct varlena *flat;
	Size size;

	set_builder_absorb(state, a);
	set_builder_absorb(state, b);
	size = set_builder_flat_size(state);
	flat = palloc(size);
	set_builder_flatten(state, flat, size);
	MemoryContextDelete(state->eoh.eoh_context);
	return flat;
}

const LatticeType set_builder_lattice = {
	.name = "set builder",
	.state_size = sizeof(SetBuilder),
	.load = set_builder_absorb,
	.absorb = set_builder_absorb,
	.flat_size = set_builder_flat_size,
	.flatten = set_builder_flatten,
	.combine = set_builder_combine,
};
