/*
 * merge_continue.c
 *		A value that begins anew, made to go on from an old one.
 *
 * What is known of a row that was removed stays, here and with its peers, until it
 * is purged.  Who inserts its key again begins with fresh values: a counter of 3, a
 * set of one apple.  To the peers their counts and dots would be old ones: the
 * counter has had its 3, and the apple's dot was that of a pear that is gone.
 * So what the local node has counted in the fresh value is counted on from the
 * old one: the counter has 3 more, the apple gets the node's next dot.  The same
 * holds where an INSERT meets a row, and ON CONFLICT sets the column to what was to
 * be inserted: a value in an INSERT is what is added.
 *
 * Where a key is inserted again, what counts by dots begins empty all the same, as
 * if all that is seen had been removed from it, and what counts up and down begins at
 * 0.  What only grows cannot, for there is no reset that two nodes may do at once; it
 * goes on, as do stamped values and states.
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
		{"vclock", COUNTS_EVENTS},  {"gcounter", COUNTS_BY_NODE},   {"pncounter", COUNTS_TWICE},
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

/* Count back what has been counted; too far for one node is not done. */
static struct varlena *
reset_counter(struct varlena *old, NodeName node)
{
	NodeTable counter;
	NodeTable ups;
	NodeTable downs;
	NodeSum up;
	NodeSum down;
	bool above;

	node_table_open(&counter, old, 2);
	ups = node_table_column(&counter, 0);
	downs = node_table_column(&counter, 1);
	up = node_table_sum(&ups);
	down = node_table_sum(&downs);
	above = node_sum_compare(up, down) > 0;
	up = above ? node_sum_subtract(up, down) : node_sum_subtract(down, up);
	if ((up.high == 0 && up.low == 0) || up.high > 0 ||
		up.low > PG_INT64_MAX - node_table_get(&counter, node.name, node.length, above ? 1 : 0))
		return old;
	return node_table_increment(&counter, node, above ? 1 : 0, up.low, "pncounter");
}

static bool
continue_counters(uint8 arity, Datum old, const Datum *fresh, NodeName node, bool anew,
				  Datum *result)
{
	struct varlena *sum = PG_DETOAST_DATUM_PACKED(old);
	NodeTable counted;

	if (anew && arity == 2)
		sum = reset_counter(sum, node);

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

static bool
continue_dots(Datum old, const Datum *fresh, NodeName node, bool anew, Datum *result)
{
	const LatticeType *lattice = &dot_store_kernel.lattice.base;
	struct varlena *begun;
	EntryTable before;
	EntryTable after;

	entry_table_open(&before, PG_DETOAST_DATUM_PACKED(old));
	begun = anew ? dot_store_drop(&before, 0, before.nentries) : PG_DETOAST_DATUM_PACKED(old);
	*result = PointerGetDatum(begun);
	if (fresh == NULL)
		return true;
	entry_table_open(&after, PG_DETOAST_DATUM_PACKED(*fresh));
	if (!only_node(&after.nodes, node) || after.nranges > 0)
		return false;
	if (after.nodes.nnodes > 0)
		*result = PointerGetDatum(
			lattice->combine(lattice, begun,
							 dot_store_after(&after, node, dot_store_last_dot(&before, &node))));
	return true;
}

/*
 * Count what is in "fresh", NULL if that is no value, on from "old", or anew after
 * it; false if others than the node have counted in it.
 */
bool
merge_continue(MergeCounting counting, Datum old, const Datum *fresh, NodeName node, bool anew,
			   Datum *result)
{
	switch (counting)
	{
		case COUNTS_EVENTS:
		case COUNTS_BY_NODE:
			return continue_counters(1, old, fresh, node, anew, result);
		case COUNTS_TWICE:
			return continue_counters(2, old, fresh, node, anew, result);
		case COUNTS_BY_DOT:
			return continue_dots(old, fresh, node, anew, result);
		case COUNTS_NOTHING:
			break;
	}
	return false;
}

/* Have the node's dots in "fresh" begin after "last"; false as above. */
bool
merge_begin_after(uint64 last, Datum fresh, NodeName node, Datum *result)
{
	return continue_dots(PointerGetDatum(dot_store_knowing(node, last)), &fresh, node, true,
						 result);
}
