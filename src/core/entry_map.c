/*
 * entry_map.c
 *		Maps that are joined entry by entry.
 *
 * A map from keys, or from keys and nodes, to elements of some lattice is a
 * lattice itself: the join of two maps has every key of either, and where both
 * have one, the join of its elements.  In the stored form, an entry table, an
 * entry is a key with its element, and says little of what that is: an
 * EntryRule knows.
 *
 * In most joins one entry includes the other.  Then the result consists of
 * runs of entries of one map or the other, see entry_splice.c, and only where
 * neither includes the other is an entry changed.
 */
#include "core/compat.h"

#include "core/entry_map.h"
#include "core/entry_splice.h"
#include "core/entry_union.h"
#include "miscadmin.h"

static int
compare_keys_and_nodes(const Entry *a, const Entry *b)
{
	int order = entry_compare_keys(a, b);

	return order != 0 ? order : (a->node > b->node) - (a->node < b->node);
}

static inline EntryOrder
rule_order(const EntryRule *rule)
{
	return rule->by_node ? compare_keys_and_nodes : entry_compare_keys;
}

/* Write a map from sorted entries. */
struct varlena *
entry_map_build(EntryDraft *draft)
{
	entry_draft_drop_unused_nodes(draft);
	return entry_table_write(draft);
}

/* The map of one entry. */
struct varlena *
entry_map_single(Entry entry, NodeName node)
{
	EntryDraft draft;

	entry_draft_init(&draft, 1);
	node_entries_add(&draft.nodes, node.name, node.length);
	entry.node = 0;
	*entry_draft_add(&draft) = entry;
	return entry_table_write(&draft);
}

/* Keep the join of two entries of the same key; either may be missing. */
static void
keep_join(EntrySplice *splice, const EntryRule *rule, const EntryCursor *a, const EntryCursor *b)
{
	if (b == NULL || (a && rule->includes(&a->entry, &b->entry)))
		entry_splice_keep(splice, 0, a);
	else if (a == NULL || rule->includes(&b->entry, &a->entry))
		entry_splice_keep(splice, 1, b);
	else
	{
		entry_splice_keep(splice, 0, a);
		entry_splice_change(splice, rule->join(&a->entry, &b->entry));
	}
}

/* The join of two maps: one walk along both. */
static struct varlena *
join_two(const EntryRule *rule, const struct varlena *a, const struct varlena *b)
{
	EntryTable tables[2];
	EntrySplice splice;
	EntryPairs pairs;
	struct varlena *result;

	entry_table_open(&tables[0], a);
	entry_table_open(&tables[1], b);
	entry_splice_open(&splice, &tables[0], &tables[1]);
	entry_pairs_open(&pairs, &splice);
	while (entry_pairs_next(&pairs, rule_order(rule)))
		keep_join(&splice, rule, pairs.has[0] ? &pairs.cursors[0] : NULL,
				  pairs.has[1] ? &pairs.cursors[1] : NULL);
	result = entry_splice_write(&splice);
	entry_splice_close(&splice);
	return result;
}

/* Join sorted entries of the same key that follow one another. */
static void
join_repeated(EntryDraft *draft, const EntryRule *rule)
{
	Entry *last = NULL;
	uint32 kept = 0;

	for (uint32 i = 0; i < draft->nentries; i++)
	{
		Entry *entry = entry_draft_get(draft, i);

		CHECK_FOR_INTERRUPTS();
		entry_draft_prefetch(draft, i);
		if (last == NULL || !entry_draft_repeats_key(draft, i) ||
			(rule->by_node && last->node != entry->node))
			kept++;
		else if (rule->includes(last, entry))
			continue;
		else if (!rule->includes(entry, last))
		{
			last->time = rule->join(last, entry);
			continue;
		}
		/* behind what was kept, or in the place of the last of it */
		draft->order[kept - 1] = draft->order[i];
		last = entry;
	}
	draft->nentries = kept;
}

/* The join of many. */
static struct varlena *
join_many(const EntryRule *rule, const struct varlena *const *values, uint32 count)
{
	EntryUnion all;
	struct varlena *result;

	entry_union_open(&all, values, count, rule_order(rule));
	join_repeated(&all.draft, rule);
	result = entry_map_build(&all.draft);
	entry_union_close(&all);
	return result;
}

struct varlena *
entry_map_join(const EntryRule *rule, const struct varlena *const *values, uint32 count)
{
	return count == 2 ? join_two(rule, values[0], values[1]) : join_many(rule, values, count);
}

/*
 * The join of a map and one more entry, without a walk along the map.  If the
 * map includes it already, that is the map itself.
 */
const struct varlena *
entry_map_put(const EntryRule *rule, const struct varlena *map, Entry entry, NodeName node)
{
	EntryOrder order = rule_order(rule);
	EntryTable table;
	EntrySplice splice;
	SingleEntry single;
	EntryCursor next;
	EntryCursor added;
	uint32 from;
	uint32 to;
	bool placed = false;

	entry.node = 0;
	single_entry_open(&single, &entry, node);
	entry_table_open(&table, map);
	entry_table_find(&table, entry.key, entry.key_length, &from, &to);
	entry_splice_open(&splice, &table, &single.table);
	entry_cursor_open(&added, &single.table);
	entry_cursor_next(&added);
	added.entry.node = splice.numbers[1][0];

	entry_splice_keep_range(&splice, 0, 0, from);
	entry_table_seek(&next, &table, from);
	while (next.index < to && entry_cursor_next(&next))
	{
		int difference;

		next.entry.node = splice.numbers[0][next.entry.node];
		difference = order(&next.entry, &added.entry);
		if (difference == 0 && rule->includes(&next.entry, &added.entry))
			return map;
		if (difference > 0 && !placed)
			keep_join(&splice, rule, NULL, &added);
		keep_join(&splice, rule, &next, difference == 0 ? &added : NULL);
		placed |= difference >= 0;
	}
	if (!placed)
		keep_join(&splice, rule, NULL, &added);
	entry_splice_keep_range(&splice, 0, to, table.nentries);
	return entry_splice_write(&splice);
}

/* Does a include b? */
bool
entry_map_includes(const EntryRule *rule, const EntryTable *a, const EntryTable *b)
{
	EntrySplice splice;
	EntryPairs pairs;
	bool includes = true;

	entry_splice_open(&splice, a, b);
	entry_pairs_open(&pairs, &splice);
	while (includes && entry_pairs_next(&pairs, rule_order(rule)))
	{
		CHECK_FOR_INTERRUPTS();
		includes = !pairs.has[1] ||
			(pairs.has[0] && rule->includes(&pairs.cursors[0].entry, &pairs.cursors[1].entry));
	}
	entry_splice_close(&splice);
	return includes;
}

/* The entries of one map that another does not include. */
struct varlena *
entry_map_delta(const EntryRule *rule, const EntryTable *map, const EntryTable *other)
{
	EntrySplice splice;
	EntryPairs pairs;

	entry_splice_open(&splice, map, other);
	entry_pairs_open(&pairs, &splice);
	while (entry_pairs_next(&pairs, rule_order(rule)))
	{
		CHECK_FOR_INTERRUPTS();
		if (pairs.has[0] &&
			(!pairs.has[1] || !rule->includes(&pairs.cursors[1].entry, &pairs.cursors[0].entry)))
			entry_splice_keep(&splice, 0, &pairs.cursors[0]);
	}
	return entry_splice_write(&splice);
}

/*
 * Entries that are being read
 */

void
entry_collection_init(EntryCollection *collection, uint32 entries)
{
	entry_draft_init(&collection->draft, entries);
	node_entries_init(&collection->names, entries);
}

/* Key, value and name stay where they are. */
void
entry_collection_add(EntryCollection *collection, Entry entry, NodeName node)
{
	entry.node = collection->names.count;
	node_entries_add(&collection->names, node.name, node.length);
	node_entries_add(&collection->draft.nodes, node.name, node.length);
	*entry_draft_add(&collection->draft) = entry;
}

/* Number the nodes as the stored form does, and write the map. */
struct varlena *
entry_collection_build(EntryCollection *collection, const EntryRule *rule)
{
	EntryDraft *draft = &collection->draft;

	node_entries_sort(&draft->nodes, 0, NODE_DUPLICATES_JOIN, NULL);
	for (uint32 i = 0; i < draft->nentries; i++)
	{
		const NodeEntry *name = &collection->names.items[draft->entries[i].node];

		CHECK_FOR_INTERRUPTS();
		node_entries_find(&draft->nodes, name->name, name->length, &draft->entries[i].node);
	}
	entry_draft_sort(draft, rule_order(rule));
	return entry_map_build(draft);
}
