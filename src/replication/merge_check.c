/*
 * merge_check.c
 *		Whether rows of a table can be merged: what is refused, and what is only
 *		warned of.
 *
 * What is refused would make servers differ for ever, or stop replication:
 * rows that nothing finds on the other server, two rows of which only one can
 * be there, rows that get the same key by chance.  What is warned of works, but
 * perhaps not as its maker thinks.
 */
#include "core/compat.h"

#include "access/genam.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/catalog.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "core/query.h"
#include "lib/stringinfo.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "replication/merge_check.h"
#include "replication/merge_companion.h"
#include "replication/merge_ddl.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

static void
merge_refuse(const char *name, int sqlstate, const char *detail, const char *hint)
{
	ereport(ERROR,
			(errcode(sqlstate), errmsg("cannot merge rows of \"%s\"", name),
			 errdetail_internal("%s", detail), errhint("%s", hint)));
}

/*
 * Refuse what is no table, before it is locked.
 */
void
merge_check_kind(Oid table)
{
	const char *name = get_rel_name(table);
	const char *kind;
	const char *hint = "Only rows of ordinary tables can be merged.";

	switch (get_rel_relkind(table))
	{
		case RELKIND_RELATION:
		case RELKIND_PARTITIONED_TABLE:
			return;
		case RELKIND_VIEW:
			kind = "a view";
			hint = "Enable merging for the tables that it reads.";
			break;
		case RELKIND_MATVIEW:
			kind = "a materialized view";
			hint = "Enable merging for the tables that it reads.";
			break;
		case RELKIND_FOREIGN_TABLE:
			kind = "a foreign table";
			hint = "Enable merging on the server where its rows are.";
			break;
		case RELKIND_SEQUENCE:
			kind = "a sequence";
			break;
		case RELKIND_INDEX:
		case RELKIND_PARTITIONED_INDEX:
			kind = "an index";
			break;
		default:
			kind = "not a table";
			break;
	}
	merge_refuse(name, ERRCODE_WRONG_OBJECT_TYPE, psprintf("\"%s\" is %s.", name, kind), hint);
}

/* Tables, but not ordinary ones. */
static void
merge_refuse_kind(const MergeShape *shape, Relation table)
{
	Oid extension = getExtensionOfObject(RelationRelationId, shape->table);
	const char *detail = NULL;
	const char *hint = NULL;

	if (IsSystemRelation(table))
	{
		detail = "It is a system catalog.";
		hint = "Enable merging for tables of your own.";
	}
	else if (OidIsValid(extension))
	{
		detail = psprintf("It belongs to the extension \"%s\".", get_extension_name(extension));
		hint = "Enable merging for tables of your own.";
	}
	else if (table->rd_rel->relpersistence == RELPERSISTENCE_TEMP)
	{
		detail = "It is a temporary table, which is not replicated.";
		hint = "Create it without TEMPORARY.";
	}
	else if (table->rd_rel->relpersistence == RELPERSISTENCE_UNLOGGED)
	{
		detail = "It is an unlogged table, which is not replicated.";
		hint = psprintf("Use ALTER TABLE %s SET LOGGED.", shape->qualified);
	}
	else if (table->rd_rel->relispartition)
	{
		Oid root = llast_oid(get_partition_ancestors(shape->table));

		detail = psprintf("It is a partition of \"%s\".", get_rel_name(root));
		hint = psprintf("Enable merging for the whole table: SELECT %s.enable_merge('%s').",
						quote_identifier(get_namespace_name(shape->extension)),
						merge_table_name(root));
	}
	else if (has_superclass(shape->table))
	{
		detail = "It inherits from another table.";
		hint = psprintf("Make it a table by itself: ALTER TABLE %s NO INHERIT ....",
						shape->qualified);
	}
	else if (table->rd_rel->relkind != RELKIND_PARTITIONED_TABLE &&
			 find_inheritance_children(shape->table, NoLock) != NIL)
	{
		detail = "Other tables inherit from it.";
		hint = "Make them tables by themselves: ALTER TABLE ... NO INHERIT.";
	}
	else if (OidIsValid(table->rd_rel->reloftype))
	{
		detail = "It is a table of a type, to which no columns can be added.";
		hint = psprintf("Use ALTER TABLE %s NOT OF.", shape->qualified);
	}
	else if (table->rd_rules != NULL)
	{
		detail = "It has rules, which rewrite what is done to it.";
		hint = "Drop them, and use triggers instead.";
	}
	if (detail)
		merge_refuse(shape->name, ERRCODE_WRONG_OBJECT_TYPE, detail, hint);
}

/* The table has no replica identity that tells one row from all others: why? */
static void
merge_refuse_keyless(const MergeShape *shape, Relation table)
{
	const char *detail = "It has no primary key.";
	const char *hint = psprintf("Servers tell rows by their key: ALTER TABLE %s ADD PRIMARY KEY "
								"(...), or REPLICA IDENTITY USING INDEX with a unique one.",
								shape->qualified);
	List *indexes = RelationGetIndexList(table);
	ListCell *cell;

	switch (table->rd_rel->relreplident)
	{
		case REPLICA_IDENTITY_FULL:
		case REPLICA_IDENTITY_NOTHING:
			detail = psprintf("Its replica identity is %s.",
							  table->rd_rel->relreplident == REPLICA_IDENTITY_FULL ? "FULL"
																				   : "NOTHING");
			hint = psprintf("Servers tell rows by their key: ALTER TABLE %s REPLICA IDENTITY "
							"DEFAULT, which is the primary key, or USING INDEX.",
							shape->qualified);
			break;
		case REPLICA_IDENTITY_INDEX:
			detail = "The index of its replica identity is not there, or not valid.";
			break;
		default:
			foreach (cell, indexes)
			{
				Relation index = relation_open(lfirst_oid(cell), AccessShareLock);

				if (index->rd_index->indisprimary && !index->rd_index->indimmediate)
				{
					detail = psprintf("Its primary key \"%s\" is deferrable.",
									  RelationGetRelationName(index));
					hint = "Make a primary key that is not deferrable: rows that arrive may meet "
						   "others of the same key.";
				}
				relation_close(index, AccessShareLock);
			}
	}
	merge_refuse(shape->name, ERRCODE_INVALID_TABLE_DEFINITION, detail, hint);
}

/* What calls of functions an expression has. */
typedef struct DefaultCalls
{
	Oid local_node;
	bool sequence; /* nextval() */
	bool node;     /* something that differs from server to server */
} DefaultCalls;

static bool
merge_note_function(Oid function, void *context)
{
	DefaultCalls *calls = context;

	if (function == calls->local_node)
		calls->node = true;
	else if (get_func_namespace(function) == PG_CATALOG_NAMESPACE)
	{
		const char *name = get_func_name(function);

		calls->sequence |= strcmp(name, "nextval") == 0;
		calls->node |= strcmp(name, "current_setting") == 0;
	}
	return false;
}

static bool
merge_note_calls(Node *node, void *context)
{
	if (node == NULL)
		return false;
	(void) check_functions_in_node(node, merge_note_function, context);
	return expression_tree_walker(node, merge_note_calls, context);
}

/*
 * Two servers would make different rows with equal keys, which then are merged.
 * A sequence is all right in a key that names the node as well.
 */
static void
merge_refuse_sequences(const MergeShape *shape, Relation table)
{
	DefaultCalls calls = {extension_trigger_function(shape->extension, "local_node"), false, false};
	AttrNumber drawn = 0;
	ListCell *cell;

	foreach (cell, shape->key_columns)
	{
		AttrNumber column = (AttrNumber) lfirst_int(cell);
		Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(table),
													AttrNumberGetAttrOffset(column));

		if (attribute->attidentity)
			calls.sequence = true;
		else
			(void) merge_note_calls(build_column_default(table, column), &calls);
		if (calls.sequence && drawn == 0)
			drawn = column;
	}
	if (calls.sequence && !calls.node)
		merge_refuse(shape->name, ERRCODE_INVALID_TABLE_DEFINITION,
					 psprintf("Column \"%s\" of its key is numbered by a sequence, and each server "
							  "has a sequence of its own: different rows would get equal keys.",
							  merge_column_name(table, drawn)),
					 psprintf("Use uuid with DEFAULT gen_random_uuid(), or a key that has the "
							  "node's name as well, such as text with DEFAULT %s.local_node() || "
							  "'-' || nextval(...).",
							  quote_identifier(get_namespace_name(shape->extension))));
}

static void
merge_refuse_key(const MergeShape *shape, Relation table)
{
	ListCell *cell;

	if (!OidIsValid(shape->key_index))
		merge_refuse_keyless(shape, table);
	if (!shape->key_equal)
		merge_refuse(shape->name, ERRCODE_INVALID_TABLE_DEFINITION,
					 psprintf("Its key \"%s\" is not one of equal values.",
							  get_rel_name(shape->key_index)),
					 "Use a key without WITHOUT OVERLAPS.");
	foreach (cell, shape->key_columns)
	{
		AttrNumber column = (AttrNumber) lfirst_int(cell);
		Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(table),
													AttrNumberGetAttrOffset(column));

		if (attribute->attgenerated)
			merge_refuse(shape->name, ERRCODE_INVALID_TABLE_DEFINITION,
						 psprintf("Column \"%s\" of its key is generated.",
								  NameStr(attribute->attname)),
						 "Generated columns are not replicated: use a key of ordinary columns.");
		if (OidIsValid(merge_lattice_function(attribute->atttypid, shape->extension, NULL)))
			merge_refuse(shape->name, ERRCODE_INVALID_TABLE_DEFINITION,
						 psprintf("Column \"%s\" of its key is of type %s, whose values merge.",
								  NameStr(attribute->attname), format_type_be(attribute->atttypid)),
						 "A key tells rows from one another, and never changes: use another.");
	}
	merge_refuse_sequences(shape, table);
}

/* A constraint that makes rows unique besides the key, and what it is called; or NULL. */
static const char *
merge_find_unique(const MergeShape *shape, Relation table, const char **kind)
{
	List *indexes = RelationGetIndexList(table);
	const char *found = NULL;
	ListCell *cell;

	foreach (cell, indexes)
	{
		Relation index;
		const char *is = NULL;

		if (lfirst_oid(cell) == shape->key_index)
			continue;
		index = relation_open(lfirst_oid(cell), AccessShareLock);
		if (index->rd_index->indisexclusion)
			is = "exclusion constraint";
		else if (index->rd_index->indisprimary)
			is = "primary key";
		else if (index->rd_index->indisunique)
			is = "unique index";
		if (is && found == NULL)
		{
			found = pstrdup(RelationGetRelationName(index));
			*kind = is;
		}
		relation_close(index, AccessShareLock);
	}
	list_free(indexes);
	return found;
}

const char *
merge_check_unique(const MergeShape *shape, Relation table)
{
	const char *kind;

	return merge_find_unique(shape, table, &kind);
}

/* Of two rows that are unique where they were made, one would be refused where both arrive. */
static void
merge_refuse_unique(const MergeShape *shape, Relation table)
{
	const char *kind;
	const char *name = merge_find_unique(shape, table, &kind);

	if (name)
		merge_refuse(shape->name, ERRCODE_INVALID_TABLE_DEFINITION,
					 psprintf("Besides its replica identity it has the %s \"%s\": two servers may "
							  "each make a row, of which only one can be there.",
							  kind, name),
					 "Drop it, or make its columns the key: rows of equal keys are merged.");
}

/* Is the constraint there that refuses rows which have passed by the trigger, and is it ours? */
bool
merge_check_constraint(const MergeShape *shape)
{
	Oid type = extension_type(shape->extension, "row_stamp");
	Oid function = GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum("is_merged"),
								   PointerGetDatum(buildoidvector(&type, 1)),
								   ObjectIdGetDatum(shape->extension));
	Oid constraint = get_relation_constraint_oid(shape->table, MERGE_ARRIVALS_CHECK, true);
	Relation depend;
	SysScanDesc scan;
	ScanKeyData keys[2];
	HeapTuple tuple;
	bool calls = false;

	if (!OidIsValid(constraint))
		return false;
	depend = table_open(DependRelationId, AccessShareLock);
	ScanKeyInit(&keys[0], Anum_pg_depend_classid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(ConstraintRelationId));
	ScanKeyInit(&keys[1], Anum_pg_depend_objid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(constraint));
	scan = systable_beginscan(depend, DependDependerIndexId, true, NULL, 2, keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend entry = (Form_pg_depend) GETSTRUCT(tuple);

		calls |= entry->refclassid == ProcedureRelationId && entry->refobjid == function;
	}
	systable_endscan(scan);
	table_close(depend, AccessShareLock);
	return calls;
}

/* The hidden column's name is taken, or somebody has made it before us. */
static void
merge_refuse_column(const MergeShape *shape, Relation table)
{
	bool ours = shape->stamp != 0 &&
		TupleDescAttr(RelationGetDescr(table), shape->stamp - 1)->attnotnull;

	if (shape->reserved || (shape->stamp != 0 && !ours))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_COLUMN),
				 errmsg("cannot merge rows of \"%s\"", shape->name),
				 errdetail("Merging needs a column \"%s\" of type row_stamp that is not null, and "
						   "there is another of that name.",
						   MERGE_STAMP_COLUMN),
				 errhint("Rename it: ALTER TABLE %s RENAME COLUMN %s TO ....", shape->qualified,
						 MERGE_STAMP_COLUMN)));
}

/* Rows are found in a partition by its replica identity, which must be that of the whole. */
static void
merge_refuse_partition(const MergeShape *shape, Relation table, Oid partition)
{
	Relation leaf = relation_open(partition, AccessShareLock);
	MergeShape part;
	ListCell *a;
	ListCell *b;
	bool same;

	merge_shape_read(&part, leaf, shape->extension);
	same = list_length(part.key_columns) == list_length(shape->key_columns);
	if (same)
	{
		forboth (a, part.key_columns, b, shape->key_columns)
		{
			same = same &&
				strcmp(merge_column_name(leaf, (AttrNumber) lfirst_int(a)),
					   merge_column_name(table, (AttrNumber) lfirst_int(b))) == 0;
		}
	}
	if (leaf->rd_rel->relkind == RELKIND_FOREIGN_TABLE)
		merge_refuse(shape->name, ERRCODE_WRONG_OBJECT_TYPE,
					 psprintf("Its partition \"%s\" is a foreign table.", part.name),
					 "Enable merging on the server where its rows are.");
	if (!same)
		merge_refuse(shape->name, ERRCODE_INVALID_TABLE_DEFINITION,
					 psprintf("Its partition \"%s\" has another replica identity.", part.name),
					 psprintf("Use ALTER TABLE %s REPLICA IDENTITY DEFAULT, or that of the whole "
							  "table.",
							  part.qualified));
	relation_close(leaf, AccessShareLock);
}

static void
merge_refuse_partitions(const MergeShape *shape, Relation table)
{
	List *partitions = NIL;
	ListCell *cell;

	if (table->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		partitions = find_all_inheritors(shape->table, AccessShareLock, NULL);
	foreach (cell, partitions)
	{
		if (lfirst_oid(cell) != shape->table)
			merge_refuse_partition(shape, table, lfirst_oid(cell));
	}
}

/*
 * Raise an error, which says what to do, if rows of the table cannot be merged.
 */
void
merge_check_refuse(const MergeShape *shape, Relation table, bool lww)
{
	merge_refuse_kind(shape, table);
	merge_refuse_column(shape, table);
	merge_refuse_key(shape, table);
	merge_refuse_partitions(shape, table);
	merge_refuse_unique(shape, table);
	if (!lww && !bms_is_empty(shape->plain))
		merge_refuse(shape->name, ERRCODE_INVALID_TABLE_DEFINITION,
					 psprintf("It has columns that neither are in the key nor merge by "
							  "themselves: %s.",
							  merge_quoted_names(merge_column_names(table, shape->plain))),
					 "Use plain_columns => 'lww', or types that merge.");
}

/*
 * Warnings
 */

static void
merge_warn_foreign_keys(const MergeShape *shape)
{
	QueryArguments arguments = {0};
	List *from = NIL;
	List *to = NIL;

	query_connect();
	query_argument(&arguments, OIDOID, ObjectIdGetDatum(shape->table), false);
	query_run("SELECT conname::pg_catalog.text, conrelid OPERATOR(pg_catalog.=) $1, "
			  "confrelid OPERATOR(pg_catalog.=) $1 FROM pg_catalog.pg_constraint "
			  "WHERE contype OPERATOR(pg_catalog.=) 'f' AND conparentid OPERATOR(pg_catalog.=) 0 "
			  "AND (conrelid OPERATOR(pg_catalog.=) $1 OR confrelid OPERATOR(pg_catalog.=) $1) "
			  "ORDER BY conname, conrelid",
			  &arguments);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple row = SPI_tuptable->vals[i];
		TupleDesc desc = SPI_tuptable->tupdesc;
		char *name = SPI_getvalue(row, desc, 1);
		bool isnull;

		if (DatumGetBool(SPI_getbinval(row, desc, 2, &isnull)))
			from = lappend(from, name);
		if (DatumGetBool(SPI_getbinval(row, desc, 3, &isnull)))
			to = lappend(to, name);
	}
	if (from)
		ereport(WARNING,
				(errmsg("foreign keys of \"%s\" are not checked for rows that arrive", shape->name),
				 errdetail("Foreign keys: %s.", merge_quoted_names(from)),
				 errhint(
					 "A row may be there without the one that it refers to: look for such rows, "
					 "or drop the constraint.")));
	if (to)
		ereport(
			WARNING,
			(errmsg("foreign keys that refer to \"%s\" do not act where removals arrive",
					shape->name),
			 errdetail("Foreign keys: %s. Their actions travel as what they do to the rows that "
					   "refer to it.",
					   merge_quoted_names(to)),
			 errhint("A row that is written elsewhere meanwhile may refer to one that is gone: "
					 "look for such rows, or drop the constraint.")));
	query_finish();
}

/*
 * May rows that satisfy a constraint merge to one that does not?  Not if it is
 * about one plain column, whose value always is one that was there.
 */
static bool
merge_may_break(const MergeShape *shape, const char *expression)
{
	Bitmapset *used = NULL;
	int plain = 0;
	int member = -1;

	pull_varattnos(stringToNode(expression), 1, &used);
	while ((member = bms_next_member(used, member)) >= 0)
	{
		int column = member + FirstLowInvalidHeapAttributeNumber;

		if (column == 0 || (column > 0 && bms_is_member(column, shape->derived)))
			return true; /* the whole row; or what was made of others */
		if (column < 0 || bms_is_member(column, shape->key))
			continue;
		if (!bms_is_member(column, shape->plain))
			return true;
		plain++;
	}
	return plain > 1;
}

static void
merge_warn_checks(const MergeShape *shape, Relation table)
{
	TupleConstr *constraints = RelationGetDescr(table)->constr;
	List *names = NIL;
	int column = -1;

	for (int i = 0; constraints && i < constraints->num_check; i++)
	{
		if (strcmp(constraints->check[i].ccname, MERGE_ARRIVALS_CHECK) != 0 &&
			merge_may_break(shape, constraints->check[i].ccbin))
			names = lappend(names, constraints->check[i].ccname);
	}
	if (names)
		ereport(WARNING,
				(errmsg("rows that merge may violate CHECK constraints of \"%s\"", shape->name),
				 errdetail("Constraints: %s.", merge_quoted_names(names)),
				 errhint("A violation stops replication to this server: drop constraints that two "
						 "rows can satisfy and their merge cannot.")));
	names = NIL;
	while ((column = bms_next_member(shape->lattices, column)) >= 0)
	{
		Oid type =
			TupleDescAttr(RelationGetDescr(table), AttrNumberGetAttrOffset(column))->atttypid;

		if (get_typtype(type) == TYPTYPE_DOMAIN && DomainHasConstraints(type))
			names = lappend(names, pstrdup(merge_column_name(table, (AttrNumber) column)));
	}
	if (names)
		ereport(WARNING,
				(errmsg("values that merge are not checked against constraints of domains"),
				 errdetail("Columns of \"%s\": %s.", shape->name, merge_quoted_names(names)),
				 errhint("A merged value may be one that its domain does not allow.")));
}

/* Triggers that change rows after ours has seen them. */
static void
merge_warn_triggers(const MergeShape *shape, Relation table)
{
	List *names = NIL;

	for (int i = 0; table->trigdesc && i < table->trigdesc->numtriggers; i++)
	{
		const Trigger *trigger = &table->trigdesc->triggers[i];

		if (TRIGGER_FOR_BEFORE(trigger->tgtype) && TRIGGER_FOR_ROW(trigger->tgtype) &&
			trigger->tgenabled != TRIGGER_DISABLED &&
			strcmp(trigger->tgname, MERGE_ROW_TRIGGER) > 0)
			names = lappend(names, trigger->tgname);
	}
	if (names)
		ereport(WARNING,
				(errmsg("triggers of \"%s\" fire after rows were merged", shape->name),
				 errdetail("Triggers: %s.", merge_quoted_names(names)),
				 errhint("What they change is not stamped, and does not travel: give them names "
						 "that sort before \"%s\".",
						 MERGE_ROW_TRIGGER)));
}

/* New columns that every server has filled in a way of its own, in the rows that are there. */
static void
merge_warn_defaults(const MergeShape *shape, Relation table)
{
	List *names = NIL;
	List *added = OidIsValid(shape->companion) ? merge_companion_lacks(shape, table) : NIL;
	ListCell *cell;

	foreach (cell, added)
	{
		AttrNumber column = get_attnum(shape->table, lfirst(cell));
		Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(table),
													AttrNumberGetAttrOffset(column));

		if (bms_is_member(column, shape->plain) &&
			(attribute->attidentity ||
			 (attribute->atthasdef &&
			  contain_volatile_functions(build_column_default(table, column)))))
			names = lappend(names, lfirst(cell));
	}
	if (names)
		ereport(
			WARNING,
			(errmsg("rows of \"%s\" differ from server to server", shape->name),
			 errdetail("New columns have defaults that are another value for each row: %s.",
					   merge_quoted_names(names)),
			 errhint("When all servers have them, let the values of one server be those of all, "
					 "there: UPDATE %s SET %s = %s.",
					 shape->qualified, quote_identifier(linitial(names)),
					 quote_identifier(linitial(names)))));
}

void
merge_check_warn(const MergeShape *shape, Relation table)
{
	merge_warn_defaults(shape, table);
	merge_warn_foreign_keys(shape);
	merge_warn_checks(shape, table);
	merge_warn_triggers(shape, table);
	if (table->rd_rel->relrowsecurity)
		ereport(WARNING,
				(errmsg("row security of \"%s\" may keep rows from arriving", shape->name),
				 errdetail("It applies to the owner of a subscription, too."),
				 errhint("Let a superuser, or a role with BYPASSRLS, own the subscriptions.")));
}
