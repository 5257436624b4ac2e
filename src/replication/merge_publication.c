/*
 * merge_publication.c
 *		Publishing merged tables to servers that merge.
 *
 * A merge publication publishes INSERT and UPDATE of merged tables and of their
 * companions, from 15 on with lists of their columns, so that one that is added later
 * is sent when all servers have it, and not before.  No DELETE is published: one that
 * arrived could not be told from one that a later row has outlived; removals are rows
 * of the companions.
 *
 * There is one merge publication in a database, since each has the table
 * merge_nodes in it: what servers have seen must travel behind the rows that
 * they have seen, on the same link, and that holds for all merged tables only
 * if they are published together.
 */
#include "core/compat.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "core/node_name.h"
#include "core/query.h"
#include "miscadmin.h"
#include "replication/merge_local.h"
#include "replication/merge_publication.h"
#include "replication/merge_shape.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

typedef struct MergePublication
{
	const char *name;
	Oid extension;
	Oid nodes;    /* the table merge_nodes */
	List *tables; /* to be published, without merge_nodes */
} MergePublication;

/* The tables that are named; merge_nodes is always there, so it may be named, too. */
static void
publication_named_tables(MergePublication *publication, ArrayType *array)
{
	Datum *values;
	bool *nulls;
	int count;

	deconstruct_array(array, REGCLASSOID, sizeof(Oid), true, TYPALIGN_INT, &values, &nulls, &count);
	if (count == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there must be tables in a merge publication"),
				 errhint("Name them, or leave them out for all merged tables.")));
	for (int i = 0; i < count; i++)
	{
		Oid table = DatumGetObjectId(values[i]);

		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("table of a merge publication must not be null")));
		if (list_member_oid(publication->tables, table))
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_OBJECT),
					 errmsg("table \"%s\" is named more than once", get_rel_name(table))));
		publication->tables = lappend_oid(publication->tables, table);
	}
	publication->tables = list_delete_oid(publication->tables, publication->nodes);
}

/* All merged tables of this database but merge_nodes, by their names. */
List *
merge_publication_tables(Oid extension, Oid nodes)
{
	QueryArguments arguments = {0};
	List *tables = NIL;
	uint64 count;

	query_argument(&arguments, TEXTOID, CStringGetTextDatum(MERGE_ROW_TRIGGER), false);
	query_argument(&arguments, OIDOID,
				   ObjectIdGetDatum(extension_trigger_function(extension, "merge_row")), false);
	query_argument(&arguments, OIDOID, ObjectIdGetDatum(nodes), false);
	count = query_run("SELECT c.oid FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
					  "JOIN pg_namespace n ON n.oid = c.relnamespace "
					  "WHERE t.tgname = $1 AND t.tgfoid = $2 AND t.tgnargs = 2 AND c.oid <> $3 "
					  "AND NOT c.relispartition AND pg_has_role(c.relowner, 'USAGE') "
					  "ORDER BY n.nspname, c.relname",
					  &arguments);
	for (uint64 i = 0; i < count; i++)
	{
		bool isnull;

		tables = lappend_oid(tables,
							 DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[i],
															SPI_tuptable->tupdesc, 1, &isnull)));
	}
	return tables;
}

/* A table as a publication names it: with its columns, where it can say so. */
static void
publication_add(StringInfo list, Relation table, const MergeShape *shape)
{
	const char *separator = "";

	appendStringInfo(list, "%s%s", list->len ? ", " : "", shape->qualified);
	if (!COMPAT_COLUMN_LISTS)
		return;
	appendStringInfoString(list, " (");
	for (int column = 1; column <= RelationGetNumberOfAttributes(table); column++)
	{
		if (!bms_is_member(column, shape->key) && !bms_is_member(column, shape->lattices) &&
			!bms_is_member(column, shape->plain) && column != shape->stamp)
			continue;
		appendStringInfo(list, "%s%s", separator,
						 quote_identifier(merge_column_name(table, (AttrNumber) column)));
		separator = ", ";
	}
	appendStringInfoChar(list, ')');
}

/* A merged table and its companion. */
static void
publication_describe(StringInfo list, Oid relid, Oid extension)
{
	/* until the end of the transaction, against columns that come and go */
	Relation table = table_open(relid, AccessShareLock);
	MergeShape shape;
	MergeShape removed;
	Relation companion;

	merge_shape_read(&shape, table, extension);
	if (shape.row_trigger == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" is not merged", shape.name),
				 errdetail("Rows that arrive would overwrite those of its subscribers."),
				 errhint("Call enable_merge for it, here and on all servers.")));
	if (shape.stamp == 0 || !OidIsValid(shape.companion))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("merged table \"%s\" is not complete", shape.name),
				 errdetail("It has no column \"%s\", or no companion.", MERGE_STAMP_COLUMN),
				 errhint("Call enable_merge for it again.")));
	publication_add(list, table, &shape);
	companion = table_open(shape.companion, AccessShareLock);
	merge_shape_read(&removed, companion, extension);
	publication_add(list, companion, &removed);
	table_close(companion, NoLock);
	table_close(table, NoLock);
}

/* There can be one only, for merge_nodes is in it. */
static void
publication_check_only(const MergePublication *publication)
{
	QueryArguments arguments = {0};
	StringInfoData wanted;
	ListCell *cell;
	const char *sql = "SELECT p.pubname FROM pg_publication p JOIN pg_publication_rel r "
					  "ON r.prpubid = p.oid WHERE r.prrelid = $1 AND p.pubname <> $2";

	query_argument(&arguments, OIDOID, ObjectIdGetDatum(publication->nodes), false);
	query_argument(&arguments, TEXTOID, CStringGetTextDatum(publication->name), false);
	if (COMPAT_SCHEMA_PUBLICATIONS)
		sql = psprintf("%s UNION SELECT p.pubname FROM pg_publication p "
					   "JOIN pg_publication_namespace n ON n.pnpubid = p.oid "
					   "JOIN pg_class c ON c.relnamespace = n.pnnspid "
					   "WHERE c.oid = $1 AND p.pubname <> $2 ORDER BY 1",
					   sql);
	else
		sql = psprintf("%s ORDER BY 1", sql);
	if (query_run(sql, &arguments) == 0)
		return;
	initStringInfo(&wanted);
	foreach (cell, publication->tables)
	{
		publication_describe(&wanted, lfirst_oid(cell), publication->extension);
	}
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("publication \"%s\" publishes the table merge_nodes already",
					SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1)),
			 errdetail("A database has one merge publication, so that what a server has seen "
					   "travels behind all the rows that it has seen."),
			 errhint("Use ALTER PUBLICATION %s ADD TABLE %s.",
					 quote_identifier(
						 SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1)),
					 wanted.data)));
}

/* Is there a publication of this name?  Then it must be a merge publication. */
static bool
publication_exists(const MergePublication *publication)
{
	QueryArguments arguments = {0};
	bool isnull;

	query_argument(&arguments, TEXTOID, CStringGetTextDatum(publication->name), false);
	query_argument(&arguments, OIDOID,
				   ObjectIdGetDatum(
					   extension_trigger_function(publication->extension, "merge_row")),
				   false);
	query_argument(&arguments, OIDOID,
				   ObjectIdGetDatum(
					   extension_trigger_function(publication->extension, "merge_removed")),
				   false);
	if (query_run("SELECT p.pubinsert AND p.pubupdate AND NOT p.pubdelete AND NOT p.pubtruncate "
				  "AND NOT p.puballtables AND NOT EXISTS (SELECT FROM pg_publication_rel r "
				  "WHERE r.prpubid = p.oid AND NOT EXISTS (SELECT FROM pg_trigger t "
				  "WHERE t.tgrelid = r.prrelid AND t.tgfoid IN ($2, $3))) "
				  "FROM pg_publication p WHERE p.pubname = $1",
				  &arguments) == 0)
		return false;
	if (!DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull)))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("publication \"%s\" already exists", publication->name),
				 errdetail("It is not a merge publication, which publishes inserts and updates "
						   "of merged tables, and of merge_nodes."),
				 errhint("Choose another name, or drop it.")));
	return true;
}

/*
 * Only the owner of a table may publish it, and that of merge_nodes is whose
 * the extension is, so what concerns it is done in his name.
 */
static void
publication_run_as_owner(const MergePublication *publication, const char *sql)
{
	QueryArguments none = {0};
	Oid user;
	int security;

	GetUserIdAndSecContext(&user, &security);
	if (!compat_owns_table(publication->nodes, user))
		SetUserIdAndSecContext(query_table_owner(publication->nodes),
							   security | SECURITY_LOCAL_USERID_CHANGE);
	query_run(sql, &none);
	SetUserIdAndSecContext(user, security);
}

PG_FUNCTION_INFO_V1(create_merge_publication);
Datum
create_merge_publication(PG_FUNCTION_ARGS)
{
	QueryArguments none = {0};
	MergePublication publication = {0};
	StringInfoData tables;
	StringInfoData nodes;
	const char *name;
	ListCell *cell;
	bool exists;
	int level;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("name of a merge publication must not be null")));
	publication.name = NameStr(*PG_GETARG_NAME(0));
	publication.extension = extension_namespace(fcinfo);
	publication.nodes = extension_table(publication.extension, "merge_nodes");
	name = quote_identifier(publication.name);
	query_connect();
	level = query_path_enter();

	if (!PG_ARGISNULL(1))
		publication_named_tables(&publication, PG_GETARG_ARRAYTYPE_P(1));
	else
	{
		publication.tables = merge_publication_tables(publication.extension, publication.nodes);
		if (publication.tables == NIL)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("no table of this database is merged"),
					 errhint("Call enable_merge for the tables that are to be.")));
	}
	initStringInfo(&tables);
	foreach (cell, publication.tables)
	{
		publication_describe(&tables, lfirst_oid(cell), publication.extension);
	}
	initStringInfo(&nodes);
	publication_describe(&nodes, publication.nodes, publication.extension);
	publication_check_only(&publication);

	/* merge_nodes on its own is its owner's to publish */
	exists = publication_exists(&publication);
	if (exists)
		query_run(psprintf("ALTER PUBLICATION %s SET (publish_via_partition_root = true)", name),
				  &none);
	query_run(psprintf(exists ? "ALTER PUBLICATION %s SET TABLE %s"
							  : "CREATE PUBLICATION %s FOR TABLE %s WITH (publish = 'insert, "
								"update', publish_via_partition_root = true)",
					   name, tables.len ? tables.data : nodes.data),
			  &none);
	if (tables.len)
		publication_run_as_owner(&publication,
								 psprintf("ALTER PUBLICATION %s ADD TABLE %s", name, nodes.data));
	merge_node_register(publication.extension, node_name_local());
	query_path_leave(level);
	query_finish();
	PG_RETURN_VOID();
}
