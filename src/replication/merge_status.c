/*
 * merge_status.c
 *		merge_status(): the merged tables of a database, and how they stand.
 */
#include "core/compat.h"

#include "access/relation.h"
#include "catalog/dependency.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "core/query.h"
#include "core/rows.h"
#include "replication/merge_check.h"
#include "replication/merge_companion.h"
#include "replication/merge_counts.h"
#include "replication/merge_ddl.h"
#include "replication/merge_shape.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* Columns of merge_status before those of the counts, which the problems follow. */
#define STATUS_COLUMNS 6

static Datum
status_names(const List *names)
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
status_key(const MergeShape *shape, Relation table)
{
	List *names = NIL;
	ListCell *cell;

	foreach (cell, shape->key_columns)
	{
		names = lappend(names, pstrdup(merge_column_name(table, (AttrNumber) lfirst_int(cell))));
	}
	return names;
}

/*
 * Problems
 */

static List *
problem_of_trigger(List *problems, const Trigger *trigger, const char *name, const char *where)
{
	if (trigger == NULL)
		return lappend(problems, psprintf("trigger \"%s\" is missing%s", name, where));
	if (trigger->tgenabled != TRIGGER_FIRES_ALWAYS)
		return lappend(problems,
					   psprintf("trigger \"%s\" is not enabled for rows that arrive%s", name,
								where));
	return problems;
}

static List *
problems_of_partitions(List *problems, const MergeShape *shape)
{
	List *partitions = find_inheritance_children(shape->table, AccessShareLock);
	ListCell *cell;

	foreach (cell, partitions)
	{
		Relation partition = try_relation_open(lfirst_oid(cell), AccessShareLock);
		MergeShape part;
		const char *where;

		if (partition == NULL)
			continue; /* dropped meanwhile */
		merge_shape_read(&part, partition, shape->extension);
		where = psprintf(" in partition \"%s\"", part.name);
		problems = problem_of_trigger(problems, part.row_trigger, MERGE_ROW_TRIGGER, where);
		problems = problem_of_trigger(problems, part.after_trigger, MERGE_AFTER_TRIGGER, where);
		if (!OidIsValid(part.key_index))
			problems = lappend(problems, psprintf("no replica identity%s", where));
		problems = problems_of_partitions(problems, &part);
		relation_close(partition, AccessShareLock);
	}
	return problems;
}

static List *
problems_of_companion(List *problems, const MergeShape *shape, Relation table)
{
	List *lacks;

	if (!OidIsValid(shape->companion))
		return lappend(problems,
					   pstrdup("the companion for removed rows is missing, or has "
							   "another owner"));
	lacks = merge_companion_lacks(shape, table);
	if (lacks)
		problems = lappend(problems,
						   psprintf("the companion lacks columns: %s", merge_quoted_names(lacks)));
	if (!merge_companion_depends(shape))
		problems = lappend(problems,
						   pstrdup("the companion may be dropped alone, as after a restore"));
	return problems;
}

/* All are mended by enable_merge, but those of keys and unique indexes. */
static List *
status_problems(const MergeShape *shape, Relation table)
{
	List *problems = NIL;
	const char *unique = merge_check_unique(shape, table);

	problems = problem_of_trigger(problems, shape->row_trigger, MERGE_ROW_TRIGGER, "");
	problems = problem_of_trigger(problems, shape->after_trigger, MERGE_AFTER_TRIGGER, "");
	problems = problem_of_trigger(problems, shape->truncate_trigger, MERGE_TRUNCATE_TRIGGER, "");
	if (shape->old_presence != 0)
		return lappend(NIL, pstrdup("merged in the form of version 1.0"));
	if (shape->stamp == 0)
		problems = lappend(problems, pstrdup("column \"" MERGE_STAMP_COLUMN "\" is missing"));
	if (!merge_check_constraint(shape))
		problems = lappend(problems, pstrdup("constraint \"" MERGE_ARRIVALS_CHECK "\" is missing"));
	if (!OidIsValid(shape->key_index))
		problems = lappend(problems, pstrdup("the replica identity is missing"));
	if (strcmp(shape->row_trigger->tgargs[0], MERGE_NONE) == 0 && !bms_is_empty(shape->plain))
		problems = lappend(problems,
						   psprintf("columns are not merged: %s",
									merge_quoted_names(merge_column_names(table, shape->plain))));
	if (unique)
		problems = lappend(problems,
						   psprintf("\"%s\" is unique besides the key: a row may be refused where "
									"it arrives",
									unique));
	problems = problems_of_companion(problems, shape, table);
	return problems_of_partitions(problems, shape);
}

/*
 * Rows
 */

static void
status_row(RowSet *rows, Relation table, Oid extension)
{
	Datum values[STATUS_COLUMNS + MERGE_COUNTS + 1];
	bool nulls[STATUS_COLUMNS + MERGE_COUNTS + 1] = {false};
	uint64 counts[MERGE_COUNTS] = {0};
	MergeShape shape;
	bool stamped;

	merge_shape_read(&shape, table, extension);
	/* partitions are their table's; merge_nodes is nobody's to look after */
	if (shape.row_trigger == NULL || table->rd_rel->relispartition ||
		OidIsValid(getExtensionOfObject(RelationRelationId, shape.table)))
		return;
	stamped = strcmp(shape.row_trigger->tgargs[0], MERGE_LWW) == 0;
	(void) merge_counts_get(shape.table, counts);
	values[0] = ObjectIdGetDatum(shape.table);
	values[1] = CStringGetTextDatum(shape.row_trigger->tgargs[0]);
	values[2] = CStringGetTextDatum(shape.row_trigger->tgargs[1]);
	values[3] = status_names(status_key(&shape, table));
	values[4] = status_names(merge_column_names(table, shape.lattices));
	values[5] = status_names(stamped ? merge_column_names(table, shape.plain) : NIL);
	for (int i = 0; i < MERGE_COUNTS; i++)
		values[STATUS_COLUMNS + i] = Int64GetDatum((int64) counts[i]);
	values[STATUS_COLUMNS + MERGE_COUNTS] = status_names(status_problems(&shape, table));
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
	query_argument(&arguments, OIDOID,
				   ObjectIdGetDatum(extension_trigger_function(extension, "merge_row")), false);
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
		status_row(&rows, table, extension);
		relation_close(table, AccessShareLock);
	}
	query_finish();
	return (Datum) 0;
}
