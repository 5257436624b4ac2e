/*
 * stamped_map.c
 *		The kernel of last-writer-wins registers and maps: values with stamps,
 *		joined by the greatest.
 *
 * A map has for a key one write: a value, or that the key was removed, with
 * the hybrid time and the node of the writer.  Joining two maps, the greatest
 * write of each key wins, by time, then node, then value; a removal comes
 * before every value.  That order is total, so whatever ties, every replica
 * takes the same winner (Shapiro et al., "A comprehensive study of convergent
 * and commutative replicated data types", 2011, section 3.2).  A removal stays
 * as an entry, since nothing else can tell an older write that it is older.
 *
 * A register is such a map with at most one key, the empty one.
 */
#include "core/compat.h"

#include "core/entry_splice.h"
#include "core/entry_union.h"
#include "core/stamped_map.h"
#include "miscadmin.h"

/* The order of writes of one key; nodes have been compared, -1, 0 or 1. */
static int
compare_writes(const Entry *a, const Entry *b, int nodes)
{
	if (a->time != b->time)
		return a->time < b->time ? -1 : 1;
	if (a->logical != b->logical)
		return a->logical < b->logical ? -1 : 1;
	if (nodes != 0)
		return nodes;
	if (a->removed != b->removed)
		return a->removed ? -1 : 1;
	return entry_compare_values(a, b);
}

/* The order of entries of one table or union: by key, then write. */
int
stamped_map_order(const Entry *a, const Entry *b)
{
	int order = entry_compare_keys(a, b);

	if (order != 0)
		return order;
	return compare_writes(a, b, (a->node > b->node) - (a->node < b->node));
}

/* The order of writes in different tables. */
static int
compare_across(const EntryTable *a, const Entry *x, const EntryTable *b, const Entry *y)
{
	NodeName left;
	NodeName right;

	if (x->time != y->time || x->logical != y->logical)
		return compare_writes(x, y, 0);
	left = entry_table_node(a, x->node);
	right = entry_table_node(b, y->node);
	return compare_writes(x, y, bytes_compare(left.name, left.length, right.name, right.length));
}

/* Write a map from sorted entries, one for each key. */
struct varlena *
stamped_map_build(EntryDraft *draft)
{
	entry_draft_drop_unused_nodes(draft);
	return entry_table_write(draft);
}

/* The join of two maps: one walk along both. */
static struct varlena *
join_two(const struct varlena *a, const struct varlena *b)
{
	EntryTable tables[2];
	EntrySplice splice;
	EntryPairs pairs;
	struct varlena *result;

	entry_table_open(&tables[0], a);
	entry_table_open(&tables[1], b);
	entry_splice_open(&splice, &tables[0], &tables[1]);
	entry_pairs_open(&pairs, &splice);
	while (entry_pairs_next(&pairs, entry_compare_keys))
	{
		int table = pairs.has[0] ? 0 : 1;

		if (pairs.has[0] && pairs.has[1] &&
			stamped_map_order(&pairs.cursors[0].entry, &pairs.cursors[1].entry) < 0)
			table = 1;
		entry_splice_keep(&splice, table, &pairs.cursors[table]);
	}
	result = entry_splice_write(&splice);
	entry_splice_close(&splice);
	return result;
}

/* The join of many. */
static struct varlena *
join_many(const struct varlena *const *values, uint32 count)
{
	EntryUnion all;
	EntryDraft *draft = &all.draft;
	struct varlena *result;
	uint32 kept = 0;

	entry_union_open(&all, values, count, stamped_map_order);
	for (uint32 i = 0; i < draft->nentries; i++)
	{
		CHECK_FOR_INTERRUPTS();
		/* the last of a key is the greatest */
		entry_draft_prefetch(draft, i);
		if (i + 1 == draft->nentries || !entry_draft_repeats_key(draft, i + 1))
			draft->order[kept++] = draft->order[i];
	}
	draft->nentries = kept;
	result = stamped_map_build(draft);
	entry_union_close(&all);
	return result;
}

static struct varlena *
stamped_map_join(const struct varlena *const *values, uint32 count)
{
	return count == 2 ? join_two(values[0], values[1]) : join_many(values, count);
}

/* The map of one write. */
struct varlena *
stamped_map_of(Entry entry, HybridTime at, NodeName node)
{
	EntryDraft draft;

	entry_draft_init(&draft, 1);
	node_entries_add(&draft.nodes, node.name, node.length);
	entry.node = 0;
	stamped_entry_set_time(&entry, at);
	*entry_draft_add(&draft) = entry;
	return entry_table_write(&draft);
}

/*
 * A map after one more write.  One that comes late, or again, changes nothing:
 * then that is the map itself.
 */
const struct varlena *
stamped_map_write(const struct varlena *map, Entry entry, HybridTime at, NodeName node)
{
	EntryTable table;
	EntrySplice splice;
	SingleEntry single;
	EntryCursor cursor;
	uint32 from;
	uint32 to;

	stamped_entry_set_time(&entry, at);
	entry.node = 0;
	single_entry_open(&single, &entry, node);
	entry_table_open(&table, map);
	if (entry_table_find(&table, entry.key, entry.key_length, &from, &to))
	{
		entry_table_seek(&cursor, &table, from);
		entry_cursor_next(&cursor);
		if (compare_across(&table, &cursor.entry, &single.table, &entry) >= 0)
			return map;
	}
	entry_splice_open(&splice, &table, &single.table);
	entry_splice_keep_range(&splice, 0, 0, from);
	entry_splice_keep_range(&splice, 1, 0, 1);
	entry_splice_keep_range(&splice, 0, to, table.nentries);
	return entry_splice_write(&splice);
}

/* Does a include b: has it for every key of b that write, or a greater one? */
static bool
stamped_map_includes(const EntryTable *a, const EntryTable *b)
{
	EntrySplice splice;
	EntryPairs pairs;
	bool includes = true;

	entry_splice_open(&splice, a, b);
	entry_pairs_open(&pairs, &splice);
	while (includes && entry_pairs_next(&pairs, entry_compare_keys))
	{
		CHECK_FOR_INTERRUPTS();
		includes = !pairs.has[1] ||
			(pairs.has[0] &&
			 stamped_map_order(&pairs.cursors[0].entry, &pairs.cursors[1].entry) >= 0);
	}
	entry_splice_close(&splice);
	return includes;
}

/*
 * The total order for sorting, a linear extension of inclusion: by the number
 * of keys, then entry by entry by key and write.
 */
static int
stamped_map_compare(const EntryTable *a, const EntryTable *b)
{
	EntryCursor x;
	EntryCursor y;

	if (a->nentries != b->nentries)
		return a->nentries < b->nentries ? -1 : 1;
	entry_cursor_open(&x, a);
	entry_cursor_open(&y, b);
	while (entry_cursor_next(&x) && entry_cursor_next(&y))
	{
		int order = entry_compare_keys(&x.entry, &y.entry);

		if (order == 0)
			order = compare_across(a, &x.entry, b, &y.entry);
		if (order != 0)
			return order < 0 ? -1 : 1;
	}
	return 0;
}

/* The writes of one map that another lacks. */
struct varlena *
stamped_map_delta(const EntryTable *map, const EntryTable *other)
{
	EntrySplice splice;
	EntryPairs pairs;

	entry_splice_open(&splice, map, other);
	entry_pairs_open(&pairs, &splice);
	while (entry_pairs_next(&pairs, entry_compare_keys))
	{
		if (pairs.has[0] &&
			(!pairs.has[1] ||
			 stamped_map_order(&pairs.cursors[0].entry, &pairs.cursors[1].entry) > 0))
			entry_splice_keep(&splice, 0, &pairs.cursors[0]);
	}
	return entry_splice_write(&splice);
}

/*
 * Abbreviated for sorting: the number of keys in the upper bits; below them,
 * for what has only the empty key, such as a register, most of the time.
 */
static Datum
stamped_map_sort_key(const EntryTable *map)
{
	uint64 key = (uint64) Min(map->nentries, PG_UINT16_MAX) << 48;
	EntryCursor cursor;

	entry_cursor_open(&cursor, map);
	if (map->nentries == 1 && entry_cursor_next(&cursor))
		key |= cursor.entry.key_length > 0 ? UINT64CONST(0xffffffffffff) : cursor.entry.time >> 16;
	return sort_key(key);
}

const EntryKernel stamped_map_kernel = {
	.lattice = BATCH_LATTICE("stamped map", stamped_map_join),
	.includes = stamped_map_includes,
	.compare = stamped_map_compare,
	.sort_key = stamped_map_sort_key,
};
