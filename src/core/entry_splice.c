/*
 * entry_splice.c
 *		Two entry tables in step, and a new one of pieces of both.
 *
 * Joining two values walks along both, and decides for every entry whether it
 * stays; adding to a value or removing from it keeps all entries but a few.
 * Either way the result consists of runs of entries of one table or the other.
 * They are noted first; that tells how wide the columns must be, and then
 * columns, keys and values are copied run by run.  So no entry is ever taken
 * apart, nothing is allocated for one, and a change of a large value costs
 * little more than copying it.
 */
#include "core/compat.h"

#include "core/entry_splice.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* The nodes of both tables, without prefixes, and their numbers there. */
void
entry_splice_open(EntrySplice *splice, const EntryTable *a, const EntryTable *b)
{
	NodeEntries *nodes = &splice->draft.nodes;
	NodePairs pairs;

	memset(splice, 0, sizeof(*splice));
	splice->tables[0] = a;
	splice->tables[1] = b;
	for (int table = 0; table < 2; table++)
		splice->numbers[table] =
			MemoryContextAllocHuge(CurrentMemoryContext,
								   sizeof(uint32) *
									   ((Size) splice->tables[table]->nodes.nnodes + 1));
	node_entries_init(nodes, a->nodes.nnodes);
	node_pairs_open(&pairs, &a->nodes, &b->nodes);
	while (node_pairs_next(&pairs))
	{
		if (pairs.in_a >= 0)
		{
			splice->numbers[0][pairs.in_a] = nodes->count;
			splice->renumbers[0] |= nodes->count != pairs.in_a;
		}
		if (pairs.in_b >= 0)
		{
			splice->numbers[1][pairs.in_b] = nodes->count;
			splice->renumbers[1] |= nodes->count != pairs.in_b;
		}
		node_entries_add(nodes, pairs.name, pairs.length);
	}
}

static void
add_run(EntrySplice *splice, int table, uint32 from, uint32 to, uint32 key_start)
{
	EntryRun *run;

	if (splice->nruns == splice->max_runs)
		splice->runs = entry_draft_grow(splice->runs, sizeof(EntryRun), &splice->max_runs);
	run = &splice->runs[splice->nruns++];
	run->table = (uint8) table;
	run->from = from;
	run->to = to;
	run->key_start = key_start;
}

/* The entry that a cursor is at comes next. */
void
entry_splice_keep(EntrySplice *splice, int table, const EntryCursor *cursor)
{
	const Entry *entry = &cursor->entry;
	EntryRun *run = splice->nruns > 0 ? &splice->runs[splice->nruns - 1] : NULL;
	uint32 index = cursor->index - 1;

	CHECK_FOR_INTERRUPTS();
	splice->nentries++;
	if (run && run->table == table && run->to == index)
		run->to++;
	else
		add_run(splice, table, index, index + 1,
				run && entry_same_key(&splice->last, entry) ? cursor->key_end
															: cursor->key_end - entry->key_length);
	splice->last = *entry;
}

/* Entries from .. to - 1 come next; no key is cut by either end. */
void
entry_splice_keep_range(EntrySplice *splice, int table, uint32 from, uint32 to)
{
	const PackedColumn *ends = &splice->tables[table]->columns[ENTRY_KEY_END];

	if (from < to)
		add_run(splice, table, from, to, from > 0 ? (uint32) packed_get(ends, from - 1) : 0);
	splice->nentries += to - from;
}

/* The entry that was kept last has another time, which is greater. */
void
entry_splice_change(EntrySplice *splice, uint64 time)
{
	EntryChange *change;

	if (splice->nchanges == splice->max_changes)
		splice->changes = entry_draft_grow(splice->changes, sizeof(EntryChange),
										   &splice->max_changes);
	change = &splice->changes[splice->nchanges++];
	change->index = splice->nentries - 1;
	change->time = time;
}

/* Where the bytes of a run end, and those of its values begin. */
static inline uint32
run_keys_end(const EntrySplice *splice, const EntryRun *run)
{
	return (uint32) packed_get(&splice->tables[run->table]->columns[ENTRY_KEY_END], run->to - 1);
}

static inline uint32
run_values_start(const EntrySplice *splice, const EntryRun *run)
{
	const PackedColumn *ends = &splice->tables[run->table]->columns[ENTRY_VALUE_END];

	return run->from > 0 ? (uint32) packed_get(ends, run->from - 1) : 0;
}

static inline uint32
run_values_end(const EntrySplice *splice, const EntryRun *run)
{
	return (uint32) packed_get(&splice->tables[run->table]->columns[ENTRY_VALUE_END], run->to - 1);
}

/*
 * Leave out nodes that neither are in the context nor named by an entry that
 * is kept.
 */
static void
drop_unused_nodes(EntrySplice *splice)
{
	NodeEntries *nodes = &splice->draft.nodes;
	bool *used = MemoryContextAllocHuge(CurrentMemoryContext, (Size) nodes->count + 1);
	uint32 *places;
	uint32 nused = 0;
	uint32 kept = 0;

	for (uint32 i = 0; i < nodes->count; i++)
		used[i] = nodes->items[i].counters[0] > 0;
	for (uint32 i = 0; i < splice->draft.nranges; i++)
		used[splice->draft.ranges[i].node] = true;
	for (uint32 i = 0; i < nodes->count; i++)
		nused += used[i];
	for (uint32 r = 0; r < splice->nruns && nused < nodes->count; r++)
	{
		const EntryRun *run = &splice->runs[r];
		const PackedColumn *column = &splice->tables[run->table]->columns[ENTRY_NODE];

		for (uint32 i = run->from; i < run->to; i++)
		{
			uint32 node = splice->numbers[run->table][packed_get(column, i)];

			nused += !used[node];
			used[node] = true;
		}
	}
	if (nused < nodes->count)
	{
		places = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * (Size) nodes->count);
		for (uint32 i = 0; i < nodes->count; i++)
		{
			places[i] = kept;
			if (used[i])
				nodes->items[kept++] = nodes->items[i];
		}
		nodes->count = kept;
		for (uint32 i = 0; i < splice->draft.nranges; i++)
			splice->draft.ranges[i].node = places[splice->draft.ranges[i].node];
		for (int table = 0; table < 2; table++)
		{
			splice->renumbers[table] = true;
			for (uint32 i = 0; i < splice->tables[table]->nodes.nnodes; i++)
				splice->numbers[table][i] = places[splice->numbers[table][i]];
		}
		pfree(places);
	}
	pfree(used);
}

/*
 * The greatest number that the runs have in a column, or another that takes as
 * many bytes.
 */
static uint64
column_greatest(const EntrySplice *splice, TableColumn column)
{
	uint64 all = 0;
	uint8 widest = Max(splice->tables[0]->columns[column].width,
					   splice->tables[1]->columns[column].width);

	for (uint32 r = 0; r < splice->nruns && packed_width(all) < widest; r++)
	{
		const EntryRun *run = &splice->runs[r];
		const PackedColumn *source = &splice->tables[run->table]->columns[column];

		if (source->width == 0)
			continue;
		for (uint32 i = run->from; i < run->to; i++)
		{
			all |= packed_get(source, i);
			if (packed_width(all) == source->width)
				break;
		}
	}
	return all;
}

/* The same of the column of nodes, whose numbers change. */
static uint64
column_greatest_node(const EntrySplice *splice)
{
	uint64 all = 0;
	uint8 widest = packed_width(splice->draft.nodes.count > 0 ? splice->draft.nodes.count - 1 : 0);

	for (uint32 r = 0; r < splice->nruns && packed_width(all) < widest; r++)
	{
		const EntryRun *run = &splice->runs[r];
		const PackedColumn *source = &splice->tables[run->table]->columns[ENTRY_NODE];

		for (uint32 i = run->from; i < run->to && packed_width(all) < widest; i++)
			all |= splice->numbers[run->table][packed_get(source, i)];
	}
	return all;
}

/* Copy "count" numbers, each "shift" greater; the widths are constants. */
static pg_attribute_always_inline void
copy_shifted(char *target, uint8 target_width, const char *source, uint8 source_width, uint32 count,
			 uint64 shift)
{
	PackedColumn to = {target, target_width};
	PackedColumn from = {source, source_width};

	for (uint32 i = 0; i < count; i++)
		packed_put(&to, i, packed_get(&from, i) + shift);
}

/* Copy numbers from .. to - 1 of a column to "at" of another. */
static void
copy_column(const PackedColumn *target, uint32 at, const PackedColumn *source, uint32 from,
			uint32 to, uint64 shift)
{
	char *bytes = unconstify(char *, target->bytes) + (Size) at * target->width;
	const char *start = source->bytes + (Size) from * source->width;

	if (target->width == source->width && shift == 0)
		memcpy(bytes, start, (Size) (to - from) * source->width);
	else if (target->width == 4 && source->width == 4)
		copy_shifted(bytes, 4, start, 4, to - from, shift);
	else if (target->width == 2 && source->width == 2)
		copy_shifted(bytes, 2, start, 2, to - from, shift);
	else if (target->width == 1 && source->width == 1)
		copy_shifted(bytes, 1, start, 1, to - from, shift);
	else
		copy_shifted(bytes, target->width, start, source->width, to - from, shift);
}

/* Write one column of the entries. */
static void
write_column(const EntrySplice *splice, const EntryTable *result, TableColumn column)
{
	const PackedColumn *target = &result->columns[column];
	uint32 at = 0;
	uint64 size = 0;

	if (target->width == 0)
		return;
	for (uint32 r = 0; r < splice->nruns; r++)
	{
		const EntryRun *run = &splice->runs[r];
		const PackedColumn *source = &splice->tables[run->table]->columns[column];

		CHECK_FOR_INTERRUPTS();
		if (column == ENTRY_KEY_END)
		{
			copy_column(target, at, source, run->from, run->to, size - run->key_start);
			size += run_keys_end(splice, run) - run->key_start;
		}
		else if (column == ENTRY_VALUE_END)
		{
			uint32 start = run_values_start(splice, run);

			copy_column(target, at, source, run->from, run->to, size - start);
			size += run_values_end(splice, run) - start;
		}
		else if (column == ENTRY_NODE && splice->renumbers[run->table])
		{
			const uint32 *numbers = splice->numbers[run->table];

			for (uint32 i = run->from; i < run->to; i++)
				packed_put(target, at + (i - run->from), numbers[packed_get(source, i)]);
		}
		else
			copy_column(target, at, source, run->from, run->to, 0);
		at += run->to - run->from;
	}
}

/* Write the new table. */
struct varlena *
entry_splice_write(EntrySplice *splice)
{
	TableShape shape = {0};
	EntryTable result;
	struct varlena *flat;
	char *keys;
	char *values;

	drop_unused_nodes(splice);
	shape.nentries = splice->nentries;
	for (uint32 r = 0; r < splice->nruns; r++)
	{
		const EntryRun *run = &splice->runs[r];

		shape.keys_size += run_keys_end(splice, run) - run->key_start;
		shape.values_size += run_values_end(splice, run) - run_values_start(splice, run);
	}
	table_shape_see(&shape, ENTRY_KEY_END, shape.keys_size);
	table_shape_see(&shape, ENTRY_VALUE_END, shape.values_size);
	table_shape_see(&shape, ENTRY_NODE, column_greatest_node(splice));
	table_shape_see(&shape, ENTRY_TIME, column_greatest(splice, ENTRY_TIME));
	table_shape_see(&shape, ENTRY_LOGICAL, column_greatest(splice, ENTRY_LOGICAL));
	table_shape_see(&shape, ENTRY_REMOVED, column_greatest(splice, ENTRY_REMOVED));
	for (uint32 i = 0; i < splice->nchanges; i++)
		table_shape_see(&shape, ENTRY_TIME, splice->changes[i].time);

	flat = entry_table_begin(&result, &shape, &splice->draft);
	for (int column = 0; column < NODE_PREFIX; column++)
		write_column(splice, &result, column);
	for (uint32 i = 0; i < splice->nchanges; i++)
		packed_put(&result.columns[ENTRY_TIME], splice->changes[i].index, splice->changes[i].time);
	keys = unconstify(char *, result.keys);
	values = unconstify(char *, result.values);
	for (uint32 r = 0; r < splice->nruns; r++)
	{
		const EntryRun *run = &splice->runs[r];
		const EntryTable *table = splice->tables[run->table];
		uint32 key_bytes = run_keys_end(splice, run) - run->key_start;
		uint32 start = run_values_start(splice, run);
		uint32 value_bytes = run_values_end(splice, run) - start;

		memcpy(keys, table->keys + run->key_start, key_bytes);
		keys += key_bytes;
		if (value_bytes > 0)
			memcpy(values, table->values + start, value_bytes);
		values += value_bytes;
	}
	entry_table_verify(flat);
	return flat;
}

/* Give back what was allocated, where many calls share one memory context. */
void
entry_splice_close(EntrySplice *splice)
{
	pfree(splice->numbers[0]);
	pfree(splice->numbers[1]);
	pfree(splice->draft.nodes.items);
	if (splice->runs)
		pfree(splice->runs);
	if (splice->changes)
		pfree(splice->changes);
	if (splice->draft.ranges)
		pfree(splice->draft.ranges);
}

/* Key, value and name stay where they are. */
void
single_entry_open(SingleEntry *single, const Entry *entry, NodeName node)
{
	memset(single, 0, sizeof(*single));
	single->columns[ENTRY_KEY_END] = entry->key_length;
	single->columns[ENTRY_VALUE_END] = entry->value_length;
	single->columns[ENTRY_TIME] = entry->time;
	single->columns[ENTRY_LOGICAL] = entry->logical;
	single->columns[ENTRY_REMOVED] = entry->removed;
	for (int column = 0; column < NODE_PREFIX; column++)
	{
		single->table.columns[column].bytes = (const char *) &single->columns[column];
		single->table.columns[column].width = sizeof(uint64);
	}
	single->length = (uint8) node.length;
	single->table.nodes.nnodes = 1;
	single->table.nodes.lengths = &single->length;
	single->table.nodes.names = node.name;
	single->table.nodes.names_size = (uint32) node.length;
	single->table.nentries = 1;
	single->table.keys = entry->key;
	single->table.keys_size = entry->key_length;
	single->table.values = entry->value;
	single->table.values_size = entry->value_length;
}
