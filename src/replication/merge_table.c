/*
 * merge_table.c
 *		enable_merge and disable_merge: making tables merged ones.
 *
 * There is no registry of merged tables.  A table is one if it has our triggers,
 * whose arguments are its rules; with the hidden column, a constraint, and the
 * companion for removed rows, these are all there is, and each is dumped, restored,
 * renamed and dropped with its table.
 *
 * No row is read or written: what rows that are there get in the hidden column is a
 * constant, which PostgreSQL keeps once.
 *
 * What is already there is left as it is, so enable_merge may be called again after
 * every change of the table, and after a restore.
 */
#include "core/compat.h"

#include "access/relation.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/comment.h"
#include "commands/extension.h"
#include "core/node_name.h"
#include "core/query.h"
#include "core/write_stamp.h"
#include "core/write_stamp_io.h"
#include "miscadmin.h"
#include "replication/merge_check.h"
#include "replication/merge_companion.h"
#include "replication/merge_convert.h"
#include "replication/merge_counts.h"
#include "replication/merge_ddl.h"
#include "replication/merge_prune.h"
#include "replication/merge_rule.h"
#include "replication/merge_shape.h"
#include "replication/merge_time.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* How rows of a table are to be merged. */
typedef struct MergeOptions
{
	const char *plain_columns;
	const char *concurrent_update;
} MergeOptions;

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
merge_table_open(Oid oid)
{
	Relation table = NULL;

	if (get_rel_relkind(oid) != '\0')
	{
		if (!compat_owns_table(oid, GetUserId()))
			aclcheck_error(ACLCHECK_NOT_OWNER, get_relkind_objtype(get_rel_relkind(oid)),
						   get_rel_name(oid));
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
	shape->after_trigger = merge_copy_trigger(shape->after_trigger);
	shape->truncate_trigger = merge_copy_trigger(shape->truncate_trigger);
	shape->removed_trigger = merge_copy_trigger(shape->removed_trigger);
	relation_close(table, NoLock);
}

/* After it has been altered. */
static void
merge_shape_again(MergeShape *shape)
{
	Oid oid = shape->table;
	Oid extension = shape->extension;
	Relation table;

	CommandCounterIncrement();
	table = relation_open(oid, NoLock);
	merge_shape_read(shape, table, extension);
	merge_table_close(shape, table);
}

/*
 * The hidden column
 */

/*
 * Rows that are there already were made here, all of them at this moment; their plain
 * columns count as written at the beginning of time, so that whatever is written after
 * wins.
 */
static const char *
merge_first_stamp(const MergeShape *shape)
{
	NodeName node = {node_name_local(), strlen(node_name_local())};
	WriteStamp beginning = {{0, 0}, node, 0};
	RowStamp stamp;
	Relation table;

	row_stamp_init(&stamp, 1, 0);
	row_stamp_write(&stamp, node, merge_time_of_write(0));
	if (!bms_is_empty(shape->plain))
	{
		table = relation_open(shape->table, NoLock);
		beginning.hash = merge_columns_hash(table, shape->plain);
		relation_close(table, NoLock);
		row_stamp_set_row(&stamp, beginning);
	}
	return row_stamp_to_text(row_stamp_close(&stamp));
}

static void
merge_drop_constraint(const MergeShape *shape)
{
	if (OidIsValid(get_relation_constraint_oid(shape->table, MERGE_ARRIVALS_CHECK, true)))
		merge_ddl("ALTER TABLE %s DROP CONSTRAINT \"" MERGE_ARRIVALS_CHECK "\"", shape->qualified);
}

static void
merge_prepare_column(const MergeShape *shape)
{
	const char *extension = quote_identifier(get_namespace_name(shape->extension));

	if (shape->stamp == 0)
		merge_ddl("ALTER TABLE %s ADD COLUMN " MERGE_STAMP_COLUMN
				  " %s.row_stamp NOT NULL DEFAULT %s",
				  shape->qualified, extension, quote_literal_cstr(merge_first_stamp(shape)));
	CommandCounterIncrement();
	if (GetComment(shape->table, RelationRelationId,
				   get_attnum(shape->table, MERGE_STAMP_COLUMN)) == NULL)
		merge_ddl("COMMENT ON COLUMN %s." MERGE_STAMP_COLUMN
				  " IS 'of a merged table: who wrote which column when'",
				  shape->qualified);
	merge_ddl("ALTER TABLE %s ALTER COLUMN " MERGE_STAMP_COLUMN " SET DEFAULT '{}', "
			  "ALTER COLUMN " MERGE_STAMP_COLUMN " SET NOT NULL",
			  shape->qualified);
	if (!merge_check_constraint(shape))
	{
		merge_drop_constraint(shape);
		merge_ddl("ALTER TABLE %s ADD CONSTRAINT \"" MERGE_ARRIVALS_CHECK
				  "\" CHECK (%s.is_merged(" MERGE_STAMP_COLUMN ")) NOT VALID",
				  shape->qualified, extension);
	}
}

/*
 * Triggers
 */

/* The trigger, if its arguments are these. */
static const Trigger *
merge_row_trigger(const MergeShape *shape, const MergeOptions *options)
{
	const Trigger *trigger = shape->row_trigger;

	if (trigger && !TRIGGER_FOR_DELETE(trigger->tgtype) &&
		strcmp(trigger->tgargs[0], options->plain_columns) == 0 &&
		strcmp(trigger->tgargs[1], options->concurrent_update) == 0)
		return trigger;
	return NULL;
}

/* A partition that was attached, or detached, may lack it, or have one of its own. */
static bool
merge_partitions_stand(const MergeShape *shape)
{
	List *partitions = find_all_inheritors(shape->table, NoLock, NULL);
	bool stand = true;
	ListCell *cell;

	foreach (cell, partitions)
	{
		Relation partition = relation_open(lfirst_oid(cell), AccessShareLock);
		MergeShape part;

		merge_shape_read(&part, partition, shape->extension);
		stand = stand && part.row_trigger && part.after_trigger &&
			part.row_trigger->tgenabled == TRIGGER_FIRES_ALWAYS &&
			part.after_trigger->tgenabled == TRIGGER_FIRES_ALWAYS &&
			part.companion == shape->companion;
		relation_close(partition, AccessShareLock);
	}
	return stand;
}

/*
 * A partition that was detached keeps the trigger that refers to the companion, as if it
 * were one of a foreign key, and nobody can drop it there: it goes with that of the whole.
 */
static bool
merge_has_strays(const MergeShape *shape)
{
	QueryArguments arguments = {0};

	if (shape->after_trigger == NULL)
		return false;
	query_argument(&arguments, OIDOID, ObjectIdGetDatum(shape->after_trigger->tgoid), false);
	query_argument(&arguments, OIDOID, ObjectIdGetDatum(shape->table), false);
	return query_run("WITH RECURSIVE made (trigger, table_oid) AS (SELECT oid, tgrelid "
					 "FROM pg_trigger WHERE tgparentid = $1 UNION ALL SELECT g.oid, g.tgrelid "
					 "FROM pg_trigger g JOIN made m ON g.tgparentid = m.trigger) SELECT 1 "
					 "FROM made WHERE $2 NOT IN (SELECT relid FROM "
					 "pg_partition_ancestors(table_oid)) LIMIT 1",
					 &arguments) > 0;
}

/* A statement's trigger is not made on partitions with that on the whole. */
static void
merge_prepare_truncate(const MergeShape *shape, Oid oid)
{
	Relation table = relation_open(oid, AccessExclusiveLock);
	MergeShape part;

	merge_shape_read(&part, table, shape->extension);
	merge_table_close(&part, table);
	merge_trigger_prepare(shape, oid, part.truncate_trigger, MERGE_TRUNCATE_TRIGGER,
						  psprintf("TRIGGER \"%s\" BEFORE TRUNCATE ON %s FOR EACH STATEMENT "
								   "EXECUTE FUNCTION %s.merge_truncate()",
								   MERGE_TRUNCATE_TRIGGER, part.qualified,
								   quote_identifier(get_namespace_name(shape->extension))));
}

static void
merge_prepare_triggers(const MergeShape *shape, const MergeOptions *options, Oid companion)
{
	const char *extension = quote_identifier(get_namespace_name(shape->extension));
	const Trigger *row = merge_row_trigger(shape, options);
	const Trigger *after = companion == shape->companion ? shape->after_trigger : NULL;
	List *tables = find_all_inheritors(shape->table, AccessExclusiveLock, NULL);
	ListCell *cell;

	if (list_length(tables) > 1 && !merge_partitions_stand(shape))
		row = after = NULL;
	else if (merge_has_strays(shape))
		after = NULL;
	merge_trigger_prepare(shape, shape->table, row, MERGE_ROW_TRIGGER,
						  psprintf("TRIGGER \"%s\" BEFORE INSERT OR UPDATE ON %s FOR EACH ROW "
								   "EXECUTE FUNCTION %s.merge_row('%s', '%s')",
								   MERGE_ROW_TRIGGER, shape->qualified, extension,
								   options->plain_columns, options->concurrent_update));
	merge_trigger_prepare(shape, shape->table, after, MERGE_AFTER_TRIGGER,
						  psprintf("CONSTRAINT TRIGGER \"%s\" AFTER INSERT OR DELETE ON %s FROM %s "
								   "NOT DEFERRABLE FOR EACH ROW EXECUTE FUNCTION %s.merge_after()",
								   MERGE_AFTER_TRIGGER, shape->qualified,
								   merge_table_name(companion), extension));
	foreach (cell, tables)
	{
		merge_prepare_truncate(shape, lfirst_oid(cell));
	}
}

PG_FUNCTION_INFO_V1(enable_merge);
Datum
enable_merge(PG_FUNCTION_ARGS)
{
	Oid extension = extension_namespace(fcinfo);
	bool prune = PG_GETARG_BOOL(3);
	MergeOptions options;
	MergeShape shape;
	Relation table;
	Oid companion;
	int path;

	options.plain_columns = merge_rule_argument(fcinfo, 1, "plain_columns", MERGE_LWW, MERGE_NONE);
	options.concurrent_update = merge_rule_argument(fcinfo, 2, "concurrent_update", MERGE_KEEP,
													MERGE_REMOVE);
	table = merge_table_open(PG_GETARG_OID(0));
	merge_shape_read(&shape, table, extension);
	merge_check_refuse(&shape, table, strcmp(options.plain_columns, MERGE_LWW) == 0);
	(void) node_name_local();
	merge_check_warn(&shape, table);
	merge_table_close(&shape, table);

	path = query_path_enter();
	query_connect();
	if (shape.old_presence != 0)
	{
		merge_convert_begin(&shape);
		merge_shape_again(&shape);
	}
	merge_prepare_column(&shape);
	merge_shape_again(&shape);
	companion = merge_companion_prepare(&shape);
	merge_prepare_triggers(&shape, &options, companion);
	CommandCounterIncrement();
	merge_companion_depend(&shape, companion);
	if (shape.old_presence != 0)
		merge_convert_end(&shape);
	if (prune)
		(void) merge_prune_rows(shape.table, extension);
	query_finish();
	query_path_leave(path);
	PG_RETURN_VOID();
}

/*
 * Disabling
 */

/* Publications hold on to the column, and to the companion; say so better than the server would. */
static void
merge_refuse_published(const MergeShape *shape)
{
	QueryArguments arguments = {0};
	List *names = NIL;

	query_argument(&arguments, OIDOID, ObjectIdGetDatum(shape->table), false);
	query_argument(&arguments, OIDOID, ObjectIdGetDatum(shape->companion), false);
	query_run("SELECT DISTINCT p.pubname FROM pg_publication_rel r "
			  "JOIN pg_publication p ON p.oid = r.prpubid "
			  "WHERE r.prrelid IN ($1, $2) ORDER BY 1",
			  &arguments);
	for (uint64 i = 0; i < SPI_processed; i++)
		names = lappend(names, SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1));
	if (names)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot disable merging of \"%s\"", shape->name),
				 errdetail("It is published: %s.", merge_quoted_names(names)),
				 errhint("Take it out first: ALTER PUBLICATION %s DROP TABLE %s%s%s.",
						 quote_identifier(linitial(names)), shape->qualified,
						 OidIsValid(shape->companion) ? ", " : "",
						 OidIsValid(shape->companion) ? merge_table_name(shape->companion) : "")));
}

static void
merge_refuse_disabling(const MergeShape *shape)
{
	Oid extension = getExtensionOfObject(RelationRelationId, shape->table);

	if (OidIsValid(extension))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("cannot disable merging of \"%s\"", shape->name),
				 errdetail("It belongs to the extension \"%s\".", get_extension_name(extension)),
				 errhint("Disable merging of tables of your own; merge_status() lists them.")));
	if (shape->removed_trigger)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("cannot disable merging of \"%s\"", shape->name),
				 errdetail("It holds the removed rows of a merged table."),
				 errhint("Disable merging of that table; merge_status() lists those there are.")));
	if (!shape->row_trigger && !shape->after_trigger && shape->stamp == 0 &&
		shape->old_presence == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" is not merged", shape->name),
				 errhint("merge_status() lists the tables that are.")));
	if (shape->old_presence != 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" is merged in the form of version 1.0", shape->name),
				 errhint("Call enable_merge first, which brings it to that of this version.")));
}

PG_FUNCTION_INFO_V1(disable_merge);
Datum
disable_merge(PG_FUNCTION_ARGS)
{
	Oid extension = extension_namespace(fcinfo);
	Relation table = merge_table_open(PG_GETARG_OID(0));
	bool drop_columns = PG_GETARG_BOOL(1);
	MergeShape shape;
	List *tables;
	ListCell *cell;
	int path;

	merge_shape_read(&shape, table, extension);
	merge_table_close(&shape, table);
	merge_refuse_disabling(&shape);

	path = query_path_enter();
	query_connect();
	merge_refuse_published(&shape);
	tables = find_all_inheritors(shape.table, AccessExclusiveLock, NULL);
	merge_trigger_drop(shape.table, MERGE_ROW_TRIGGER);
	merge_trigger_drop(shape.table, MERGE_AFTER_TRIGGER);
	foreach (cell, tables)
	{
		merge_trigger_drop(lfirst_oid(cell), MERGE_TRUNCATE_TRIGGER);
	}
	merge_drop_constraint(&shape);
	if (OidIsValid(shape.companion))
		merge_ddl("DROP TABLE %s", merge_table_name(shape.companion));
	if (drop_columns && shape.stamp != 0)
		merge_ddl("ALTER TABLE %s DROP COLUMN " MERGE_STAMP_COLUMN, shape.qualified);
	query_finish();
	query_path_leave(path);
	merge_counts_reset(shape.table);
	PG_RETURN_VOID();
}
