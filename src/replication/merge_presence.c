/*
 * merge_presence.c
 *		Presence of rows of version 1.0.
 *
 * There it was an enable-wins flag, a dot store of one element, with at most one live
 * dot of each node, and a context without gaps: what a row stamp keeps of it.
 */
#include "core/compat.h"

#include "core/entry_table.h"
#include "replication/merge_presence.h"

/* What a flag of presence says of each node: of its dots there, the last. */
void
merge_presence_read(RowStamp *stamp, const EntryTable *flag)
{
	EntryCursor cursor;

	row_stamp_init(stamp, flag->nodes.nnodes, 0);
	for (uint32 i = 0; i < flag->nodes.nnodes; i++)
	{
		StampNode *node = &stamp->nodes[stamp->nnodes++];

		node->node = entry_table_node(flag, i);
		node->context = Min(packed_get(&flag->columns[NODE_PREFIX], i), STAMP_MAX);
		node->live = 0;
	}
	entry_cursor_open(&cursor, flag);
	while (entry_cursor_next(&cursor))
	{
		StampNode *node = &stamp->nodes[cursor.entry.node];

		if (cursor.entry.time <= STAMP_MAX)
			node->live = Max(node->live, cursor.entry.time);
		node->context = Max(node->context, node->live);
	}
}

/* A stamp that says no more. */
struct varlena *
merge_presence_stamp(const struct varlena *flag)
{
	EntryTable presence;
	RowStamp stamp;

	entry_table_open(&presence, flag);
	merge_presence_read(&stamp, &presence);
	return row_stamp_close(&stamp);
}
