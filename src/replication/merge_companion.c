/*
 * merge_companion.c
 *		Making the companion of a merged table, and having it follow the table.
 *
 * It has the columns of the table but those that are generated, of the same names and
 * types, and its key; no constraints besides, for of most rows it has no more than the
 * key and the lattice columns.  Values of plain columns are never kept, only passed,
 * so a plain column that changes its type is made anew.  Defaults are the table's:
 * where a row is passed by a publisher that does not send a column yet, PostgreSQL's
 * apply fills it in as it would in the table.
 *
 * The table refers to it by its trigger "~merge_after".  PostgreSQL would let it be
 * dropped, and the trigger with it, without a word; so the constraint
 * "~merge_arrivals" depends on the companion.  And the companion goes with the table.
 */
#include "core/compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_trigger.h"
#include "commands/defrem.h"
#include "commands/trigger.h"
#include "core/query.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "replication/merge_companion.h"
#include "replication/merge_ddl.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"

void
merge_trigger_drop(Oid table, const char *name)
{
	if (OidIsValid(get_trigger_oid(table, name, true)))
		merge_ddl("DROP TRIGGER \"%s\" ON %s", name, merge_table_name(table));
}

/* Make a trigger of ours as it should be; "there" is that of its name, or NULL. */
void
merge_trigger_prepare(const MergeShape *shape, Oid table, const Trigger *there, const char *name,
					  const char *definition)
{
	const char *qualified = merge_table_name(table);

	if (there == NULL)
	{
		merge_trigger_drop(table, name);
		merge_ddl("CREATE %s", definition);
	}
	if (there == NULL || there->tgenabled != TRIGGER_FIRES_ALWAYS)
		merge_ddl("ALTER TABLE %s ENABLE ALWAYS TRIGGER \"%s\"", qualified, name);
}

static bool
companion_has(const MergeShape *shape, Form_pg_attribute column)
{
	return !column->attisdropped && !bms_is_member(column->attnum, shape->derived) &&
		column->attnum != shape->stamp && column->attnum != shape->old_presence &&
		column->attnum != shape->old_stamps;
}

static Form_pg_attribute
companion_find(Relation companion, const char *name)
{
	TupleDesc desc = RelationGetDescr(companion);

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, i);

		if (!column->attisdropped && strcmp(NameStr(column->attname), name) == 0)
			return column;
	}
	return NULL;
}

/* The key, as a definition has it, in the order of the table's index. */
static const char *
companion_key(const MergeShape *shape, Relation table)
{
	StringInfoData list;
	ListCell *cell;

	initStringInfo(&list);
	foreach (cell, shape->key_columns)
	{
		appendStringInfo(&list, "%s%s", list.len ? ", " : "",
						 quote_identifier(merge_column_name(table, (AttrNumber) lfirst_int(cell))));
	}
	return list.data;
}

/*
 * Its name is the table's, shortened where need be, and must be free.
 */
static const char *
companion_choose_name(const MergeShape *shape)
{
	const char *name = makeObjectName(get_rel_name(shape->table), NULL, MERGE_COMPANION_LABEL);
	Oid schema = get_rel_namespace(shape->table);
	Oid there = get_relname_relid(name, schema);

	if (OidIsValid(there))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_TABLE),
				 errmsg("cannot merge rows of \"%s\"", shape->name),
				 errdetail("Its removed rows need a table \"%s\", and there is something else of "
						   "that name.",
						   name),
				 errhint("Rename that: ALTER TABLE %s RENAME TO ....", merge_table_name(there))));
	return name;
}

static Oid
companion_create(const MergeShape *shape, Relation table)
{
	TupleDesc desc = RelationGetDescr(table);
	const char *schema = quote_identifier(get_namespace_name(RelationGetNamespace(table)));
	const char *extension = quote_identifier(get_namespace_name(shape->extension));
	const char *name = companion_choose_name(shape);
	StringInfoData columns;

	initStringInfo(&columns);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, i);

		if (companion_has(shape, column))
			appendStringInfo(&columns, "%s %s, ", quote_identifier(NameStr(column->attname)),
							 merge_column_type(column));
	}
	merge_ddl("CREATE TABLE %s.%s (%s" MERGE_STAMP_COLUMN
			  " %s.row_stamp NOT NULL DEFAULT '{}', PRIMARY KEY (%s))",
			  schema, quote_identifier(name), columns.data, extension, companion_key(shape, table));
	merge_ddl("COMMENT ON TABLE %s.%s IS %s", schema, quote_identifier(name),
			  quote_literal_cstr(psprintf("removed rows of the merged table %s", shape->name)));
	/* whoever calls may be a superuser, or a member of the role that owns the table */
	if (shape->owner != GetUserId())
		merge_ddl("ALTER TABLE %s.%s OWNER TO %s", schema, quote_identifier(name),
				  quote_identifier(GetUserNameFromId(shape->owner, false)));
	return get_relname_relid(name, RelationGetNamespace(table));
}

/* A lattice column that the table has under another name by now, if there is one only. */
static Form_pg_attribute
companion_renamed(const MergeShape *shape, Relation table, Relation companion,
				  Form_pg_attribute wanted)
{
	TupleDesc desc = RelationGetDescr(companion);
	Form_pg_attribute found = NULL;

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, i);

		if (column->attisdropped || column->atttypid != wanted->atttypid ||
			companion_find(table, NameStr(column->attname)) != NULL)
			continue;
		if (found)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("cannot tell which column of \"%s\" has become \"%s\"",
							RelationGetRelationName(companion), NameStr(wanted->attname)),
					 errdetail("Columns \"%s\" and \"%s\" are no longer in \"%s\".",
							   NameStr(found->attname), NameStr(column->attname), shape->name),
					 errhint("Rename it there, too: ALTER TABLE %s RENAME COLUMN %s TO %s.",
							 merge_table_name(RelationGetRelid(companion)),
							 quote_identifier(NameStr(found->attname)),
							 quote_identifier(NameStr(wanted->attname)))));
		found = column;
	}
	return found;
}

/* Has any removed row a value in a column of the companion? */
static bool
companion_holds(Relation companion, Form_pg_attribute column)
{
	QueryArguments none = {0};

	return query_run(psprintf("SELECT 1 FROM %s WHERE %s IS NOT NULL LIMIT 1",
							  merge_table_name(RelationGetRelid(companion)),
							  quote_identifier(NameStr(column->attname))),
					 &none) > 0;
}

/* Columns of the companion that the table no longer has. */
static List *
companion_drops(const MergeShape *shape, Relation table, Relation companion)
{
	TupleDesc desc = RelationGetDescr(companion);
	List *changes = NIL;

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, i);
		const char *name = NameStr(column->attname);

		if (column->attisdropped || strcmp(name, MERGE_STAMP_COLUMN) == 0 ||
			companion_find(table, name) != NULL)
			continue;
		if (OidIsValid(merge_lattice_function(column->atttypid, shape->extension, NULL)) &&
			companion_holds(companion, column))
			ereport(WARNING,
					(errmsg("column \"%s\" is dropped from \"%s\"", name,
							RelationGetRelationName(companion)),
					 errdetail("Table \"%s\" no longer has it; what removed rows had counted there "
							   "is forgotten.",
							   shape->name)));
		changes = lappend(changes, psprintf("DROP COLUMN %s", quote_identifier(name)));
	}
	return changes;
}

/* What is to be altered for the companion to have the table's columns. */
static List *
companion_changes(const MergeShape *shape, Relation table, Relation companion)
{
	TupleDesc desc = RelationGetDescr(table);
	List *changes = NIL;

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, i);
		const char *name = quote_identifier(NameStr(column->attname));
		bool is_plain = bms_is_member(column->attnum, shape->plain);
		Form_pg_attribute there;

		if (!companion_has(shape, column))
			continue;
		there = companion_find(companion, NameStr(column->attname));
		if (there == NULL && !is_plain)
		{
			there = companion_renamed(shape, table, companion, column);
			if (there)
			{
				changes = lappend(changes,
								  psprintf("RENAME COLUMN %s TO %s",
										   quote_identifier(NameStr(there->attname)), name));
				continue;
			}
		}
		if (there == NULL)
			changes = lappend(changes,
							  psprintf("ADD COLUMN %s %s", name, merge_column_type(column)));
		else if (there->atttypid == column->atttypid && there->atttypmod == column->atttypmod &&
				 there->attcollation == column->attcollation)
			continue;
		else if (is_plain)
			changes = lappend(changes,
							  psprintf("DROP COLUMN %s, ADD COLUMN %s %s", name, name,
									   merge_column_type(column)));
		else
			changes = lappend(changes,
							  psprintf("ALTER COLUMN %s TYPE %s USING %s::%s", name,
									   merge_column_type(column), name,
									   format_type_be_qualified(column->atttypid)));
	}
	return changes;
}

/* Does the companion's key have the columns of the table's? */
static bool
companion_key_stands(const MergeShape *shape, Relation table, const MergeShape *removed,
					 Relation companion)
{
	ListCell *a;
	ListCell *b;

	if (list_length(shape->key_columns) != list_length(removed->key_columns))
		return false;
	forboth (a, shape->key_columns, b, removed->key_columns)
	{
		if (strcmp(merge_column_name(table, (AttrNumber) lfirst_int(a)),
				   merge_column_name(companion, (AttrNumber) lfirst_int(b))) != 0)
			return false;
	}
	return true;
}

/* What becomes of a column that a publisher does not send, if that is the same everywhere. */
static const char *
companion_default(Relation relation, AttrNumber column)
{
	Node *expression = build_column_default(relation, column);

	if (expression == NULL || contain_volatile_functions(expression))
		return NULL;
	return deparse_expression(expression, NIL, false, false);
}

/* What is to be altered for the companion to have the table's defaults; rows have no values of them. */
static List *
companion_defaults(const MergeShape *shape, Relation table, Relation companion)
{
	TupleDesc desc = RelationGetDescr(table);
	List *changes = NIL;

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, i);
		const char *name = NameStr(column->attname);
		const char *wanted;
		const char *there;

		if (!companion_has(shape, column))
			continue;
		wanted = companion_default(table, column->attnum);
		there = companion_default(companion, companion_find(companion, name)->attnum);
		if (wanted && (there == NULL || strcmp(wanted, there) != 0))
			changes = lappend(changes,
							  psprintf("ALTER COLUMN %s SET DEFAULT %s", quote_identifier(name),
									   wanted));
		else if (wanted == NULL && there)
			changes = lappend(changes,
							  psprintf("ALTER COLUMN %s DROP DEFAULT", quote_identifier(name)));
	}
	return changes;
}

static void
companion_run(Oid companion, List *changes)
{
	ListCell *cell;

	foreach (cell, changes)
	{
		merge_ddl("ALTER TABLE %s %s", merge_table_name(companion), (const char *) lfirst(cell));
	}
	CommandCounterIncrement();
}

/* Removed rows have no values of columns that were not in the key when they were removed. */
static void
companion_check_key(const MergeShape *shape, Relation table, Oid companion)
{
	QueryArguments none = {0};

	if (query_run(psprintf("SELECT 1 FROM %s WHERE NOT (ROW(%s) IS NOT NULL) LIMIT 1",
						   merge_table_name(companion), companion_key(shape, table)),
				  &none) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot give the removed rows of \"%s\" another key", shape->name),
				 errdetail("Rows were removed by the old key, and have no value in a column of the "
						   "new one."),
				 errhint("Bring the old key back, call acknowledge_removals() on all servers until "
						 "purge_removed('%s') has deleted all rows of \"%s\", and change the key "
						 "then.",
						 shape->qualified, get_rel_name(companion))));
}

/* Have a companion that is there follow its table. */
static void
companion_adapt(const MergeShape *shape, Relation table, Oid companion_oid)
{
	Relation companion = table_open(companion_oid, AccessExclusiveLock);
	MergeShape removed;
	List *changes;
	bool key_stands;
	bool has_key;

	merge_shape_read(&removed, companion, shape->extension);
	key_stands = companion_key_stands(shape, table, &removed, companion);
	has_key = OidIsValid(removed.key_index);
	changes = companion_changes(shape, table, companion);
	table_close(companion, NoLock);
	companion_run(companion_oid, changes);
	if (!key_stands)
	{
		/* after a column was renamed there, it may be the table's by now */
		companion = table_open(companion_oid, NoLock);
		merge_shape_read(&removed, companion, shape->extension);
		key_stands = companion_key_stands(shape, table, &removed, companion);
		table_close(companion, NoLock);
	}
	if (!key_stands)
	{
		companion_check_key(shape, table, companion_oid);
		if (has_key)
			merge_ddl("ALTER TABLE %s DROP CONSTRAINT %s", merge_table_name(companion_oid),
					  quote_identifier(get_rel_name(removed.key_index)));
		merge_ddl("ALTER TABLE %s ADD PRIMARY KEY (%s)", merge_table_name(companion_oid),
				  companion_key(shape, table));
	}
	companion = table_open(companion_oid, NoLock);
	changes = companion_drops(shape, table, companion);
	table_close(companion, NoLock);
	companion_run(companion_oid, changes);
}

/* One that is there, under the name that we would choose, and that no table refers to. */
static Oid
companion_adopt(const MergeShape *shape)
{
	const char *name = makeObjectName(get_rel_name(shape->table), NULL, MERGE_COMPANION_LABEL);
	Oid there = get_relname_relid(name, get_rel_namespace(shape->table));
	Relation relation;
	bool ours;

	if (!OidIsValid(there) || get_rel_relkind(there) != RELKIND_RELATION)
		return InvalidOid;
	relation = table_open(there, AccessShareLock);
	ours = merge_shape_is_companion(relation, shape->owner, shape->extension) &&
		!OidIsValid(merge_shape_companion_of(there, shape->extension));
	table_close(relation, AccessShareLock);
	return ours ? there : InvalidOid;
}

/* One to which the trigger refers, but which another role owns. */
static void
companion_refuse_owner(const MergeShape *shape)
{
	Oid companion = shape->after_trigger ? shape->after_trigger->tgconstrrelid : InvalidOid;

	if (OidIsValid(shape->companion) || !OidIsValid(companion) ||
		query_table_owner(companion) == shape->owner)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("companion \"%s\" of merged table \"%s\" has another owner",
					get_rel_name(companion), shape->name),
			 errhint("Give it that of the table: ALTER TABLE %s OWNER TO %s.",
					 merge_table_name(companion),
					 quote_identifier(GetUserNameFromId(shape->owner, false)))));
}

/* Make the companion of a table, or have it follow the table. */
Oid
merge_companion_prepare(const MergeShape *shape)
{
	const char *extension = quote_identifier(get_namespace_name(shape->extension));
	Relation table = table_open(shape->table, NoLock);
	Oid companion = shape->companion;
	Relation relation;
	MergeShape removed;
	List *defaults;

	companion_refuse_owner(shape);
	if (!OidIsValid(companion))
		companion = companion_adopt(shape);
	if (OidIsValid(companion))
		companion_adapt(shape, table, companion);
	else
		companion = companion_create(shape, table);
	CommandCounterIncrement();
	relation = table_open(companion, AccessExclusiveLock);
	defaults = companion_defaults(shape, table, relation);
	table_close(relation, NoLock);
	table_close(table, NoLock);
	companion_run(companion, defaults);
	relation = table_open(companion, AccessExclusiveLock);
	merge_shape_read(&removed, relation, shape->extension);
	table_close(relation, NoLock);
	merge_trigger_prepare(
		shape, companion, removed.removed_trigger, MERGE_REMOVED_TRIGGER,
		psprintf("TRIGGER \"%s\" BEFORE INSERT OR UPDATE OR DELETE ON %s FOR EACH "
				 "ROW EXECUTE FUNCTION %s.merge_removed()",
				 MERGE_REMOVED_TRIGGER, removed.qualified, extension));
	merge_trigger_prepare(shape, companion, removed.truncate_trigger, MERGE_TRUNCATE_TRIGGER,
						  psprintf("TRIGGER \"%s\" BEFORE TRUNCATE ON %s FOR EACH STATEMENT "
								   "EXECUTE FUNCTION %s.merge_truncate()",
								   MERGE_TRUNCATE_TRIGGER, removed.qualified, extension));
	return companion;
}

/* Names of columns that the companion lacks, or has with other types. */
List *
merge_companion_lacks(const MergeShape *shape, Relation table)
{
	TupleDesc desc = RelationGetDescr(table);
	Relation companion = try_relation_open(shape->companion, AccessShareLock);
	List *names = NIL;

	if (companion == NULL)
		return NIL;
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, i);
		Form_pg_attribute there;

		if (!companion_has(shape, column))
			continue;
		there = companion_find(companion, NameStr(column->attname));
		if (there == NULL || there->atttypid != column->atttypid)
			names = lappend(names, pstrdup(NameStr(column->attname)));
	}
	relation_close(companion, AccessShareLock);
	return names;
}

/*
 * Dependencies
 */

static bool
dependency_exists(const ObjectAddress *from, const ObjectAddress *to)
{
	Relation depend = table_open(DependRelationId, AccessShareLock);
	bool exists = false;
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple tuple;

	ScanKeyInit(&keys[0], Anum_pg_depend_classid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(from->classId));
	ScanKeyInit(&keys[1], Anum_pg_depend_objid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(from->objectId));
	scan = systable_beginscan(depend, DependDependerIndexId, true, NULL, 2, keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend entry = (Form_pg_depend) GETSTRUCT(tuple);

		exists |= entry->refclassid == to->classId && entry->refobjid == to->objectId;
	}
	systable_endscan(scan);
	table_close(depend, AccessShareLock);
	return exists;
}

static void
companion_addresses(const MergeShape *shape, Oid companion, ObjectAddress *table,
					ObjectAddress *removed, ObjectAddress *constraint)
{
	ObjectAddressSet(*table, RelationRelationId, shape->table);
	ObjectAddressSet(*removed, RelationRelationId, companion);
	ObjectAddressSet(*constraint, ConstraintRelationId,
					 get_relation_constraint_oid(shape->table, MERGE_ARRIVALS_CHECK, true));
}

/* The table's constraint needs the companion, which needs the table. */
void
merge_companion_depend(const MergeShape *shape, Oid companion)
{
	ObjectAddress table;
	ObjectAddress removed;
	ObjectAddress constraint;

	companion_addresses(shape, companion, &table, &removed, &constraint);
	if (!dependency_exists(&constraint, &removed))
		recordDependencyOn(&constraint, &removed, DEPENDENCY_NORMAL);
	if (!dependency_exists(&removed, &table))
		recordDependencyOn(&removed, &table, DEPENDENCY_AUTO);
}

/* A dump does not keep them. */
bool
merge_companion_depends(const MergeShape *shape)
{
	ObjectAddress table;
	ObjectAddress removed;
	ObjectAddress constraint;

	companion_addresses(shape, shape->companion, &table, &removed, &constraint);
	return OidIsValid(constraint.objectId) && dependency_exists(&constraint, &removed) &&
		dependency_exists(&removed, &table);
}
