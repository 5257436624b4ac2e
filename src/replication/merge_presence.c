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
	HybridTime now;
	uint64 counter;
	EntryTable flag;
	EntryDraft draft;
	uint32 local;
	const char *name;

	/* acknowledge_removals takes it that whoever has a time has a number before */
	(void) GetTopTransactionId();
	now = shared_clock_tick();
	counter = (uint64) Max(now.nanoseconds, 1);
	presence_open(&flag, presence);
	entry_draft_init(&draft, 1);
	name = flag.nodes.names;
	for (uint32 i = 0; i < flag.nodes.nnodes; i++)
	{
		NodeEntry *entry = node_entries_add(&draft.nodes, name, flag.nodes.lengths[i]);

		name += flag.nodes.lengths[i];
		entry->counters[0] = packed_get(&flag.columns[NODE_PREFIX], i);
		if (bytes_compare(entry->name, entry->length, node.name, node.length) == 0)
			counter = Max(counter, entry->counters[0] + 1);
	}
	for (uint32 i = 0; i < flag.nranges; i++)
	{
		DotRange range = entry_table_range(&flag, i);
		NodeName owner = entry_table_node(&flag, range.node);

		if (bytes_compare(owner.name, owner.length, node.name, node.length) == 0)
			counter = Max(counter, range.last + 1);
	}
	if (counter > PG_INT64_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("node \"%.*s\" has no dots left for this row", (int) node.length,
						node.name)));
	node_entries_add(&draft.nodes, node.name, node.length)->counters[0] = counter;
	node_entries_sort(&draft.nodes, 1, NODE_DUPLICATES_JOIN, NULL);
	for (uint32 i = 0; i < flag.nranges; i++)
	{
		DotRange range = entry_table_range(&flag, i);
		NodeName owner = entry_table_node(&flag, range.node);
		uint32 index;

		if (node_entries_find(&draft.nodes, owner.name, owner.length, &index))
			entry_draft_add_range(&draft, index, range.first, range.last);
	}
	dot_store_sort_context(&draft);
	if (present && node_entries_find(&draft.nodes, node.name, node.length, &local))
	{
		Entry entry = {.key = "", .value = "", .node = local, .time = counter};

		*entry_draft_add(&draft) = entry;
	}
	return PointerGetDatum(dot_store_build(&draft));
}
