/*
 * merge_row.c
 *		The triggers of a merged table and of its companion.
 *
 *		~merge_row		before a row of the table is inserted or updated, last of
 *						the BEFORE triggers: merge_arrive.c, merge_write.c
 *		~merge_after	after a row of the table was inserted or deleted here:
 *						merge_removal.c
 *		~merge_removed	before a row of the companion is written: merge_removal.c
 *		~merge_truncate	before either is truncated
 *
 * A row arrives if its hidden column has the mark with which walsenders send it, and
 * if we are where rows that arrive are applied, in the role "replica".  Either alone
 * is not enough: what that role's session writes on its own, as a trigger does that
 * fires where a row arrives, is written here; and the mark is anybody's to write.  The
 * mark ends here.  A row that has it still when its constraints are checked has passed
 * by the trigger, which somebody has disabled: "~merge_arrivals" refuses it.
 */
#include "core/compat.h"

#include "access/htup_details.h"
#include "commands/trigger.h"
#include "core/entry_table.h"
#include "core/query.h"
#include "miscadmin.h"
#include "replication/merge_arrive.h"
#include "replication/merge_removal.h"
#include "replication/merge_rule.h"
#include "replication/merge_shape.h"
#include "replication/merge_write.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

static TriggerData *
trigger_data(FunctionCallInfo fcinfo, const char *function, bool before)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		!(before ? TRIGGER_FIRED_BEFORE(trigger->tg_event)
				 : TRIGGER_FIRED_AFTER(trigger->tg_event)))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be called as a trigger %s a row is written", function,
						before ? "before" : "after"),
				 errhint("enable_merge makes the triggers of a merged table.")));
	return trigger;
}

/* Does a row arrive?  Whoever writes the mark himself is told. */
static bool
row_arrives(Relation table, const struct varlena *stamp)
{
	if ((row_stamp_marks(stamp) & STAMP_ARRIVES) == 0)
		return false;
	if (SessionReplicationRole != SESSION_REPLICATION_ROLE_REPLICA)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("a row of \"%s\" has the mark of one that arrives from another server",
						RelationGetRelationName(table)),
				 errdetail("Only logical replication brings such rows."),
				 errhint("Leave the column \"%s\" out.", MERGE_STAMP_COLUMN)));
	return true;
}

PG_FUNCTION_INFO_V1(merge_row);
Datum
merge_row(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_data(fcinfo, "merge_row", true);
	Relation table = trigger->tg_relation;
	MergeRule *rule = merge_rule_get(table, extension_namespace(fcinfo));
	HeapTuple result;
	RowValues row;
	RowValues there;

	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
	{
		row_values_open(&row, trigger->tg_trigtuple, RelationGetDescr(table));
		if (row_arrives(table, row_stamp_of(rule, &row)))
		{
			merge_arrive_insert(trigger, rule, &row);
			result = NULL;
		}
		else
			result = merge_write_insert(trigger, rule, &row);
	}
	else if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
	{
		row_values_open(&row, trigger->tg_newtuple, RelationGetDescr(table));
		row_values_open(&there, trigger->tg_trigtuple, RelationGetDescr(table));
		if (row_arrives(table, row_stamp_of(rule, &row)))
			result = merge_arrive_update(trigger, rule, &row, &there);
		else
			result = merge_write_update(trigger, rule, &row, &there);
	}
	else
		result = trigger->tg_trigtuple;
	PG_RETURN_POINTER(result);
}

PG_FUNCTION_INFO_V1(merge_after);
Datum
merge_after(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_data(fcinfo, "merge_after", false);
	Relation table = trigger->tg_relation;
	MergeRule *rule = merge_rule_get(table, extension_namespace(fcinfo));
	RowValues row;

	row_values_open(&row, trigger->tg_trigtuple, RelationGetDescr(table));
	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		merge_removal_inserted(rule, table, &row);
	else if (TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
		merge_removal_deleted(rule, table, &row);
	PG_RETURN_POINTER(NULL);
}

/* Where nothing arrives, only the owner writes a companion, who restores it. */
static void
refuse_companion_write(const TriggerData *trigger)
{
	Relation companion = trigger->tg_relation;

	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event) &&
		compat_owns_table(RelationGetRelid(companion), GetUserId()))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("rows of \"%s\" are written by merging only",
					RelationGetRelationName(companion)),
			 errdetail("It holds the removed rows of a merged table."),
			 TRIGGER_FIRED_BY_DELETE(trigger->tg_event)
				 ? errhint("purge_removed() deletes those that all servers have seen.")
				 : errhint("Write the table itself.")));
}

PG_FUNCTION_INFO_V1(merge_removed);
Datum
merge_removed(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_data(fcinfo, "merge_removed", true);
	Relation companion = trigger->tg_relation;
	Oid extension = extension_namespace(fcinfo);
	Oid table = merge_rule_companion_of(companion, extension);
	AttrNumber stamp = get_attnum(RelationGetRelid(companion), MERGE_STAMP_COLUMN);
	bool isnull = true;
	Datum value = (Datum) 0;

	if (!OidIsValid(table) || stamp == InvalidAttrNumber ||
		TupleDescAttr(RelationGetDescr(companion), stamp - 1)->atttypid !=
			extension_type(extension, "row_stamp"))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" is the companion of no merged table",
						RelationGetRelationName(companion)),
				 errhint("Call enable_merge again for the table whose removed rows it holds.")));
	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		value = heap_getattr(trigger->tg_trigtuple, stamp, RelationGetDescr(companion), &isnull);
	if (!isnull && row_arrives(companion, PG_DETOAST_DATUM_PACKED(value)))
	{
		merge_removal_arrive(companion, table, extension, trigger->tg_trigtuple);
		PG_RETURN_POINTER(NULL);
	}
	refuse_companion_write(trigger);
	PG_RETURN_POINTER(trigger->tg_trigtuple);
}

PG_FUNCTION_INFO_V1(merge_truncate);
Datum
merge_truncate(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"merge_truncate\" must be called as a trigger")));
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("merged table \"%s\" cannot be truncated",
					RelationGetRelationName(trigger->tg_relation)),
			 errdetail("The peers would bring the rows back."),
			 errhint("Use DELETE, which travels, and purge_removed when all servers have seen it; "
					 "or call disable_merge first.")));
	PG_RETURN_NULL();
}

/* The constraint of merged tables. */
PG_FUNCTION_INFO_V1(merge_row_is_merged);
Datum
merge_row_is_merged(PG_FUNCTION_ARGS)
{
	if (!PG_ARGISNULL(0) && row_stamp_marks(PG_GETARG_VARLENA_PP(0)) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("a row has arrived at a merged table, and was not merged"),
				 errdetail("The trigger \"%s\" is missing, or not enabled for rows that arrive, as "
						   "after ALTER TABLE ... ENABLE TRIGGER USER.",
						   MERGE_ROW_TRIGGER),
				 errhint("Call enable_merge again; merge_status() tells for which table.")));
	PG_RETURN_BOOL(true);
}

/* Of the hidden column of version 1.0. */
PG_FUNCTION_INFO_V1(merge_row_is_present);
Datum
merge_row_is_present(PG_FUNCTION_ARGS)
{
	EntryTable flag;

	entry_table_open(&flag, PG_GETARG_VARLENA_PP(0));
	PG_RETURN_BOOL(flag.nentries > 0 || (flag.nodes.nnodes == 0 && flag.nranges == 0));
}
