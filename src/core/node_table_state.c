/*
 * node_table_state.c
 *		Node tables as lattices: joins and meets, one by one and aggregated.
 *
 * The aggregate's state is a table with wide, aligned counters.  A row over
 * the same nodes, the usual case, is one memcmp and one loop.  Otherwise each
 * of its nodes is looked up by binary search and counted in place; nodes that
 * the table lacks are only appended to a list, which is sorted and merged into
 * the table when it has grown as long as the table.  So n rows with S nodes in
 * all cost O(S log S), also when every row brings nodes of its own, and the
 * list is never much longer than the table.
 *
 * For a meet the state can only lose nodes, at most once each; it needs no
 * list.
 */
#include "core/compat.h"

#include "core/node_table_state.h"
#include "utils/memutils.h"

#define PENDING_MIN 64

static inline const NodeTableLattice *
state_lattice(const NodeTableState *state)
{
	return (const NodeTableLattice *) state->base.type;
}

/* The state's table, to be read like any other. */
static void
state_table(const NodeTableState *state, NodeTable *table)
{
	table->nnodes = state->nnodes;
	table->names_size = state->names_size;
	table->arity = state_lattice(state)->arity;
	table->wide = true;
	table->flags = 0;
	table->counters = (const char *) state->counters;
	table->lengths = state->block;
	table->names = (const char *) state->block + state->nnodes;
}

/*
 * Make sorted, unique entries the state's table.  Their names may lie in the
 * old one, which goes only when the new one stands.
 */
static void
state_replace(NodeTableState *state, const NodeEntries *entries)
{
	MemoryContext context = state->base.eoh.eoh_context;
	uint8 arity = state_lattice(state)->arity;
	uint32 nnodes = entries->count;
	Size names_size = 0;
	Size offset = 0;
	char *storage;
	uint64 *counters;
	uint32 *offsets;
	uint8 *block;

	for (uint32 i = 0; i < nnodes; i++)
		names_size += entries->items[i].length;
	node_table_check_size(nnodes, node_table_flat_size(nnodes, names_size, arity, false));

	/* one piece for all three, the most aligned first; never empty */
	storage = MemoryContextAllocHuge(context,
									 (Size) nnodes * (arity * sizeof(uint64) + sizeof(uint32) + 1) +
										 names_size + 1);
	counters = (uint64 *) storage;
	offsets = (uint32 *) (counters + (Size) nnodes * arity);
	block = (uint8 *) (offsets + nnodes);
	for (uint32 i = 0; i < nnodes; i++)
	{
		const NodeEntry *entry = &entries->items[i];

		for (int which = 0; which < arity; which++)
			counters[(Size) which * nnodes + i] = entry->counters[which];
		block[i] = (uint8) entry->length;
		offsets[i] = (uint32) offset;
		memcpy(block + nnodes + offset, entry->name, entry->length);
		offset += entry->length;
	}

	if (state->counters)
		pfree(state->counters);
	state->nnodes = nnodes;
	state->names_size = names_size;
	state->counters = counters;
	state->offsets = offsets;
	state->block = block;
}

/*
 * Bring the pending nodes into the table.  This may be called where memory can
 * be had but not given back: a sort flattens the values of its tuples in such
 * a context.
 */
static void
state_settle(NodeTableState *state)
{
	MemoryContext old;
	NodeTable table;
	NodeEntries all;

	if (!state->has_pending)
		return;
	old = MemoryContextSwitchTo(state->base.eoh.eoh_context);
	state_table(state, &table);
	node_entries_init(&all, state->nnodes + state->pending.count);
	node_entries_copy(&all, &table);
	for (uint32 i = 0; i < state->pending.count; i++)
	{
		NodeEntry *from = &state->pending.items[i];

		memcpy(node_entries_add(&all, from->name, from->length)->counters, from->counters,
			   sizeof(from->counters));
	}
	node_entries_sort(&all, table.arity, NODE_DUPLICATES_JOIN, NULL);
	state_replace(state, &all);
	pfree(all.items);

	for (uint32 i = 0; i < state->pending.count; i++)
		pfree(unconstify(char *, state->pending.items[i].name));
	pfree(state->pending.items);
	state->has_pending = false;
	MemoryContextSwitchTo(old);
}

static void
state_postpone(NodeTableState *state, const NodeTable *from, const NodeCursor *cursor)
{
	MemoryContext old = MemoryContextSwitchTo(state->base.eoh.eoh_context);
	uint32 length = node_cursor_length(cursor);
	char *name;
	NodeEntry *entry;

	if (!state->has_pending)
	{
		node_entries_init(&state->pending, 0);
		state->has_pending = true;
	}
	name = palloc(length);
	memcpy(name, cursor->name, length);
	entry = node_entries_add(&state->pending, name, length);
	for (int which = 0; which < from->arity; which++)
		entry->counters[which] = node_table_counter(from,
													node_table_slot(from, cursor->index, which));
	MemoryContextSwitchTo(old);
}

/*
 * Find a node at or after position "first"; -1 if the table lacks it, and
 * *first is where it would stand.
 */
static int64
state_find(const NodeTableState *state, uint32 *first, const char *name, uint32 length)
{
	const char *names = (const char *) state->block + state->nnodes;
	uint32 low = *first;
	uint32 high = state->nnodes;

	while (low < high)
	{
		uint32 middle = low + (high - low) / 2;
		int order = bytes_compare(names + state->offsets[middle], state->block[middle], name,
								  length);

		if (order == 0)
		{
			*first = middle + 1;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*first = low;
	return -1;
}

/* Maximum or minimum of all counters of two tables over the same nodes. */
static pg_attribute_always_inline void
state_combine_slots(NodeTableState *state, const NodeTable *table, bool wide,
					NodeOperation operation)
{
	NodeTable from = *table;
	uint64 *counters = state->counters;
	uint32 slots = table->nnodes * table->arity;

	from.wide = wide;
	for (uint32 slot = 0; slot < slots; slot++)
	{
		uint64 counter = node_table_counter(&from, slot);

		if (operation == NODE_JOIN ? counter > counters[slot] : counter < counters[slot])
			counters[slot] = counter;
	}
}

static void
state_join(NodeTableState *state, const NodeTable *from)
{
	NodeCursor cursor;
	uint32 position = 0;

	for (node_cursor_open(&cursor, from); !node_cursor_done(&cursor); node_cursor_next(&cursor))
	{
		int64 found = state_find(state, &position, cursor.name, node_cursor_length(&cursor));

		if (found < 0)
		{
			state_postpone(state, from, &cursor);
			continue;
		}
		for (int which = 0; which < from->arity; which++)
		{
			uint64 *counter = &state->counters[(Size) which * state->nnodes + found];

			*counter = Max(*counter,
						   node_table_counter(from, node_table_slot(from, cursor.index, which)));
		}
	}
	if (state->has_pending && state->pending.count > Max(state->nnodes, PENDING_MIN))
		state_settle(state);
}

static void
state_meet(NodeTableState *state, const NodeTable *from)
{
	uint8 arity = from->arity;
	bool shrinks = false;
	NodeTable table;
	NodePairs pairs;

	state_table(state, &table);
	node_pairs_open(&pairs, &table, from);
	while (node_pairs_next(&pairs))
	{
		uint64 any = 0;

		if (pairs.in_a < 0)
			continue;
		for (int which = 0; which < arity; which++)
		{
			uint64 *counter = &state->counters[(Size) which * state->nnodes + pairs.in_a];

			*counter = Min(*counter, node_pair_counter(from, pairs.in_b, which));
			any |= *counter;
		}
		shrinks |= any == 0;
	}
	if (shrinks)
	{
		NodeEntries left;

		node_entries_init(&left, state->nnodes);
		node_entries_copy(&left, &table);
		node_entries_sort(&left, arity, NODE_DUPLICATES_JOIN, NULL);
		state_replace(state, &left);
		pfree(left.items);
	}
}

void
node_table_state_load(MergeState *base, const struct varlena *flat)
{
	NodeTableState *state = (NodeTableState *) base;
	NodeTable table;
	NodeEntries entries;

	node_table_open(&table, flat, state_lattice(state)->arity);
	node_entries_init(&entries, table.nnodes);
	node_entries_copy(&entries, &table);
	state_replace(state, &entries);
	pfree(entries.items);
}

void
node_table_state_absorb(MergeState *base, const struct varlena *flat)
{
	NodeTableState *state = (NodeTableState *) base;
	const NodeTableLattice *lattice = state_lattice(state);
	NodeTable from;
	NodeTable table;

	node_table_open(&from, flat, lattice->arity);
	state_table(state, &table);
	if ((lattice->operation == NODE_JOIN || lattice->arity == 1) &&
		node_table_same_nodes(&table, &from))
	{
		if (lattice->operation == NODE_MEET)
			state_combine_slots(state, &from, from.wide, NODE_MEET);
		else if (from.wide)
			state_combine_slots(state, &from, true, NODE_JOIN);
		else
			state_combine_slots(state, &from, false, NODE_JOIN);
	}
	else if (lattice->operation == NODE_JOIN)
		state_join(state, &from);
	else
		state_meet(state, &from);
}

static bool
state_needs_wide(const NodeTableState *state)
{
	uint64 any = 0;

	for (uint32 slot = 0; slot < state->nnodes * state_lattice(state)->arity; slot++)
		any |= state->counters[slot];
	return any > PG_UINT32_MAX;
}

Size
node_table_state_flat_size(MergeState *base)
{
	NodeTableState *state = (NodeTableState *) base;
	Size size;

	state_settle(state);
	size = node_table_flat_size(state->nnodes, state->names_size, state_lattice(state)->arity,
								state_needs_wide(state));
	node_table_check_size(state->nnodes, size);
	return size;
}

void
node_table_state_flatten(MergeState *base, struct varlena *flat, Size size)
{
	NodeTableState *state = (NodeTableState *) base;
	NodeTable table;
	NodeTable result;

	state_table(state, &table);
	node_table_layout(&result, flat, size, state->nnodes, table.arity, state_needs_wide(state), 0);
	node_table_assign(&result, &table);
}

struct varlena *
node_table_state_combine(const LatticeType *type, const struct varlena *a, const struct varlena *b)
{
	const NodeTableLattice *lattice = (const NodeTableLattice *) type;
	NodeTable left;
	NodeTable right;

	node_table_open(&left, a, lattice->arity);
	node_table_open(&right, b, lattice->arity);
	return node_table_combine(&left, &right, lattice->operation);
}
