/*
 * merge_purge.c
 *		purge_removed(): free the rows that were removed, once all know of it.
 *
 * A removed row stays, for a peer may yet send what it did to the row before it
 * heard of that.  When everyone has acknowledged the removal, nobody can: see
 * merge_nodes.c.
 */
#include "core/compat.h"

#include "access/table.h"
#include "commands/trigger.h"
#include "core/query.h"
#include "miscadmin.h"
#include "replication/merge_intent.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

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

PG_FUNCTION_INFO_V1(purge_removed);
Datum
purge_removed(PG_FUNCTION_ARGS)
{
	Oid extension = extension_namespace(fcinfo);
	Oid oid = PG_GETARG_OID(0);
	Datum stable = PG_GETARG_DATUM(1);
	Oid stable_type = extension_type(extension, "vclock");
	const char *schema = extension_schema(fcinfo);
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
	purged = merge_intent_run(INTENT_PASS, table, plan, &stable, NULL, NULL);
	query_finish();
	table_close(table, NoLock);
	PG_RETURN_INT64((int64) purged);
}
