/*
 * merge_nodes.c
 *		The servers that merge one another's rows, and what each has seen.
 *
 * The table merge_nodes has a row for each server, with its vector clock "seen", which
 * counts nanoseconds: up to which times it has the others' rows.  It is a merged table
 * in every publication, so what a server says of itself comes the way of the rows of
 * which it says it.  Its companion has the names that are not to be used any more, and
 * is never purged: that is how a server hears of it.
 *
 * What a server keeps for itself is not published: merge_local.c.
 *
 * Functions write these tables for callers who may not, so what they write is theirs to
 * decide, and no code of anybody else runs: merge_catalog.c.
 */
#include "core/compat.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "core/query.h"
#include "core/write_stamp.h"
#include "replication/merge_catalog.h"
#include "replication/merge_nodes.h"
#include "replication/merge_time.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

enum
{
	NODES_NODE,
	NODES_SEEN,
	NODES_STAMP,
	NODES_COLUMNS
};

static const CatalogTable nodes_table = {"merge_nodes",
										 1,
										 NODES_COLUMNS,
										 {{"node", TEXTOID, NULL, false},
										  {"seen", InvalidOid, "vclock", false},
										  {"_merge", InvalidOid, "row_stamp", false}}};

static const CatalogTable removed_table = {"merge_nodes_removed",
										   1,
										   NODES_COLUMNS,
										   {{"node", TEXTOID, NULL, false},
											{"seen", InvalidOid, "vclock", true},
											{"_merge", InvalidOid, "row_stamp", false}}};

/*
 * Reading
 */

static NodeName
nodes_name(Datum value)
{
	text *name = DatumGetTextPP(value);
	NodeName node = {VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name)};

	return node;
}

/* Is a value of a column "node" this name? */
bool
merge_node_is(Datum value, const char *node)
{
	NodeName name = nodes_name(value);

	return name.length == strlen(node) && memcmp(name.name, node, name.length) == 0;
}

/*
 * All nodes that are present, and those that were removed as well, if asked for, as a
 * query sees them.  What a node that was removed had seen may be missing.
 */
void
merge_nodes_each(Oid extension, bool removed, NodeVisitor visit, void *state)
{
	for (int which = 0; which <= (removed ? 1 : 0); which++)
	{
		Datum values[NODES_COLUMNS];
		bool nulls[NODES_COLUMNS];
		MergeCatalog nodes;

		merge_catalog_open(&nodes, extension, which == 0 ? &nodes_table : &removed_table,
						   AccessShareLock);
		merge_catalog_scan(&nodes, GetActiveSnapshot());
		while (merge_catalog_next(&nodes, values, nulls))
			visit(state, nodes_name(values[NODES_NODE]), which == 1,
				  nulls[NODES_SEEN] ? NULL : PG_DETOAST_DATUM_PACKED(values[NODES_SEEN]),
				  PG_DETOAST_DATUM_PACKED(values[NODES_STAMP]));
		merge_catalog_close(&nodes);
	}
}

/* The row of a name in one of the two tables; "seen" is the caller's to keep. */
static bool
nodes_read(Oid extension, const CatalogTable *definition, const char *node, struct varlena **seen)
{
	Datum values[NODES_COLUMNS];
	bool nulls[NODES_COLUMNS];
	MergeCatalog nodes;
	bool found = false;

	merge_catalog_open(&nodes, extension, definition, AccessShareLock);
	merge_catalog_scan(&nodes, GetLatestSnapshot());
	while (!found && merge_catalog_next(&nodes, values, nulls))
	{
		found = merge_node_is(values[NODES_NODE], node);
		if (found && seen)
			*seen = PG_DETOAST_DATUM_COPY(values[NODES_SEEN]);
	}
	merge_catalog_close(&nodes);
	return found;
}

/* What is known of a name by now. */
NodeStanding
merge_node_standing(Oid extension, const char *node)
{
	if (nodes_read(extension, &nodes_table, node, NULL))
		return NODE_PRESENT;
	return nodes_read(extension, &removed_table, node, NULL) ? NODE_REMOVED : NODE_UNKNOWN;
}

/* Up to when has a node told that it has all of its own rows?  0 if it has not. */
uint64
merge_node_closed(Oid extension, const char *node)
{
	struct varlena *seen;
	NodeTable table;

	if (!nodes_read(extension, &nodes_table, node, &seen))
		return 0;
	node_table_open(&table, seen, 1);
	return node_table_get(&table, node, strlen(node), 0);
}

static void
nodes_meet(void *state, NodeName node, bool removed, const struct varlena *seen,
		   const struct varlena *stamp)
{
	struct varlena **stable = state;
	Size size = VARSIZE_ANY(seen);

	if (*stable)
	{
		NodeTable a;
		NodeTable b;

		node_table_open(&a, *stable, 1);
		node_table_open(&b, seen, 1);
		*stable = node_table_combine(&a, &b, NODE_MEET);
		return;
	}
	*stable = palloc(size);
	memcpy(*stable, seen, size);
}

/* Up to when everyone has seen all rows: a vclock. */
struct varlena *
merge_nodes_stable(Oid extension)
{
	struct varlena *stable = NULL;

	merge_nodes_each(extension, false, nodes_meet, &stable);
	if (stable == NULL)
	{
		NodeEntries nobody;

		node_entries_init(&nobody, 0);
		stable = node_table_write(&nobody, 1, 0);
	}
	return stable;
}

PG_FUNCTION_INFO_V1(stable_removals);
Datum
stable_removals(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(merge_nodes_stable(extension_namespace(fcinfo)));
}

/*
 * Writing
 */

/* Who writes is the node that this server is. */
static NodeName
nodes_writer(void)
{
	NodeName node = {node_name_local(), strlen(node_name_local())};

	return node;
}

/*
 * Was the name of a row that has just been inserted removed meanwhile?  Whoever does
 * so has not seen the row; we see the removal, when its transaction has ended.
 */
static void
node_insert_undo(MergeCatalog *nodes, Oid extension, const Datum *key)
{
	Datum values[NODES_COLUMNS];
	bool nulls[NODES_COLUMNS];
	MergeCatalog removed;

	merge_catalog_open(&removed, extension, &removed_table, RowExclusiveLock);
	if (merge_catalog_find(&removed, key, values, nulls) &&
		merge_catalog_find(nodes, key, values, nulls))
		merge_catalog_delete(nodes);
	merge_catalog_close(&removed);
}

/* Make a node known, unless its name was removed: that must not be revived. */
void
merge_node_insert(Oid extension, const char *node)
{
	Datum values[NODES_COLUMNS];
	bool nulls[NODES_COLUMNS] = {false};
	NodeEntries nothing;
	MergeCatalog nodes;
	RowStamp stamp;

	if (merge_node_standing(extension, node) != NODE_UNKNOWN)
		return;
	node_entries_init(&nothing, 0);
	row_stamp_init(&stamp, 1, 0);
	row_stamp_write(&stamp, nodes_writer(), merge_time_of_write(0));
	values[NODES_NODE] = CStringGetTextDatum(node);
	values[NODES_SEEN] = PointerGetDatum(node_table_write(&nothing, 1, 0));
	values[NODES_STAMP] = PointerGetDatum(row_stamp_close(&stamp));
	merge_catalog_open(&nodes, extension, &nodes_table, RowExclusiveLock);
	if (merge_catalog_insert(&nodes, values, nulls))
		node_insert_undo(&nodes, extension, values);
	merge_catalog_close(&nodes);
}

/* A node has seen more; returns all that it has seen, or NULL if it is not known. */
struct varlena *
merge_node_see(Oid extension, const char *node, const struct varlena *more)
{
	Datum key = CStringGetTextDatum(node);
	Datum values[NODES_COLUMNS];
	bool nulls[NODES_COLUMNS];
	struct varlena *seen = NULL;
	MergeCatalog nodes;

	merge_catalog_open(&nodes, extension, &nodes_table, RowExclusiveLock);
	if (merge_catalog_find(&nodes, &key, values, nulls))
	{
		NodeTable before;
		NodeTable now;
		PartialOrder order;

		node_table_open(&before, PG_DETOAST_DATUM_PACKED(values[NODES_SEEN]), 1);
		node_table_open(&now, more, 1);
		seen = node_table_combine(&before, &now, NODE_JOIN);
		order = node_table_order(&now, &before);
		if (order != ORDER_BEFORE && order != ORDER_EQUAL)
		{
			RowStamp stamp;

			row_stamp_open(&stamp, PG_DETOAST_DATUM_PACKED(values[NODES_STAMP]));
			row_stamp_touch(&stamp, nodes_writer(), merge_time_of_write(row_stamp_latest(&stamp)));
			values[NODES_SEEN] = PointerGetDatum(seen);
			values[NODES_STAMP] = PointerGetDatum(row_stamp_close(&stamp));
			merge_catalog_update(&nodes, values, nulls);
		}
	}
	merge_catalog_close(&nodes);
	return seen;
}

/* A name is not to be used any more. */
void
merge_node_remove(Oid extension, const char *node)
{
	Datum key = CStringGetTextDatum(node);
	Datum values[NODES_COLUMNS];
	bool nulls[NODES_COLUMNS];
	MergeCatalog nodes;

	merge_catalog_open(&nodes, extension, &nodes_table, RowExclusiveLock);
	if (merge_catalog_find(&nodes, &key, values, nulls))
	{
		Datum kept[NODES_COLUMNS];
		MergeCatalog removed;
		RowStamp stamp;

		row_stamp_open(&stamp, PG_DETOAST_DATUM_PACKED(values[NODES_STAMP]));
		row_stamp_remove(&stamp, nodes_writer(), merge_time_of_removal(row_stamp_latest(&stamp)));
		kept[NODES_NODE] = key;
		kept[NODES_SEEN] = PointerGetDatum(PG_DETOAST_DATUM_COPY(values[NODES_SEEN]));
		kept[NODES_STAMP] = PointerGetDatum(row_stamp_close(&stamp));
		merge_catalog_delete(&nodes);
		merge_catalog_open(&removed, extension, &removed_table, RowExclusiveLock);
		(void) merge_catalog_insert(&removed, kept, nulls);
		merge_catalog_close(&removed);
	}
	merge_catalog_close(&nodes);
}
