/*
 * merge_live.c
 *		The view of a merged table that shows the rows which are there, and its
 *		trigger, by which rows that are deleted from the view are removed.
 *
 * A view is told by its trigger, and its table by its definition: so both may
 * be renamed, and be dumped and restored.
 *
 * The server itself rewrites INSERT and UPDATE of the view to ones of the table,
 * whose triggers see to the rest.  DELETE would do as well, but never tell how
 * many rows it has removed, for the table's trigger lets none be deleted.
 */
#include "core/compat.h"

#include "access/relation.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "commands/trigger.h"
#include "core/query.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "parser/parsetree.h"
#include "replication/merge_intent.h"
#include "replication/merge_live.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
#include "utils/syscache.h"

#define MERGE_LIVE_TRIGGER "~merge_delete"

/*
 * Finding it
 */

/* Does the view have our trigger? */
static bool
merge_live_is_ours(Relation view, Oid function)
{
	if (view->rd_rel->relkind != RELKIND_VIEW)
		return false;
	for (int i = 0; view->trigdesc && i < view->trigdesc->numtriggers; i++)
	{
		if (view->trigdesc->triggers[i].tgfoid == function)
			return true;
	}
	return false;
}

/* The one table that a view reads, or none. */
static Oid
merge_live_table(Relation view)
{
	Query *query = get_view_query(view);
	List *from = query->jointree->fromlist;
	RangeTblEntry *entry;

	if (list_length(from) != 1 || !IsA(linitial(from), RangeTblRef))
		return InvalidOid;
	entry = rt_fetch(((RangeTblRef *) linitial(from))->rtindex, query->rtable);
	return entry->rtekind == RTE_RELATION ? entry->relid : InvalidOid;
}

/* The view of a table, or none. */
Oid
merge_live_find(Oid table, Oid extension)
{
	Oid function = merge_function(extension, "merge_live_delete");
	QueryArguments arguments = {0};
	Oid found = InvalidOid;

	query_connect();
	query_argument(&arguments, OIDOID, ObjectIdGetDatum(table), false);
	query_argument(&arguments, OIDOID, ObjectIdGetDatum(function), false);
	query_run("SELECT g.tgrelid FROM pg_catalog.pg_trigger g "
			  "WHERE g.tgfoid OPERATOR(pg_catalog.=) $2 AND EXISTS (SELECT FROM "
			  "pg_catalog.pg_rewrite r JOIN pg_catalog.pg_depend d ON d.objid "
			  "OPERATOR(pg_catalog.=) r.oid AND d.classid OPERATOR(pg_catalog.=) "
			  "'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.refclassid "
			  "OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass "
			  "WHERE r.ev_class OPERATOR(pg_catalog.=) g.tgrelid "
			  "AND d.refobjid OPERATOR(pg_catalog.=) $1) ORDER BY 1",
			  &arguments);
	for (uint64 i = 0; i < SPI_processed && !OidIsValid(found); i++)
	{
		bool isnull;
		Oid candidate = DatumGetObjectId(
			SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull));
		Relation view = try_relation_open(candidate, AccessShareLock);

		if (view == NULL)
			continue; /* dropped meanwhile */
		if (merge_live_is_ours(view, function) && merge_live_table(view) == table)
			found = candidate;
		relation_close(view, AccessShareLock);
	}
	query_finish();
	return found;
}

/*
 * Making it
 */

static void
merge_live_run(const char *sql)
{
	QueryArguments none = {0};

	query_run(sql, &none);
}

static bool
merge_live_shows(const MergeShape *shape, Form_pg_attribute column)
{
	return !column->attisdropped && column->attnum != shape->presence &&
		column->attnum != shape->stamps;
}

/* Can the view be replaced by one that shows the table's columns as they are now? */
static bool
merge_live_extends(const MergeShape *shape, Relation table, Oid view_oid)
{
	Relation view = relation_open(view_oid, AccessShareLock);
	TupleDesc old = RelationGetDescr(view);
	TupleDesc desc = RelationGetDescr(table);
	int matched = 0;
	bool extends = true;

	for (int i = 0; i < desc->natts && matched < old->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, i);
		Form_pg_attribute shown = TupleDescAttr(old, matched);

		if (!merge_live_shows(shape, column))
			continue;
		matched++;
		extends &= strcmp(NameStr(shown->attname), NameStr(column->attname)) == 0 &&
			shown->atttypid == column->atttypid && shown->atttypmod == column->atttypmod &&
			shown->attcollation == column->attcollation;
	}
	extends &= matched == old->natts;
	relation_close(view, AccessShareLock);
	return extends;
}

static char *
merge_live_columns(const MergeShape *shape, Relation table)
{
	TupleDesc desc = RelationGetDescr(table);
	StringInfoData out;

	initStringInfo(&out);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, i);

		if (merge_live_shows(shape, column))
			appendStringInfo(&out, "%st.%s", out.len ? ", " : "",
							 quote_identifier(NameStr(column->attname)));
	}
	return out.data;
}

/* Bring a view that is there to where it belongs, whatever its table is called now. */
static void
merge_live_move(Oid view, Oid namespace, const char *name)
{
	const char *schema = get_namespace_name(get_rel_namespace(view));
	const char *old_name = get_rel_name(view);

	if (strcmp(old_name, name) != 0)
		merge_live_run(psprintf("ALTER VIEW %s RENAME TO %s",
								quote_qualified_identifier(schema, old_name),
								quote_identifier(name)));
	if (get_rel_namespace(view) != namespace)
		merge_live_run(psprintf("ALTER VIEW %s SET SCHEMA %s",
								quote_qualified_identifier(schema, name),
								quote_identifier(get_namespace_name(namespace))));
}

static Oid
merge_live_owner(Oid view)
{
	HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(view));
	Oid owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", view);
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

/* Whoever may do something to the table, or to columns of it, may do it to the view. */
static void
merge_live_grant(const MergeShape *shape, const char *view)
{
	QueryArguments arguments = {0};
	List *grants = NIL;
	ListCell *cell;

	query_argument(&arguments, OIDOID, ObjectIdGetDatum(shape->table), false);
	query_argument(&arguments, TEXTOID, CStringGetTextDatum(view), false);
	query_run("SELECT format('GRANT %s%s ON %s TO %s%s', a.privilege_type, g.columns, $2, "
			  "CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) "
			  "END, CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' END) "
			  "FROM (SELECT '', c.relacl, c.relowner FROM pg_class c WHERE c.oid = $1 "
			  "UNION ALL SELECT format(' (%I)', b.attname), b.attacl, c.relowner FROM pg_class c "
			  "JOIN pg_attribute b ON b.attrelid = c.oid WHERE c.oid = $1 AND b.attnum > 0 "
			  "AND NOT b.attisdropped AND b.attname NOT IN ('" MERGE_PRESENCE_COLUMN
			  "', '" MERGE_STAMPS_COLUMN "')) g (columns, acl, owner), aclexplode(g.acl) a "
			  "WHERE a.grantee <> g.owner "
			  "AND a.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE') ORDER BY 1",
			  &arguments);
	for (uint64 i = 0; i < SPI_processed; i++)
		grants = lappend(grants, SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1));
	foreach (cell, grants)
	{
		merge_live_run(lfirst(cell));
	}
}

/*
 * Make the view of a table whose columns are ready, or bring it up to date.  It
 * belongs to whom the table belongs to.
 */
void
merge_live_create(Oid table_oid, Oid extension)
{
	Oid view = merge_live_find(table_oid, extension);
	Relation table = table_open(table_oid, AccessExclusiveLock);
	const char *schema = quote_identifier(get_namespace_name(extension));
	Oid namespace = RelationGetNamespace(table);
	MergeShape shape;
	const char *name;
	const char *qualified;
	const char *columns;
	bool extends;

	merge_shape_read(&shape, table, extension);
	name = makeObjectName(shape.name, NULL, "live");
	qualified = quote_qualified_identifier(get_namespace_name(namespace), name);
	columns = merge_live_columns(&shape, table);
	extends = OidIsValid(view) && merge_live_extends(&shape, table, view);
	/* while the table is open, it cannot be altered */
	table_close(table, NoLock);

	if (OidIsValid(get_relname_relid(name, namespace)) &&
		get_relname_relid(name, namespace) != view)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_TABLE), errmsg("relation \"%s\" already exists", name),
				 errdetail("The view of the rows that are there is to have that name."),
				 errhint("Rename or drop what has it.")));
	query_connect();
	if (OidIsValid(view) && !extends)
		merge_live_run(
			psprintf("DROP VIEW %s",
					 quote_qualified_identifier(get_namespace_name(get_rel_namespace(view)),
												get_rel_name(view))));
	else if (OidIsValid(view))
		merge_live_move(view, namespace, name);
	merge_live_run(psprintf("CREATE OR REPLACE VIEW %s " COMPAT_SECURITY_INVOKER
							"AS SELECT %s FROM %s t WHERE %s.is_present(t." MERGE_PRESENCE_COLUMN
							")",
							qualified, columns, shape.qualified, schema));
	if (!extends)
		merge_live_run(psprintf("CREATE TRIGGER \"" MERGE_LIVE_TRIGGER "\" INSTEAD OF DELETE ON %s "
								"FOR EACH ROW EXECUTE FUNCTION %s.merge_live_delete()",
								qualified, schema));
	merge_live_run(psprintf("COMMENT ON VIEW %s IS 'the rows of a merged table that are there: not "
							"those that were removed'",
							qualified));
	view = get_relname_relid(name, namespace);
	if (merge_live_owner(view) != shape.owner)
		merge_live_run(psprintf("ALTER VIEW %s OWNER TO %s", qualified,
								quote_identifier(GetUserNameFromId(shape.owner, false))));
	merge_live_grant(&shape, qualified);
	query_finish();
}

void
merge_live_drop(Oid table, Oid extension)
{
	Oid view = merge_live_find(table, extension);

	if (!OidIsValid(view))
		return;
	query_connect();
	merge_live_run(psprintf("DROP VIEW %s",
							quote_qualified_identifier(get_namespace_name(get_rel_namespace(view)),
													   get_rel_name(view))));
	query_finish();
}

/*
 * Deleting from it
 */

#define MERGE_KEY_MOST INDEX_MAX_KEYS

/* What the trigger does to each row; as long as its statement runs. */
typedef struct LiveDelete
{
	Oid table;
	int nkeys;
	Oid types[MERGE_KEY_MOST];
	AttrNumber columns[MERGE_KEY_MOST]; /* of the view */
	char *where;
	char *name;            /* of the table, as statements name it */
	const char *extension; /* likewise our schema */
} LiveDelete;

/* The column of the view that shows a column of its table. */
static AttrNumber
merge_live_column(Relation view, AttrNumber column)
{
	ListCell *cell;

	foreach (cell, get_view_query(view)->targetList)
	{
		TargetEntry *entry = lfirst(cell);

		if (IsA(entry->expr, Var) && ((Var *) entry->expr)->varattno == column)
			return entry->resno;
	}
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("view \"%s\" does not show the key of its table",
					RelationGetRelationName(view)),
			 errhint("Make it anew: drop it, and call enable_merge for the table again.")));
	return 0;
}

/* The condition that finds a row, by the operators of the key's index. */
static void
merge_live_key(LiveDelete *delete, Relation view, Relation table)
{
	Relation index = relation_open(RelationGetReplicaIndex(table), AccessShareLock);
	StringInfoData where;

	initStringInfo(&where);
	delete->nkeys = IndexRelationGetNumberOfKeyAttributes(index);
	for (int i = 0; i < delete->nkeys; i++)
	{
		AttrNumber column = index->rd_index->indkey.values[i];
		Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(table),
													AttrNumberGetAttrOffset(column));
		Oid equals = get_opfamily_member(index->rd_opfamily[i], index->rd_opcintype[i],
										 index->rd_opcintype[i], BTEqualStrategyNumber);

		delete->types[i] = attribute->atttypid;
		delete->columns[i] = merge_live_column(view, column);
		appendStringInfoString(&where, i ? " AND " : "");
		generate_operator_clause(&where,
								 psprintf("t.%s", quote_identifier(NameStr(attribute->attname))),
								 attribute->atttypid, equals, psprintf("$%d", i + 1),
								 attribute->atttypid);
	}
	relation_close(index, AccessShareLock);
	delete->where = where.data;
}

static LiveDelete *
merge_live_prepare(FunctionCallInfo fcinfo, Relation view)
{
	LiveDelete *delete = fcinfo->flinfo->fn_extra;
	MemoryContext old;
	Relation table;

	if (delete)
		return delete;
	old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	delete = palloc0(sizeof(LiveDelete));
	delete->table = merge_live_table(view);
	delete->extension = extension_schema(fcinfo);
	if (!OidIsValid(delete->table))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not the view of a merged table",
						RelationGetRelationName(view))));
	table = table_open(delete->table, RowExclusiveLock);
	delete->name = quote_qualified_identifier(get_namespace_name(RelationGetNamespace(table)),
											  RelationGetRelationName(table));
	if (!OidIsValid(RelationGetReplicaIndex(table)))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" has no key any more", RelationGetRelationName(table)),
				 errhint("Servers tell rows by their key: make it again.")));
	merge_live_key(delete, view, table);
	table_close(table, NoLock);
	MemoryContextSwitchTo(old);
	fcinfo->flinfo->fn_extra = delete;
	return delete;
}

/*
 * Where row security applies to the caller, so it must to the removal: the
 * caller deletes, and the table's trigger removes.  That does not tell whether
 * the row was there to the caller: it was, if it is no more.
 */
static bool
merge_live_delete_as_caller(LiveDelete *delete, Relation table, Datum *keys)
{
	int status = SPI_execute_plan(query_plan(delete->table,
											 psprintf("DELETE FROM ONLY %s t WHERE %s",
													  delete->name, delete->where),
											 delete->nkeys, delete->types),
								  keys, NULL, false, 0);

	if (status < 0)
		elog(ERROR, "statement failed: %s", SPI_result_code_string(status));
	return merge_intent_run(
			   INTENT_PASS, table,
			   query_plan(
				   delete->table,
				   psprintf(
					   "SELECT FROM ONLY %s t WHERE %s AND %s.is_present(t." MERGE_PRESENCE_COLUMN
					   ")",
					   delete->name, delete->where, delete->extension),
				   delete->nkeys, delete->types),
			   keys, NULL, NULL) == 0;
}

PG_FUNCTION_INFO_V1(merge_live_delete);
Datum
merge_live_delete(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	Datum keys[MERGE_KEY_MOST];
	LiveDelete *delete;
	Relation table;
	bool removed;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_INSTEAD(trigger->tg_event) ||
		!TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("merge_live_delete() must be a trigger INSTEAD OF DELETE"),
				 errhint("enable_merge makes the view of a table, with its trigger.")));
	delete = merge_live_prepare(fcinfo, trigger->tg_relation);
	if (pg_class_aclcheck(delete->table, GetUserId(), ACL_DELETE) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(delete->table));
	for (int i = 0; i < delete->nkeys; i++)
	{
		bool isnull;

		keys[i] = heap_getattr(trigger->tg_trigtuple, delete->columns[i],
							   RelationGetDescr(trigger->tg_relation), &isnull);
	}
	table = table_open(delete->table, RowExclusiveLock);
	query_connect();
	if (check_enable_rls(delete->table, InvalidOid, true) == RLS_ENABLED)
		removed = merge_live_delete_as_caller(delete, table, keys);
	else
		removed = merge_intent_run(INTENT_REMOVE, table,
								   query_plan(delete->table,
											  psprintf("UPDATE ONLY %s t SET " MERGE_PRESENCE_COLUMN
													   " = t." MERGE_PRESENCE_COLUMN " WHERE %s",
													   delete->name, delete->where),
											  delete->nkeys, delete->types),
								   keys, NULL, NULL) > 0;
	query_finish();
	table_close(table, NoLock);
	return PointerGetDatum(removed ? trigger->tg_trigtuple : NULL);
}
