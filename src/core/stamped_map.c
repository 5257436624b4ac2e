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

#include "core/stamped_map.h"

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

static bool
write_includes(const Entry *a, const Entry *b)
{
	return compare_writes(a, b, (a->node > b->node) - (a->node < b->node)) >= 0;
}

/* One write for each key, and of two the greater. */
const EntryRule stamped_map_rule = {
	.includes = write_includes,
};

static struct varlena *
stamped_map_join(const struct varlena *const *values, uint32 count)
{
	return entry_map_join(&stamped_map_rule, values, count);
}

static bool
stamped_map_includes(const EntryTable *a, const EntryTable *b)
{
	return entry_map_includes(&stamped_map_rule, a, b);
}

/* The map of one write. */
struct varlena *
stamped_map_of(Entry entry, HybridTime at, NodeName node)
{
	stamped_entry_set_time(&entry, at);
	return entry_map_single(entry, node);
}

/*
 * A map after one more write.  One that comes late, or again, changes nothing:
 * then that is the map itself.
 */
const struct varlena *
stamped_map_write(const struct varlena *map, Entry entry, HybridTime at, NodeName node)
{
	stamped_entry_set_time(&entry, at);
	return entry_map_put(&stamped_map_rule, map, entry, node);
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
