/*
 * merge_purge.c
 *		purge_removed(): free the rows that were removed, once all know of it.
 *
 * A removed row stays, for a peer may yet send what it did to the row before it
 * heard of that.  When everyone has acknowledged the removal, nobody can: see
 * merge_nodes.c.
 *
 * All that is kept of rows that were purged is one number for each table, the
 * greatest dot in any of them: see merge_continue.c.
 */
#include "core/compat.h"

#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "core/query.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "replication/merge_intent.h"
#include "replication/merge_purge.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* Refuse what is no merged table, or none that may be purged. */
static void
purge_check_table(Relation table, Oid extension)
{
	Oid function = extension_trigger_function(extension, "merge_row");
	TriggerDesc *triggers = table->trigdesc;
	bool merged = false;

	for (int i = 0; triggers && i < triggers->numtriggers; i++)
		merged = merged || triggers->triggers[i].tgfoid == function;
	if (!merged)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a merged table", RelationGetRelationName(table)),
				 errhint("Only the rows of tables for which enable_merge was called are removed in "
						 "a way that needs purging.")));
	if (RelationGetRelid(table) == extension_table(extension, "merge_nodes"))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("nodes that were removed are not purged"),
				 errdetail(
					 "They are how a server knows that a name of it must not be used again.")));
}

/* The greatest dot in rows of a table that were purged, or 0. */
uint64
merge_purged_dot(Oid extension, Oid table)
{
	Relation purged = table_open(extension_table(extension, "merge_local_purged"), AccessShareLock);
	Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
	TableScanDesc scan = table_beginscan(purged, snapshot, 0, NULL);
	TupleTableSlot *row = table_slot_create(purged, NULL);
	TupleDesc desc = RelationGetDescr(purged);
	int64 last = 0;

	if (desc->natts < 2 || TupleDescAttr(desc, 0)->atttypid != OIDOID ||
		TupleDescAttr(desc, 1)->atttypid != INT8OID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("table \"%s\" has been altered", RelationGetRelationName(purged))));
	while (table_scan_getnextslot(scan, ForwardScanDirection, row))
	{
		bool isnull;

		if (DatumGetObjectId(slot_getattr(row, 1, &isnull)) == table && !isnull)
			last = DatumGetInt64(slot_getattr(row, 2, &isnull));
	}
	ExecDropSingleTupleTableSlot(row);
	table_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(purged, AccessShareLock);
	return (uint64) Max(last, 0);
}

/* Remember it; sessions that have the table's rule hear of it. */
static void
purge_remember(Oid extension, Oid table, uint64 last)
{
	QueryArguments arguments = {0};
	QueryCaller caller;

	if (last <= merge_purged_dot(extension, table))
		return;
	query_connect_as_owner(&caller, extension_table(extension, "merge_local_purged"));
	query_argument(&arguments, OIDOID, ObjectIdGetDatum(table), false);
	query_argument(&arguments, INT8OID, Int64GetDatum((int64) last), false);
	query_run(psprintf("INSERT INTO %s.merge_local_purged AS p (table_oid, last_dot) "
					   "VALUES ($1, $2) ON CONFLICT (table_oid) DO UPDATE "
					   "SET last_dot = GREATEST(p.last_dot, EXCLUDED.last_dot)",
					   quote_identifier(get_namespace_name(extension))),
			  &arguments);
	query_finish_as_owner(&caller);
	CacheInvalidateRelcacheByRelid(table);
}

PG_FUNCTION_INFO_V1(purge_removed);
Datum
purge_removed(PG_FUNCTION_ARGS)
{
	Oid extension = extension_namespace(fcinfo);
	Oid oid = PG_GETARG_OID(0);
	Datum stable = PG_GETARG_DATUM(1);
	Oid stable_type = extension_type(extension, "vclock");
	const char *schema = extension_schema(fcinfo);
	MergeArrival seen = {0};
	Relation table;
	SPIPlanPtr plan;
	uint64 purged;

	if (!has_privs_of_role(GetUserId(), query_table_owner(oid)))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of table %s", get_rel_name(oid))));
	table = table_open(oid, RowExclusiveLock);
	purge_check_table(table, extension);
	query_connect();
	plan = SPI_prepare(psprintf("DELETE FROM ONLY %s WHERE NOT %s.is_present(_merge_presence) "
								"AND %s.context(_merge_presence) OPERATOR(%s.<@) $1",
								quote_qualified_identifier(get_namespace_name(
															   RelationGetNamespace(table)),
														   RelationGetRelationName(table)),
								schema, schema, schema),
					   1, &stable_type);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare returned %s", SPI_result_code_string(SPI_result));
	purged = merge_intent_run(INTENT_PURGE, table, plan, &stable, NULL, &seen);
	query_finish();
	purge_remember(extension, oid, seen.last_dot);
	table_close(table, NoLock);
	PG_RETURN_INT64((int64) purged);
}
