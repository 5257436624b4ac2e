/*
 * merge_purge.c
 *		purge_removed(): forget the rows that were removed, once all know of it.
 *
 * What is known of a removed row stays in the companion, for a peer may yet send what
 * it did to the row before it heard of that.  When everyone has acknowledged the
 * removal, nobody can: see merge_acknowledge.c.
 *
 * All that is kept of rows that were purged is, for each table, the greatest dot in
 * any of them, see merge_continue.c, and the last time at which this node had written
 * or removed one: a peer that has such a row must not take a new one for that.
 */
#include "core/compat.h"

#include "access/table.h"
#include "access/tableam.h"
#include "catalog/partition.h"
#include "catalog/pg_type.h"
#include "core/dot_store.h"
#include "core/query.h"
#include "core/write_stamp.h"
#include "miscadmin.h"
#include "replication/merge_catalog.h"
#include "replication/merge_ddl.h"
#include "replication/merge_join.h"
#include "replication/merge_purge.h"
#include "replication/merge_removal.h"
#include "replication/merge_shape.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

enum
{
	PURGED_TABLE,
	PURGED_DOT,
	PURGED_TIME,
	PURGED_COLUMNS
};

static const CatalogTable purged_table = {"merge_local_purged",
										  1,
										  PURGED_COLUMNS,
										  {{"table_oid", OIDOID, NULL, false},
										   {"last_dot", INT8OID, NULL, false},
										   {"last_time", INT8OID, NULL, false}}};

/* One of the numbers of a table, or 0. */
static uint64
purged_number(Oid extension, Oid table, int which)
{
	Datum values[PURGED_COLUMNS];
	bool nulls[PURGED_COLUMNS];
	MergeCatalog purged;
	int64 last = 0;

	merge_catalog_open(&purged, extension, &purged_table, AccessShareLock);
	merge_catalog_scan(&purged, GetLatestSnapshot());
	while (merge_catalog_next(&purged, values, nulls))
	{
		if (DatumGetObjectId(values[PURGED_TABLE]) == table)
			last = DatumGetInt64(values[which]);
	}
	merge_catalog_close(&purged);
	return (uint64) Max(last, 0);
}

/* The greatest dot in rows of a table that were purged, or 0. */
uint64
merge_purged_dot(Oid extension, Oid table)
{
	return purged_number(extension, table, PURGED_DOT);
}

/* The last time of this node in them, or 0. */
uint64
merge_purged_time(Oid extension, Oid table)
{
	return purged_number(extension, table, PURGED_TIME);
}

/* Remember them; sessions that have the table's rule hear of it. */
static void
purge_remember(Oid extension, Relation table, uint64 last_dot, uint64 last_time)
{
	Oid oid = RelationGetRelid(table);
	Datum values[PURGED_COLUMNS] = {ObjectIdGetDatum(oid), Int64GetDatum((int64) last_dot),
									Int64GetDatum((int64) last_time)};
	Datum there[PURGED_COLUMNS];
	bool nulls[PURGED_COLUMNS] = {false};
	MergeCatalog purged;

	if (last_dot <= merge_purged_dot(extension, oid) &&
		last_time <= merge_purged_time(extension, oid))
		return;
	merge_catalog_open(&purged, extension, &purged_table, RowExclusiveLock);
	for (;;)
	{
		if (merge_catalog_find(&purged, values, there, nulls))
		{
			for (int i = PURGED_DOT; i <= PURGED_TIME; i++)
				values[i] = Int64GetDatum(Max(DatumGetInt64(values[i]), DatumGetInt64(there[i])));
			merge_catalog_update(&purged, values, nulls);
			break;
		}
		if (merge_catalog_insert(&purged, values, nulls))
			break;
	}
	merge_catalog_close(&purged);
	/* of any table, since partitions go by it too */
	CacheInvalidateRelcacheAll();
}

/* Refuse what is no merged table, or none that may be purged. */
static void
purge_check_table(Relation table, Oid extension)
{
	MergeShape shape;

	merge_shape_read(&shape, table, extension);
	if (shape.removed_trigger != NULL)
	{
		Oid merged = merge_shape_companion_of(shape.table, extension);

		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a merged table", shape.name),
				 OidIsValid(merged) ? errhint("It holds the removed rows of %s: purge that.",
											  merge_table_name(merged))
									: errhint("merge_status() lists those there are.")));
	}
	if (shape.row_trigger == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a merged table", shape.name),
				 errhint("Only the rows of tables for which enable_merge was called are removed in "
						 "a way that needs purging.")));
	if (table->rd_rel->relispartition)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is a partition of a merged table", shape.name),
				 errhint("Purge the whole table, %s.",
						 merge_table_name(llast_oid(get_partition_ancestors(shape.table))))));
	if (shape.table == extension_table(extension, "merge_nodes"))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("nodes that were removed are not purged"),
				 errdetail(
					 "They are how a server knows that a name of it must not be used again.")));
}

/* Which dots have been used in a row that is purged? */
static uint64
purge_last_dot(const MergeRule *rule, const RowValues *row)
{
	uint64 last = 0;

	for (int i = 0; i < rule->ncolumns; i++)
	{
		const MergeColumn *column = &rule->columns[i];
		EntryTable store;

		if (column->kind != MERGE_COLUMN_LATTICE || column->counting != COUNTS_BY_DOT ||
			row->nulls[i])
			continue;
		entry_table_open(&store, PG_DETOAST_DATUM_PACKED(row->values[i]));
		last = Max(last, dot_store_last_dot(&store, NULL));
	}
	return last;
}

/* Up to when has this node had a part in a row that is purged? */
static uint64
purge_last_time(const RowStamp *stamp)
{
	const char *name = node_name_setting();
	NodeName node;
	bool found = false;
	uint32 index = 0;

	if (name != NULL)
	{
		node.name = name;
		node.length = strlen(name);
		index = row_stamp_find_node(stamp, node, &found);
	}
	return found ? stamp->nodes[index].context : 0;
}

PG_FUNCTION_INFO_V1(purge_removed);
Datum
purge_removed(PG_FUNCTION_ARGS)
{
	Oid extension = extension_namespace(fcinfo);
	Oid oid = PG_GETARG_OID(0);
	NodeTable stable;
	MergeRule *rule;
	MergeRemovals removals;
	Relation table;
	RowValues row;
	int64 purged = 0;
	uint64 last_dot = 0;
	uint64 last_time = 0;

	if (!has_privs_of_role(GetUserId(), query_table_owner(oid)))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of table %s", get_rel_name(oid))));
	PreventCommandIfReadOnly("purge_removed()");
	table = table_open(oid, AccessShareLock);
	purge_check_table(table, extension);
	rule = merge_rule_get(table, extension);
	node_table_open(&stable, PG_GETARG_VARLENA_PP(1), 1);
	merge_removals_open(&removals, rule);
	while (merge_removals_next(&removals, &row))
	{
		RowStamp stamp;
		NodeTable seen;
		PartialOrder order;

		row_stamp_open(&stamp, row_stamp_of(rule, &row));
		node_table_open(&seen, row_stamp_context(&stamp), 1);
		order = node_table_order(&seen, &stable);
		if (row_stamp_present(&stamp) || (order != ORDER_BEFORE && order != ORDER_EQUAL))
			continue;
		last_dot = Max(last_dot, purge_last_dot(rule, &row));
		last_time = Max(last_time, purge_last_time(&stamp));
		purged += merge_removals_delete(&removals);
	}
	merge_removals_close(&removals);
	purge_remember(extension, table, last_dot, last_time);
	table_close(table, NoLock);
	PG_RETURN_INT64(purged);
}
