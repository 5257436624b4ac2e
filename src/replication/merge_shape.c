/*
 * merge_shape.c
 *		What a table looks like to merging: which columns find a row, which merge
 *		by themselves, which need stamps; and whether its rows are merged.
 *
 * Types and triggers are told by their OIDs: by where they are, not by what they
 * are called.
 */
#include "core/compat.h"

#include "access/relation.h"
#include "catalog/pg_am.h"
#include "catalog/pg_index.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "core/query.h"
#include "lib/stringinfo.h"
#include "replication/merge_shape.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/* One of our functions without arguments: a trigger's. */
Oid
merge_function(Oid extension, const char *name)
{
	oidvector *none = buildoidvector(NULL, 0);
	Oid function = GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum(name),
								   PointerGetDatum(none), ObjectIdGetDatum(extension));

	if (!OidIsValid(function))
		elog(ERROR, "function %s() of the extension is missing", name);
	return function;
}

/*
 * The function merge(T, T) of a type, or of the type that a domain is over, and
 * that type; InvalidOid if it is no lattice type of the extension.
 */
Oid
merge_lattice_function(Oid type, Oid extension, Oid *base)
{
	Oid types[2];

	type = getBaseType(type);
	types[0] = types[1] = type;
	if (base)
		*base = type;
	return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum("merge"),
						   PointerGetDatum(buildoidvector(types, 2)), ObjectIdGetDatum(extension));
}

static void
merge_shape_read_key(MergeShape *shape, Relation table)
{
	Relation index;

	shape->key_index = RelationGetReplicaIndex(table);
	if (!OidIsValid(shape->key_index))
		return;
	index = relation_open(shape->key_index, AccessShareLock);
	shape->key_equal = index->rd_rel->relam == BTREE_AM_OID;
	for (int i = 0; i < IndexRelationGetNumberOfKeyAttributes(index); i++)
	{
		AttrNumber column = index->rd_index->indkey.values[i];

		shape->key_columns = lappend_int(shape->key_columns, column);
		shape->key = bms_add_member(shape->key, column);
	}
	relation_close(index, AccessShareLock);
}

/* Is this one of the columns that merging adds?  Notes what only looks like one. */
static bool
merge_shape_is_hidden(MergeShape *shape, Form_pg_attribute column)
{
	bool presence = strcmp(NameStr(column->attname), MERGE_PRESENCE_COLUMN) == 0;
	Oid type;

	if (!presence && strcmp(NameStr(column->attname), MERGE_STAMPS_COLUMN) != 0)
		return false;
	type = extension_type(shape->extension, presence ? "ew_flag" : "lww_map");
	if (column->atttypid != type || column->attgenerated)
	{
		shape->reserved = pstrdup(NameStr(column->attname));
		shape->reserved_type = type;
		return false;
	}
	*(presence ? &shape->presence : &shape->stamps) = column->attnum;
	return true;
}

static void
merge_shape_read_columns(MergeShape *shape, Relation table)
{
	TupleDesc desc = RelationGetDescr(table);

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, i);

		if (column->attisdropped || merge_shape_is_hidden(shape, column) ||
			bms_is_member(column->attnum, shape->key))
			continue;
		if (column->attgenerated)
			shape->derived = bms_add_member(shape->derived, column->attnum);
		else if (OidIsValid(merge_lattice_function(column->atttypid, shape->extension, NULL)))
			shape->lattices = bms_add_member(shape->lattices, column->attnum);
		else
			shape->plain = bms_add_member(shape->plain, column->attnum);
	}
}

static void
merge_shape_read_triggers(MergeShape *shape, Relation table)
{
	Oid row = merge_function(shape->extension, "merge_row");
	Oid truncate = merge_function(shape->extension, "merge_truncate");

	for (int i = 0; table->trigdesc && i < table->trigdesc->numtriggers; i++)
	{
		const Trigger *trigger = &table->trigdesc->triggers[i];

		if (trigger->tgfoid == row && trigger->tgnargs == 2)
			shape->row_trigger = trigger;
		else if (trigger->tgfoid == truncate)
			shape->truncate_trigger = trigger;
	}
}

void
merge_shape_read(MergeShape *shape, Relation table, Oid extension)
{
	memset(shape, 0, sizeof(*shape));
	shape->table = RelationGetRelid(table);
	shape->owner = table->rd_rel->relowner;
	shape->extension = extension;
	shape->name = pstrdup(RelationGetRelationName(table));
	shape->qualified = quote_qualified_identifier(get_namespace_name(RelationGetNamespace(table)),
												  RelationGetRelationName(table));
	merge_shape_read_key(shape, table);
	merge_shape_read_columns(shape, table);
	merge_shape_read_triggers(shape, table);
}

const char *
merge_column_name(Relation table, AttrNumber column)
{
	return NameStr(
		TupleDescAttr(RelationGetDescr(table), AttrNumberGetAttrOffset(column))->attname);
}

/* Their names, in the table's order. */
List *
merge_column_names(Relation table, const Bitmapset *columns)
{
	List *names = NIL;
	int column = -1;

	while ((column = bms_next_member(columns, column)) >= 0)
		names = lappend(names, pstrdup(merge_column_name(table, (AttrNumber) column)));
	return names;
}

/* "a", "b", "c": for messages. */
char *
merge_quoted_names(const List *names)
{
	StringInfoData out;
	const ListCell *cell;

	initStringInfo(&out);
	foreach (cell, names)
	{
		appendStringInfo(&out, "%s\"%s\"", out.len ? ", " : "", (const char *) lfirst(cell));
	}
	return out.data;
}
