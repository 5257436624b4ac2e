/*
 * merge_convert.c
 *		Merged tables of version 1.0, brought to the form of this one.
 *
 * There, a removed row stayed in its table, and two hidden columns said whether it was
 * there, and when and where each plain column was written, with the value as text; a
 * view showed the rows that were there.  The hidden columns become one, which has the
 * same times and nodes; it is filled by a change of type, which rewrites the table and
 * fires nothing.  Removed rows go to the companion, and are taken out of the table by
 * table access: nobody is told, for nothing happens to what is there.
 */
#include "core/compat.h"

#include "access/relation.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "core/query.h"
#include "core/write_stamp.h"
#include "miscadmin.h"
#include "parser/parsetree.h"
#include "replication/merge_companion.h"
#include "replication/merge_convert.h"
#include "replication/merge_ddl.h"
#include "replication/merge_join.h"
#include "replication/merge_local.h"
#include "replication/merge_presence.h"
#include "replication/merge_removal.h"
#include "replication/merge_store.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#define CONVERT_VIEW_TRIGGER "~merge_delete"

/*
 * The view
 */

/* Is a view the one that 1.0 has made of a table: of the same owner, and of that table alone? */
static bool
convert_is_view(const MergeShape *shape, Oid view_oid)
{
	Relation view = relation_open(view_oid, AccessExclusiveLock);
	bool is_view = false;

	if (view->rd_rel->relkind == RELKIND_VIEW && view->rd_rel->relowner == shape->owner)
	{
		Query *query = get_view_query(view);
		List *from = query->jointree->fromlist;

		if (list_length(from) == 1 && IsA(linitial(from), RangeTblRef))
		{
			RangeTblEntry *entry = rt_fetch(((RangeTblRef *) linitial(from))->rtindex,
											query->rtable);

			is_view = entry->rtekind == RTE_RELATION && entry->relid == shape->table;
		}
	}
	relation_close(view, NoLock);
	return is_view;
}

/* Its columns, as a statement selects them from its table. */
static const char *
convert_view_columns(const MergeShape *shape, Oid view_oid)
{
	Relation view = relation_open(view_oid, NoLock);
	StringInfoData list;
	ListCell *cell;

	initStringInfo(&list);
	foreach (cell, get_view_query(view)->targetList)
	{
		TargetEntry *entry = lfirst(cell);

		if (!entry->resjunk && IsA(entry->expr, Var))
			appendStringInfo(&list, "%st.%s AS %s", list.len ? ", " : "",
							 quote_identifier(
								 get_attname(shape->table, ((Var *) entry->expr)->varattno, false)),
							 quote_identifier(get_attname(view_oid, entry->resno, false)));
	}
	relation_close(view, NoLock);
	return list.data;
}

static bool
convert_is_needed(Oid view)
{
	QueryArguments arguments = {0};

	query_argument(&arguments, OIDOID, ObjectIdGetDatum(view), false);
	return query_run("SELECT 1 FROM pg_depend d LEFT JOIN pg_rewrite r ON d.classid = "
					 "'pg_rewrite'::regclass AND r.oid = d.objid WHERE d.refclassid = "
					 "'pg_class'::regclass AND d.refobjid = $1 AND d.deptype = 'n' "
					 "AND r.ev_class IS DISTINCT FROM $1 LIMIT 1",
					 &arguments) > 0;
}

/* The view goes; if something depends on it, it stays, and shows the whole table. */
static void
convert_views(const MergeShape *shape)
{
	QueryArguments arguments = {0};
	List *views = NIL;
	ListCell *cell;

	query_argument(&arguments, OIDOID,
				   ObjectIdGetDatum(
					   extension_trigger_function(shape->extension, "merge_live_delete")),
				   false);
	query_run("SELECT tgrelid FROM pg_trigger WHERE tgfoid = $1 AND tgname = "
			  "'" CONVERT_VIEW_TRIGGER "' ORDER BY 1",
			  &arguments);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool isnull;

		views = lappend_oid(views,
							DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[i],
														   SPI_tuptable->tupdesc, 1, &isnull)));
	}
	foreach (cell, views)
	{
		Oid view = lfirst_oid(cell);
		const char *name = merge_table_name(view);

		if (!convert_is_view(shape, view))
			continue;
		if (!convert_is_needed(view))
		{
			merge_ddl("DROP VIEW %s", name);
			continue;
		}
		merge_ddl("DROP TRIGGER \"" CONVERT_VIEW_TRIGGER "\" ON %s", name);
		merge_ddl("CREATE OR REPLACE VIEW %s " COMPAT_SECURITY_INVOKER "AS SELECT %s FROM %s t",
				  name, convert_view_columns(shape, view), shape->qualified);
		ereport(NOTICE,
				(errmsg("view %s stays, since others depend on it", name),
				 errdetail("It shows the rows of the table, which are those that are there.")));
	}
}

/*
 * Columns
 */

/* Publications that name the old columns hold on to them. */
static void
convert_publications(const MergeShape *shape)
{
	QueryArguments arguments = {0};
	List *names = NIL;
	ListCell *cell;

	query_argument(&arguments, OIDOID, ObjectIdGetDatum(shape->table), false);
	query_run("SELECT DISTINCT p.pubname FROM pg_depend d JOIN pg_publication_rel r "
			  "ON r.oid = d.objid JOIN pg_publication p ON p.oid = r.prpubid "
			  "WHERE d.classid = 'pg_publication_rel'::regclass "
			  "AND d.refclassid = 'pg_class'::regclass AND d.refobjid = $1 "
			  "AND d.refobjsubid <> 0 ORDER BY 1",
			  &arguments);
	for (uint64 i = 0; i < SPI_processed; i++)
		names = lappend(names, SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1));
	foreach (cell, names)
	{
		merge_ddl("ALTER PUBLICATION %s DROP TABLE %s", quote_identifier(lfirst(cell)),
				  shape->qualified);
		ereport(WARNING,
				(errmsg("table \"%s\" is no longer in publication \"%s\"", shape->name,
						(char *) lfirst(cell)),
				 errdetail("It published the hidden columns of version 1.0."),
				 errhint("Call create_merge_publication('%s') when all tables are converted.",
						 (char *) lfirst(cell))));
	}
}

/* Rows of other tables that refer to removed ones would refer to none. */
static void
convert_refuse_children(const MergeShape *shape)
{
	QueryArguments arguments = {0};
	List *checks = NIL;
	ListCell *cell;

	query_argument(&arguments, OIDOID, ObjectIdGetDatum(shape->table), false);
	query_run("SELECT format('SELECT %L, %L FROM %s c JOIN %s p ON (%s) = (%s) WHERE NOT "
			  "%I.is_present(p." MERGE_OLD_PRESENCE_COLUMN
			  ") LIMIT 1', f.conname, f.conrelid::regclass, f.conrelid::regclass, "
			  "f.confrelid::regclass, (SELECT string_agg(format('c.%I', a.attname), ', ' ORDER BY "
			  "k.n) FROM unnest(f.conkey) WITH ORDINALITY k (attnum, n) JOIN pg_attribute a ON "
			  "a.attrelid = f.conrelid AND a.attnum = k.attnum), (SELECT string_agg(format('p.%I', "
			  "a.attname), ', ' ORDER BY k.n) FROM unnest(f.confkey) WITH ORDINALITY k (attnum, n) "
			  "JOIN pg_attribute a ON a.attrelid = f.confrelid AND a.attnum = k.attnum), "
			  "(SELECT nspname FROM pg_namespace n JOIN pg_type t ON t.typnamespace = n.oid "
			  "JOIN pg_attribute b ON b.atttypid = t.oid WHERE b.attrelid = $1 AND b.attname = "
			  "'" MERGE_OLD_PRESENCE_COLUMN "')) FROM pg_constraint f WHERE f.contype = 'f' AND "
			  "f.confrelid = $1 ORDER BY f.conname",
			  &arguments);
	for (uint64 i = 0; i < SPI_processed; i++)
		checks = lappend(checks, SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1));
	foreach (cell, checks)
	{
		QueryArguments none = {0};

		if (query_run(lfirst(cell), &none) > 0)
			ereport(ERROR,
					(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
					 errmsg("cannot convert merged table \"%s\"", shape->name),
					 errdetail("Rows of \"%s\" refer, by constraint \"%s\", to rows that were "
							   "removed.",
							   SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2),
							   SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1)),
					 errhint("Delete those rows, or have them refer to others.")));
	}
}

/* Before the table is made a merged one of this version. */
void
merge_convert_begin(const MergeShape *shape)
{
	const char *extension = quote_identifier(get_namespace_name(shape->extension));
	const char *stamps = shape->old_stamps ? MERGE_OLD_STAMPS_COLUMN : "'{}'";

	convert_refuse_children(shape);
	convert_views(shape);
	convert_publications(shape);
	merge_trigger_drop(shape->table, MERGE_ROW_TRIGGER);
	merge_trigger_drop(shape->table, MERGE_TRUNCATE_TRIGGER);
	merge_ddl("ALTER TABLE %s ADD COLUMN " MERGE_STAMP_COLUMN " %s.row_stamp NOT NULL DEFAULT '{}'",
			  shape->qualified, extension);
	merge_ddl("ALTER TABLE %s ALTER COLUMN " MERGE_STAMP_COLUMN " TYPE %s.row_stamp USING "
			  "%s.row_stamp(" MERGE_OLD_PRESENCE_COLUMN ", %s)",
			  shape->qualified, extension, extension, stamps);
	CommandCounterIncrement();
}

/* Fill the new column of merge_nodes, which has none too many rows, and move what was removed. */
static void
convert_rows(const MergeShape *shape)
{
	Relation table = table_open(shape->table, NoLock);
	MergeRule *rule = merge_rule_get(table, shape->extension);
	Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
	TableScanDesc scan = table_beginscan(table, snapshot, 0, NULL);
	TupleTableSlot *there = table_slot_create(table, NULL);
	MergeStore store;
	TupleTableSlot *slot;

	merge_store_open(&store, table, rule->key_index, STORE_FIRES_NOTHING);
	slot = merge_store_slot(&store);
	while (table_scan_getnextslot(scan, ForwardScanDirection, there))
	{
		struct varlena *stamp;
		RowStamp opened;
		RowValues row;

		row_values_from_slot(&row, there);
		stamp = merge_presence_stamp(PG_DETOAST_DATUM_PACKED(row.values[shape->old_presence - 1]));
		row_set_stamp(rule, &row, stamp);
		row_values_own(rule, &row);
		row_values_to_slot(slot, &row);
		row_stamp_open(&opened, stamp);
		if (!merge_store_find(&store, there, LockTupleExclusive))
			continue;
		if (row_stamp_present(&opened))
			merge_store_update(&store, slot);
		else
		{
			merge_store_delete(&store);
			merge_removal_keep(rule, &row);
		}
	}
	ExecDropSingleTupleTableSlot(slot);
	merge_store_close(&store);
	ExecDropSingleTupleTableSlot(there);
	table_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(table, NoLock);
}

/* Tables that only C code writes are nobody's to alter; what their owner has put there goes. */
static void
convert_own_locals(Oid extension)
{
	static const char *const tables[] = {"merge_local_nodes", "merge_local_links",
										 "merge_local_purged"};

	for (int i = 0; i < (int) lengthof(tables); i++)
		merge_ddl("ALTER TABLE %s OWNER TO %s",
				  merge_table_name(extension_table(extension, tables[i])),
				  quote_identifier(GetUserNameFromId(BOOTSTRAP_SUPERUSERID, false)));
}

/* Removed rows go to the companion; then the old columns go. */
void
merge_convert_end(const MergeShape *shape)
{
	Relation table = table_open(shape->table, NoLock);
	MergeRule *rule = merge_rule_get(table, shape->extension);
	Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
	TableScanDesc scan = table_beginscan(table, snapshot, 0, NULL);
	TupleTableSlot *there = table_slot_create(table, NULL);
	MergeStore store;

	merge_store_open(&store, table, rule->key_index, STORE_FIRES_NOTHING);
	while (table_scan_getnextslot(scan, ForwardScanDirection, there))
	{
		RowStamp stamp;
		RowValues row;

		CHECK_FOR_INTERRUPTS();
		row_values_from_slot(&row, there);
		row_stamp_open(&stamp, row_stamp_of(rule, &row));
		if (row_stamp_present(&stamp))
			continue;
		row_values_own(rule, &row);
		if (merge_store_find(&store, there, LockTupleExclusive))
			merge_store_delete(&store);
		merge_removal_keep(rule, &row);
	}
	merge_store_close(&store);
	ExecDropSingleTupleTableSlot(there);
	table_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(table, NoLock);
	merge_ddl("ALTER TABLE %s DROP COLUMN " MERGE_OLD_PRESENCE_COLUMN, shape->qualified);
	if (shape->old_stamps != 0)
		merge_ddl("ALTER TABLE %s DROP COLUMN " MERGE_OLD_STAMPS_COLUMN, shape->qualified);
}

/*
 * merge_nodes
 */

/* What the owner of merge_nodes has put there would be run by whoever updates the extension. */
static void
convert_check_nodes(Oid nodes, Oid function)
{
	QueryArguments arguments = {0};

	query_argument(&arguments, OIDOID, ObjectIdGetDatum(nodes), false);
	query_argument(&arguments, OIDOID, ObjectIdGetDatum(function), false);
	if (query_run("SELECT 1 FROM pg_trigger WHERE tgrelid = $1 AND tgname NOT LIKE '~merge%' "
				  "UNION ALL SELECT 1 FROM pg_index WHERE indrelid = $1 AND NOT indisprimary "
				  "UNION ALL SELECT 1 FROM pg_attribute WHERE attrelid = $1 AND attgenerated <> '' "
				  "UNION ALL SELECT 1 FROM pg_depend d JOIN pg_constraint c ON c.oid = d.objid "
				  "WHERE d.classid = 'pg_constraint'::regclass AND c.conrelid = $1 "
				  "AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass) "
				  "AND d.refobjid <> $2 AND c.contype = 'c'",
				  &arguments) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"merge_nodes\" has been altered"),
				 errdetail("It has triggers, indexes, constraints or generated columns that the "
						   "extension has not made."),
				 errhint("Drop them, and update the extension again.")));
}

/* Called by the upgrade script, when merge_nodes has its new column. */
PG_FUNCTION_INFO_V1(merge_nodes_convert);
Datum
merge_nodes_convert(PG_FUNCTION_ARGS)
{
	Oid extension = extension_namespace(fcinfo);
	Oid stamp = extension_type(extension, "row_stamp");
	Relation nodes = table_open(extension_table(extension, "merge_nodes"), AccessExclusiveLock);
	MergeShape shape;
	int path;

	merge_shape_read(&shape, nodes, extension);
	path = query_path_enter();
	query_connect();
	convert_check_nodes(shape.table,
						GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid,
										CStringGetDatum("is_merged"),
										PointerGetDatum(buildoidvector(&stamp, 1)),
										ObjectIdGetDatum(extension)));
	table_close(nodes, NoLock);
	convert_publications(&shape);
	convert_rows(&shape);
	convert_own_locals(extension);
	merge_nodes_begin_told(extension);
	query_finish();
	query_path_leave(path);
	PG_RETURN_VOID();
}

/* The trigger of the view of version 1.0. */
PG_FUNCTION_INFO_V1(merge_live_delete);
Datum
merge_live_delete(PG_FUNCTION_ARGS)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the view belongs to a merged table of version 1.0"),
			 errhint("Call enable_merge for the table again, and use the table itself.")));
	PG_RETURN_NULL();
}
