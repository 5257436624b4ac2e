/*
 * merge_presence.c
 *		Is a row of a merged table there?
 *
 * The column _merge_presence is an enable-wins flag.  A row that is written
 * here gets a new dot in place of those that it has; a row that is removed
 * loses its dots.  So a write that a removal has not seen survives it.
 *
 * Dots are counted per row, but rows come and go: one that was removed and
 * purged may be inserted again, and must not use a dot for the second time, for
 * a peer that knows of the first one would take the row for removed.  So the
 * counter of a dot is the time of the server's hybrid clock, in nanoseconds.
 * The context claims all dots of the node up to it: of that node's, none but
 * those that the row has had here can be missing.  A removal raises the
 * context to its time as well.  So contexts are vector clocks of nanoseconds,
 * and a removal is known by all who have seen all of its node's up to then: see
 * merge_nodes.c.
 *
 * The least flag is that of a row that has been there since before merging: it
 * is there, until a removal of it arrives.
 */
#include "core/compat.h"

#include "access/xact.h"
#include "core/dot_store.h"
#include "core/shared_clock.h"
#include "replication/merge_nodes.h"
#include "replication/merge_presence.h"

static void
presence_open(EntryTable *flag, Datum presence)
{
	entry_table_open(flag, (struct varlena *) PG_DETOAST_DATUM_PACKED(presence));
}

bool
merge_presence_removed(Datum presence)
{
	EntryTable flag;

	presence_open(&flag, presence);
	return flag.nentries == 0 && (flag.nodes.nnodes > 0 || flag.nranges > 0);
}

/*
 * Has a removal seen none of the dots?  Where it has seen some of them, the row
 * was not written anew only: by another way, the old one can come late to where
 * it has been purged, meet a new one of its key, and have its removal behind it.
 */
bool
merge_presence_outlives(Datum presence, Datum removed)
{
	const LatticeType *lattice = &dot_store_kernel.lattice.base;
	EntryTable flag;
	EntryTable joined;

	presence_open(&flag, presence);
	entry_table_open(&joined,
					 lattice->combine(lattice, PG_DETOAST_DATUM_PACKED(removed),
									  PG_DETOAST_DATUM_PACKED(presence)));
	return joined.nentries > 0 && joined.nentries == flag.nentries;
}

/*
 * Has everyone seen all that the flag has seen?  Asked for rows that were
 * removed, when they meet one that was written since.
 */
bool
merge_presence_stable(Datum presence, Oid extension)
{
	EntryTable flag;
	NodeTable seen;
	NodeTable stable;
	PartialOrder order;

	presence_open(&flag, presence);
	node_table_open(&seen, dot_store_context(&flag), 1);
	node_table_open(&stable, merge_nodes_stable(extension), 1);
	order = node_table_order(&seen, &stable);
	return order == ORDER_BEFORE || order == ORDER_EQUAL;
}

/* Which of the node's dots does the flag know? */
uint64
merge_presence_counter(Datum presence, NodeName node)
{
	EntryTable flag;
	uint32 index;

	presence_open(&flag, presence);
	if (!node_table_find(&flag.nodes, node.name, node.length, &index))
		return 0;
	return packed_get(&flag.columns[NODE_PREFIX], index);
}

/*
 * The flag after a write at a node: with a dot of it in place of all that it
 * had, or with none.
 */
Datum
merge_presence_write(Datum presence, NodeName node, bool present)
{
	const LatticeType *lattice = &dot_store_kernel.lattice.base;
	Entry entry = {.key = "", .value = ""};
	struct varlena *known;
	HybridTime now;
	uint64 counter;
	EntryTable flag;

	/* acknowledge_removals takes it that whoever has a time has a number before */
	(void) GetTopTransactionId();
	now = shared_clock_tick();
	presence_open(&flag, presence);
	counter = Max((uint64) Max(now.nanoseconds, 1), dot_store_last_dot(&flag, &node) + 1);
	if (counter > PG_INT64_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("node \"%.*s\" has no dots left for this row", (int) node.length,
						node.name)));
	known = lattice->combine(lattice, dot_store_drop(&flag, 0, flag.nentries),
							 dot_store_knowing(node, present ? counter - 1 : counter));
	if (!present)
		return PointerGetDatum(known);
	entry_table_open(&flag, known);
	return PointerGetDatum(dot_store_put(&flag, 0, 0, entry, node, "ew_flag"));
}
