/*
 * merge_own.c
 *		Does what arrives tell writes of this node that it has not made?
 *
 * Then this server was restored from an old copy, or two servers have one name: what
 * it writes from now on its peers take for what they know, and drop.  Nobody but a
 * node makes its dots and counts, and what it has made it has: so whatever arrives
 * and claims more of this node than the same row has here proves it.
 */
#include "core/compat.h"

#include "core/dot_store.h"
#include "core/node_table.h"
#include "miscadmin.h"
#include "replication/merge_counts.h"
#include "replication/merge_nodes.h"
#include "replication/merge_own.h"
#include "replication/merge_write.h"
#include "utils/timestamp.h"

/* Reports are this far apart, at least. */
#define REPORT_INTERVAL_MS 60000

/* Tell, now and then, that this server has made writes that it does not know. */
static void
report_own(const MergeRule *rule, Relation table, NodeName node, const RowValues *row)
{
	static TimestampTz reported = 0;
	TimestampTz now = GetCurrentTimestamp();

	merge_counts_add(rule->root, MERGE_OWN_DOTS);
	if (reported != 0 && !TimestampDifferenceExceeds(reported, now, REPORT_INTERVAL_MS))
		return;
	reported = now;
	ereport(WARNING,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("a row of table \"%s\" brings writes of this node, \"%.*s\", that this server "
					"has not made",
					RelationGetRelationName(table), (int) node.length, node.name),
			 errdetail("Row %s. The server was restored from an old copy, or two servers have one "
					   "name. What it writes as \"%.*s\" from now on may be lost.",
					   merge_key_text(rule, row), (int) node.length, node.name),
			 errhint("Call new_incarnation(), which gives the server a name of its own.")));
}

/* How much of what a node has counted does a column know? */
static uint64
column_knows(const MergeColumn *column, const RowValues *row, int which, NodeName node)
{
	struct varlena *value;
	NodeTable table;

	if (row == NULL || row->nulls[which])
		return 0;
	value = PG_DETOAST_DATUM_PACKED(row->values[which]);
	if (column->counting == COUNTS_BY_DOT)
	{
		EntryTable store;

		entry_table_open(&store, value);
		return dot_store_last_dot(&store, &node);
	}
	if (column->counting == COUNTS_BY_NODE)
	{
		node_table_open(&table, value, 1);
		return node_table_get(&table, node.name, node.length, 0);
	}
	node_table_open(&table, value, 2);
	return node_table_get(&table, node.name, node.length, 0) +
		node_table_get(&table, node.name, node.length, 1);
}

static uint64
stamp_knows(const MergeRule *rule, const RowValues *row, NodeName node)
{
	RowStamp stamp;
	bool found;
	uint32 index;

	row_stamp_open(&stamp, row_stamp_of(rule, row));
	index = row_stamp_find_node(&stamp, node, &found);
	return found ? stamp.nodes[index].context : 0;
}

/*
 * A row, or a removal, arrives; "there" is what is there of its key, or NULL.  Where
 * nothing is, what was purged here may come back with what it had.
 */
void
merge_own_check(MergeRule *rule, Relation table, const RowValues *row, const RowValues *there)
{
	const char *name = node_name_setting();
	NodeName node;
	uint64 claimed;

	if (name == NULL)
		return;
	node.name = name;
	node.length = strlen(name);
	claimed = stamp_knows(rule, row, node);
	if (there == NULL)
	{
		if (claimed > 0 && claimed > merge_node_closed(rule->extension, name))
			report_own(rule, table, node, row);
		return;
	}
	if (rule->permanent)
		return; /* what nodes have seen of this one is not for it to know */
	if (claimed > stamp_knows(rule, there, node))
	{
		/* it may tell of a removal that was purged here, with what had been counted till then */
		if (claimed > merge_node_closed(rule->extension, name))
			report_own(rule, table, node, row);
		return;
	}
	for (int i = 0; i < rule->ncolumns; i++)
	{
		const MergeColumn *column = &rule->columns[i];

		if (column->kind == MERGE_COLUMN_LATTICE && column->counting >= COUNTS_BY_NODE &&
			!row_same(rule, row, there, i) &&
			column_knows(column, row, i, node) > column_knows(column, there, i, node))
		{
			report_own(rule, table, node, row);
			return;
		}
	}
}
