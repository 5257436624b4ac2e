/*
 * merge_table.c
 *		enable_merge, disable_merge and merge_status: making tables merged ones.
 *
 * There is no registry of merged tables.  A table is one if it has our triggers,
 * whose arguments are its rules; with two hidden columns and a view, these are
 * all there is, and each is dumped, restored, renamed and dropped with its table.
 *
 * What is already there is left as it is, so enable_merge may be called again
 * after every change of the table.
 *
 * Definitions are changed as the caller, who must own the table; rows as the
 * table's owner, for that may run code of his (see merge_intent.c).
 */
#include "core/compat.h"

#include "access/relation.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "core/node_name.h"
#include "core/query.h"
#include "core/shared_clock.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "replication/merge_check.h"
#include "replication/merge_counts.h"
#include "replication/merge_intent.h"
#include "replication/merge_live.h"
#include "replication/merge_shape.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* How rows of a table are to be merged. */
typedef struct MergeOptions
{
	const char *plain_columns;
	const char *concurrent_update;
} MergeOptions;

static void
merge_run(const char *sql)
{
	QueryArguments none = {0};

	query_run(sql, &none);
}

/* One of two words. */
static const char *
merge_rule_argument(FunctionCallInfo fcinfo, int number, const char *what, const char *one,
					const char *other)
{
	char *value = text_to_cstring(PG_GETARG_TEXT_PP(number));

	if (strcmp(value, one) != 0 && strcmp(value, other) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be \"%s\" or \"%s\", not \"%s\"", what, one, other, value)));
	return value;
}

/*
 * The table, locked so that nobody else reads or writes it until the transaction
 * ends; its owner only gets that far.
 */
static Relation
merge_table_open(Oid oid, bool any_kind)
{
	Relation table = NULL;

	if (get_rel_relkind(oid) != '\0')
	{
		if (!compat_owns_table(oid, GetUserId()))
			aclcheck_error(ACLCHECK_NOT_OWNER, get_relkind_objtype(get_rel_relkind(oid)),
						   get_rel_name(oid));
		if (!any_kind)
			merge_check_kind(oid);
		table = try_relation_open(oid, AccessExclusiveLock);
	}
	if (table == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table with OID %u does not exist", oid)));
	if (!compat_owns_table(oid, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, RelationGetRelationName(table));
	return table;
}

/* The extension's own tables are merged whether or not others are. */
static bool
merge_belongs_to_extension(Oid table)
{
	return OidIsValid(getExtensionOfObject(RelationRelationId, table));
}

/*
 * Columns
 */

/* Rows that are there already were made here, all of them at this moment. */
static char *
merge_first_presence(void)
{
	int64 now = Max(shared_clock_tick().nanoseconds, 1);
	StringInfoData node;

	initStringInfo(&node);
	escape_json(&node, node_name_local());
	return psprintf("{\"enabled\": [[%s, " INT64_FORMAT "]], \"context\": {%s: " INT64_FORMAT "}}",
					node.data, now, node.data, now);
}

/* Make a hidden column; rows that are there get "value", without being rewritten. */
static void
merge_add_column(const MergeShape *shape, const char *column, const char *type, const char *value,
				 const char *comment)
{
	const char *schema = quote_identifier(get_namespace_name(shape->extension));

	merge_run(psprintf("ALTER TABLE %s ADD COLUMN %s %s.%s NOT NULL DEFAULT %s", shape->qualified,
					   column, schema, type, quote_literal_cstr(value)));
	merge_run(psprintf("COMMENT ON COLUMN %s.%s IS %s", shape->qualified, column,
					   quote_literal_cstr(comment)));
}

static void
merge_prepare_columns(const MergeShape *shape, bool stamped)
{
	if (shape->presence == 0)
		merge_add_column(shape, MERGE_PRESENCE_COLUMN, "ew_flag", merge_first_presence(),
						 "of a merged table: is the row there, or was it removed?");
	if (stamped && shape->stamps == 0)
		merge_add_column(shape, MERGE_STAMPS_COLUMN, "lww_map", "{}",
						 "of a merged table: when and where each plain column was written last");
	merge_run(psprintf("ALTER TABLE %s ALTER COLUMN " MERGE_PRESENCE_COLUMN " SET DEFAULT '{}', "
					   "ALTER COLUMN " MERGE_PRESENCE_COLUMN " SET NOT NULL",
					   shape->qualified));
	if (stamped)
		merge_run(psprintf("ALTER TABLE %s ALTER COLUMN " MERGE_STAMPS_COLUMN " SET DEFAULT '{}', "
						   "ALTER COLUMN " MERGE_STAMPS_COLUMN " SET NOT NULL",
						   shape->qualified));
}

/*
 * Triggers
 */

static void
merge_drop_trigger(const MergeShape *shape, const Trigger *trigger)
{
	merge_run(
		psprintf("DROP TRIGGER %s ON %s", quote_identifier(trigger->tgname), shape->qualified));
}

static void
merge_create_trigger(const MergeShape *shape, const char *name, const char *when, const char *call)
{
	merge_run(psprintf("CREATE TRIGGER \"%s\" BEFORE %s EXECUTE FUNCTION %s.%s", name, when,
					   quote_identifier(get_namespace_name(shape->extension)), call));
	merge_run(psprintf("ALTER TABLE %s ENABLE ALWAYS TRIGGER \"%s\"", shape->qualified, name));
}

/* Is a trigger what we would make it? */
static bool
merge_trigger_stands(const Trigger *trigger, const char *name)
{
	return trigger && strcmp(trigger->tgname, name) == 0 &&
		trigger->tgenabled == TRIGGER_FIRES_ALWAYS;
}

static void
merge_prepare_triggers(const MergeShape *shape, const MergeOptions *options)
{
	const Trigger *row = shape->row_trigger;
	const Trigger *truncate = shape->truncate_trigger;
	bool row_stands = merge_trigger_stands(row, MERGE_ROW_TRIGGER) &&
		strcmp(row->tgargs[0], options->plain_columns) == 0 &&
		strcmp(row->tgargs[1], options->concurrent_update) == 0;
	bool truncate_stands = merge_trigger_stands(truncate, MERGE_TRUNCATE_TRIGGER);

	if (row && !row_stands)
		merge_drop_trigger(shape, row);
	if (truncate && !truncate_stands)
		merge_drop_trigger(shape, truncate);
	if (!row_stands)
		merge_create_trigger(shape, MERGE_ROW_TRIGGER,
							 psprintf("INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW",
									  shape->qualified),
							 psprintf("merge_row('%s', '%s')", options->plain_columns,
									  options->concurrent_update));
	if (!truncate_stands)
		merge_create_trigger(shape, MERGE_TRUNCATE_TRIGGER,
							 psprintf("TRUNCATE ON %s FOR EACH STATEMENT", shape->qualified),
							 "merge_truncate()");
}

/*
 * Rows
 */

/*
 * Stamp rows that were there before, or have columns follow the stamps that are
 * there before them.  Nothing happens to the rows, so their other triggers do
 * not fire.
 */
static void
merge_stamp_rows(const MergeShape *shape, MergeIntent intent)
{
	Relation table = table_open(shape->table, RowExclusiveLock);
	int level = NewGUCNestLevel();

	(void) set_config_option("session_replication_role", "replica", PGC_SUSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	merge_intent_run_sql(intent, table,
						 psprintf("UPDATE ONLY %s SET " MERGE_STAMPS_COLUMN
								  " = " MERGE_STAMPS_COLUMN,
								  shape->qualified));
	AtEOXact_GUC(true, level);
	table_close(table, NoLock);
}

/* Rows that were removed must not come back to life when nothing hides them any more. */
static void
merge_delete_removed(const MergeShape *shape)
{
	Relation table = table_open(shape->table, RowExclusiveLock);

	merge_intent_run_sql(
		INTENT_PASS, table,
		psprintf("DELETE FROM ONLY %s WHERE NOT %s.is_present(" MERGE_PRESENCE_COLUMN ")",
				 shape->qualified, quote_identifier(get_namespace_name(shape->extension))));
	table_close(table, NoLock);
}

/*
 * A trigger's arguments and the like last as long as the table is open, which
 * it must not be while it is altered.
 */
static const Trigger *
merge_copy_trigger(const Trigger *trigger)
{
	Trigger *copy;

	if (trigger == NULL)
		return NULL;
	copy = palloc(sizeof(Trigger));
	*copy = *trigger;
	copy->tgname = pstrdup(trigger->tgname);
	copy->tgargs = palloc(sizeof(char *) * Max(trigger->tgnargs, 1));
	for (int i = 0; i < trigger->tgnargs; i++)
		copy->tgargs[i] = pstrdup(trigger->tgargs[i]);
	return copy;
}

static void
merge_table_close(MergeShape *shape, Relation table)
{
	shape->row_trigger = merge_copy_trigger(shape->row_trigger);
	shape->truncate_trigger = merge_copy_trigger(shape->truncate_trigger);
	relation_close(table, NoLock);
}

PG_FUNCTION_INFO_V1(enable_merge);
Datum
enable_merge(PG_FUNCTION_ARGS)
{
	Oid extension = extension_namespace(fcinfo);
	MergeOptions options;
	MergeShape shape;
	Relation table;
	bool stamped;
	int path;

	options.plain_columns = merge_rule_argument(fcinfo, 1, "plain_columns", MERGE_LWW, MERGE_NONE);
	options.concurrent_update = merge_rule_argument(fcinfo, 2, "concurrent_update", MERGE_KEEP,
													MERGE_REMOVE);
	table = merge_table_open(PG_GETARG_OID(0), false);
	merge_shape_read(&shape, table, extension);
	merge_check_refuse(&shape, table, strcmp(options.plain_columns, MERGE_LWW) == 0);
	(void) node_name_local();
	merge_check_warn(&shape, table);
	stamped = strcmp(options.plain_columns, MERGE_LWW) == 0 && !bms_is_empty(shape.plain);
	merge_table_close(&shape, table);

	path = query_path_enter();
	query_connect();
	merge_prepare_columns(&shape, stamped);
	merge_prepare_triggers(&shape, &options);
	CommandCounterIncrement();
	merge_live_create(shape.table, extension);
	if (stamped)
		merge_stamp_rows(&shape, shape.stamps == 0 ? INTENT_STAMP : INTENT_FOLLOW);
	query_finish();
	query_path_leave(path);
	PG_RETURN_VOID();
}

static void
merge_drop_column(const MergeShape *shape, AttrNumber column, const char *name)
{
	if (column != 0)
		merge_run(psprintf("ALTER TABLE %s DROP COLUMN %s", shape->qualified, name));
}

/* Publications that name hidden columns hold on to them; say so better than the server would. */
static void
merge_refuse_published(const MergeShape *shape)
{
	QueryArguments arguments = {0};
	List *names = NIL;

	query_argument(&arguments, OIDOID, ObjectIdGetDatum(shape->table), false);
	query_argument(&arguments, INT4OID, Int32GetDatum(shape->presence), false);
	query_argument(&arguments, INT4OID, Int32GetDatum(shape->stamps), false);
	query_run("SELECT DISTINCT p.pubname FROM pg_depend d JOIN pg_publication_rel r "
			  "ON r.oid = d.objid JOIN pg_publication p ON p.oid = r.prpubid "
			  "WHERE d.classid = 'pg_publication_rel'::regclass "
			  "AND d.refclassid = 'pg_class'::regclass AND d.refobjid = $1 "
			  "AND d.refobjsubid <> 0 AND d.refobjsubid IN ($2, $3) ORDER BY 1",
			  &arguments);
	for (uint64 i = 0; i < SPI_processed; i++)
		names = lappend(names, SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1));
	if (names)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot drop the hidden columns of \"%s\"", shape->name),
				 errdetail("They are published: %s.", merge_quoted_names(names)),
				 errhint("Take the table out first: ALTER PUBLICATION %s DROP TABLE %s.",
						 quote_identifier(linitial(names)), shape->qualified)));
}

PG_FUNCTION_INFO_V1(disable_merge);
Datum
disable_merge(PG_FUNCTION_ARGS)
{
	Oid extension = extension_namespace(fcinfo);
	Relation table = merge_table_open(PG_GETARG_OID(0), false);
	bool drop_columns = PG_GETARG_BOOL(1);
	MergeShape shape;
	int path;

	merge_shape_read(&shape, table, extension);
	merge_table_close(&shape, table);
	if (merge_belongs_to_extension(shape.table))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("cannot disable merging of \"%s\"", shape.name),
				 errdetail("It belongs to the extension \"%s\".",
						   get_extension_name(
							   getExtensionOfObject(RelationRelationId, shape.table))),
				 errhint("Disable merging of tables of your own; merge_status() lists them.")));
	if (!shape.row_trigger && !shape.truncate_trigger && shape.presence == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" is not merged", shape.name),
				 errhint("merge_status() lists the tables that are.")));

	path = query_path_enter();
	query_connect();
	if (drop_columns)
		merge_refuse_published(&shape);
	if (shape.presence != 0)
		merge_delete_removed(&shape);
	merge_live_drop(shape.table, extension);
	if (shape.row_trigger)
		merge_drop_trigger(&shape, shape.row_trigger);
	if (shape.truncate_trigger)
		merge_drop_trigger(&shape, shape.truncate_trigger);
	if (drop_columns)
	{
		merge_drop_column(&shape, shape.stamps, MERGE_STAMPS_COLUMN);
		merge_drop_column(&shape, shape.presence, MERGE_PRESENCE_COLUMN);
	}
	query_finish();
	query_path_leave(path);
	merge_counts_reset(shape.table);
	PG_RETURN_VOID();
}

/*
 * Status
 */

/* Columns of merge_status, before those of the counts. */
#define STATUS_COLUMNS 6

static Datum
merge_name_array(const List *names)
{
	TextList list;
	const ListCell *cell;

	text_list_init(&list, (uint32) list_length(names));
	foreach (cell, names)
	{
		text_list_add(&list, lfirst(cell), (uint32) strlen(lfirst(cell)));
	}
	return text_list_array(&list);
}

/* In the order of the key. */
static List *
merge_key_names(const MergeShape *shape, Relation table)
{
	List *names = NIL;
	ListCell *cell;

	foreach (cell, shape->key_columns)
	{
		names = lappend(names, pstrdup(merge_column_name(table, (AttrNumber) lfirst_int(cell))));
	}
	return names;
}

static void
merge_status_row(RowSet *rows, Relation table, Oid extension)
{
	Datum values[STATUS_COLUMNS + MERGE_COUNTS];
	bool nulls[STATUS_COLUMNS + MERGE_COUNTS] = {false};
	uint64 counts[MERGE_COUNTS] = {0};
	MergeShape shape;
	bool stamped;

	merge_shape_read(&shape, table, extension);
	/* merge_nodes is nobody's to look after */
	if (shape.row_trigger == NULL || merge_belongs_to_extension(shape.table))
		return;
	if (shape.row_trigger->tgenabled != TRIGGER_FIRES_ALWAYS &&
		compat_owns_table(shape.table, GetUserId()))
		ereport(WARNING,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("rows that arrive at table \"%s\" are not merged",
						RelationGetRelationName(table)),
				 errdetail("The trigger \"%s\" is not enabled for them, as after pg_restore "
						   "--disable-triggers.",
						   shape.row_trigger->tgname),
				 errhint("Call enable_merge again.")));
	stamped = shape.stamps != 0 && strcmp(shape.row_trigger->tgargs[0], MERGE_LWW) == 0;
	(void) merge_counts_get(shape.table, counts);
	values[0] = ObjectIdGetDatum(shape.table);
	values[1] = CStringGetTextDatum(shape.row_trigger->tgargs[0]);
	values[2] = CStringGetTextDatum(shape.row_trigger->tgargs[1]);
	values[3] = merge_name_array(merge_key_names(&shape, table));
	values[4] = merge_name_array(merge_column_names(table, shape.lattices));
	values[5] = merge_name_array(stamped ? merge_column_names(table, shape.plain) : NIL);
	for (int i = 0; i < MERGE_COUNTS; i++)
		values[STATUS_COLUMNS + i] = Int64GetDatum((int64) counts[i]);
	row_set_add(rows, values, nulls);
}

PG_FUNCTION_INFO_V1(merge_status);
Datum
merge_status(PG_FUNCTION_ARGS)
{
	Oid extension = extension_namespace(fcinfo);
	QueryArguments arguments = {0};
	RowSet rows;

	row_set_open(&rows, fcinfo);
	query_connect();
	query_argument(&arguments, OIDOID, ObjectIdGetDatum(merge_function(extension, "merge_row")),
				   false);
	query_run("SELECT g.tgrelid FROM pg_catalog.pg_trigger g "
			  "WHERE g.tgfoid OPERATOR(pg_catalog.=) $1 GROUP BY g.tgrelid "
			  "ORDER BY g.tgrelid::pg_catalog.regclass::pg_catalog.text",
			  &arguments);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool isnull;
		Oid oid = DatumGetObjectId(
			SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull));
		Relation table = try_relation_open(oid, AccessShareLock);

		if (table == NULL)
			continue; /* dropped meanwhile */
		merge_status_row(&rows, table, extension);
		relation_close(table, AccessShareLock);
	}
	query_finish();
	return (Datum) 0;
}
