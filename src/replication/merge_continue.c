/*
 * merge_continue.c
 *		A value that begins anew, made to go on from an old one.
 *
 * A row that was removed stays, here and with its peers, until it is purged.
 * Who inserts its key again begins with fresh values: a counter of 3, a set of
 * one apple.  To the peers their counts and dots would be old ones: the
 * counter has had its 3, and the apple's dot was that of a pear that is gone.
 * So what the local node has counted in the fresh value is counted on from the
 * old one: the counter has 3 more, the apple gets the node's next dot.
 *
 * What counts by dots begins empty all the same, as if all that is seen had
 * been removed from it.  Counters cannot, for there is no reset that two nodes
 * may do at once; they go on, as do stamped values and states.
 *
 * That takes a value in which nobody but the local node has counted.
 *
 * When the old row has been purged here, a peer may still have it, and go on from
 * it.  Nobody here remembers the row's dots, but the table knows the greatest of
 * all that were purged with its rows, and new rows begin after that.
 */
#include "core/compat.h"

#include "core/dot_store.h"
#include "core/node_table.h"
#include "core/query.h"
#include "replication/merge_continue.h"

MergeCounting
merge_counting_of(Oid type, Oid extension)
{
	static const struct
	{
		const char *type;
		MergeCounting counting;
	} known[] = {
		{"vclock", COUNTS_BY_NODE}, {"gcounter", COUNTS_BY_NODE},   {"pncounter", COUNTS_TWICE},
		{"orset", COUNTS_BY_DOT},   {"mv_register", COUNTS_BY_DOT}, {"or_map", COUNTS_BY_DOT},
		{"ew_flag", COUNTS_BY_DOT}, {"dw_flag", COUNTS_BY_DOT},
	};

	for (int i = 0; i < (int) lengthof(known); i++)
	{
		if (extension_type(extension, known[i].type) == type)
			return known[i].counting;
	}
	return COUNTS_NOTHING;
}

/* Has nobody but the node counted in a table of nodes? */
static bool
only_node(const NodeTable *nodes, NodeName node)
{
	return nodes->nnodes == 0 ||
		(nodes->nnodes == 1 &&
		 bytes_compare(nodes->names, nodes->lengths[0], node.name, node.length) == 0);
}

static bool
continue_counters(uint8 arity, Datum old, const Datum *fresh, NodeName node, Datum *result)
{
	struct varlena *sum = PG_DETOAST_DATUM_PACKED(old);
	NodeTable counted;

	*result = PointerGetDatum(sum);
	if (fresh == NULL)
		return true;
	node_table_open(&counted, PG_DETOAST_DATUM_PACKED(*fresh), arity);
	if (!only_node(&counted, node))
		return false;
	for (int which = 0; which < arity && counted.nnodes > 0; which++)
	{
		uint64 count = node_table_counter(&counted, node_table_slot(&counted, 0, which));
		NodeTable before;

		node_table_open(&before, sum, arity);
		if (count > 0)
			sum = node_table_increment(&before, node, which, count, "counter");
	}
	*result = PointerGetDatum(sum);
	return true;
}

/* The last dot of the node that a store knows. */
static uint64
last_dot(const EntryTable *store, NodeName node)
{
	uint64 last = 0;
	uint32 index;

	if (!node_table_find(&store->nodes, node.name, node.length, &index))
		return 0;
	last = packed_get(&store->columns[NODE_PREFIX], index);
	for (uint32 i = 0; i < store->nranges; i++)
	{
		DotRange range = entry_table_range(store, i);

		if (range.node == index)
			last = Max(last, range.last);
	}
	return last;
}

static bool
continue_dots(Datum old, const Datum *fresh, NodeName node, Datum *result)
{
	const LatticeType *lattice = &dot_store_kernel.lattice.base;
	struct varlena *begun;
	EntryTable before;
	EntryTable after;
	EntryCursor cursor;
	EntryDraft draft;
	uint64 last;
	uint64 count;

	entry_table_open(&before, PG_DETOAST_DATUM_PACKED(old));
	begun = dot_store_drop(&before, 0, before.nentries);
	*result = PointerGetDatum(begun);
	if (fresh == NULL)
		return true;
	entry_table_open(&after, PG_DETOAST_DATUM_PACKED(*fresh));
	if (!only_node(&after.nodes, node) || after.nranges > 0)
		return false;
	if (after.nodes.nnodes == 0)
		return true;
	last = last_dot(&before, node);
	count = packed_get(&after.columns[NODE_PREFIX], 0);
	if (count > PG_INT64_MAX - last)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("node \"%.*s\" has not enough dots left", (int) node.length, node.name)));
	entry_draft_init(&draft, after.nentries);
	node_entries_add(&draft.nodes, node.name, node.length);
	entry_draft_add_range(&draft, 0, last + 1, last + count);
	for (entry_cursor_open(&cursor, &after); entry_cursor_next(&cursor);)
	{
		Entry entry = cursor.entry;

		entry.time += last;
		*entry_draft_add(&draft) = entry;
	}
	*result = PointerGetDatum(lattice->combine(lattice, begun, dot_store_build(&draft)));
	return true;
}

/*
 * Count what is in "fresh", NULL if that is no value, on from "old"; false if
 * others than the node have counted in it.
 */
bool
merge_continue(MergeCounting counting, Datum old, const Datum *fresh, NodeName node, Datum *result)
{
	switch (counting)
	{
		case COUNTS_BY_NODE:
			return continue_counters(1, old, fresh, node, result);
		case COUNTS_TWICE:
			return continue_counters(2, old, fresh, node, result);
		case COUNTS_BY_DOT:
			return continue_dots(old, fresh, node, result);
		case COUNTS_NOTHING:
			break;
	}
	return false;
}

/* The greatest dot, of any node, that a value which counts by dots knows. */
uint64
merge_last_dot(Datum value)
{
	uint64 last = 0;
	EntryTable store;

	entry_table_open(&store, PG_DETOAST_DATUM_PACKED(value));
	for (uint32 i = 0; i < store.nodes.nnodes; i++)
		last = Max(last, packed_get(&store.columns[NODE_PREFIX], i));
	for (uint32 i = 0; i < store.nranges; i++)
		last = Max(last, entry_table_range(&store, i).last);
	return last;
}

/* Have the node's dots in "fresh" begin after "last"; false as above. */
bool
merge_begin_after(uint64 last, Datum fresh, NodeName node, Datum *result)
{
	EntryDraft draft;

	entry_draft_init(&draft, 1);
	node_entries_add(&draft.nodes, node.name, node.length)->counters[0] = last;
	return continue_dots(PointerGetDatum(dot_store_build(&draft)), &fresh, node, result);
}
