/*
 * merge_shape.c
 *		What a table looks like to merging: which columns find a row, which merge
 *		by themselves, which need stamps; whether its rows are merged, and where
 *		those are that were removed.
 *
 * Types and functions are told by their OIDs: by where they are, not by what they
 * are called.  A trigger is ours if it has both our name and our function, on a
 * table of whatever owner: so an owner can spoil his own table, and no other.
 *
 * A companion is told by the trigger "~merge_after", a constraint trigger, whose
 * definition refers to it by OID (CREATE CONSTRAINT TRIGGER .. FROM): so both
 * tables may be renamed, and be dumped and restored.  It is believed if it has the
 * owner of its table and the trigger that guards it.
 */
#include "core/compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/pg_am.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_index.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "core/query.h"
#include "lib/stringinfo.h"
#include "replication/merge_shape.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

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

/* One of the columns that merging adds, or has added, by name and type. */
static AttrNumber
merge_shape_hidden(const MergeShape *shape, Form_pg_attribute column, const char *name,
				   const char *type)
{
	if (strcmp(NameStr(column->attname), name) == 0 &&
		column->atttypid == extension_type(shape->extension, type) && !column->attgenerated)
		return column->attnum;
	return 0;
}

static bool
merge_shape_is_hidden(MergeShape *shape, Form_pg_attribute column)
{
	if (NameStr(column->attname)[0] != '_')
		return false;
	if (strcmp(NameStr(column->attname), MERGE_STAMP_COLUMN) == 0)
	{
		shape->stamp = merge_shape_hidden(shape, column, MERGE_STAMP_COLUMN, "row_stamp");
		shape->reserved = shape->stamp == 0;
		return shape->stamp != 0;
	}
	if (shape->old_presence == 0)
		shape->old_presence = merge_shape_hidden(shape, column, MERGE_OLD_PRESENCE_COLUMN,
												 "ew_flag");
	if (shape->old_stamps == 0)
		shape->old_stamps = merge_shape_hidden(shape, column, MERGE_OLD_STAMPS_COLUMN, "lww_map");
	return column->attnum == shape->old_presence || column->attnum == shape->old_stamps;
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

/* A trigger of ours, by name and function. */
static const Trigger *
merge_shape_trigger(Relation table, Oid extension, const char *name, const char *function)
{
	for (int i = 0; table->trigdesc && i < table->trigdesc->numtriggers; i++)
	{
		const Trigger *trigger = &table->trigdesc->triggers[i];

		if (strcmp(trigger->tgname, name) == 0 &&
			trigger->tgfoid == extension_trigger_function(extension, function))
			return trigger;
	}
	return NULL;
}

/* Does a table hold the removed rows of one of this owner's? */
bool
merge_shape_is_companion(Relation companion, Oid owner, Oid extension)
{
	return companion->rd_rel->relkind == RELKIND_RELATION && companion->rd_rel->relowner == owner &&
		merge_shape_trigger(companion, extension, MERGE_REMOVED_TRIGGER, "merge_removed") != NULL;
}

static void
merge_shape_read_triggers(MergeShape *shape, Relation table)
{
	Oid extension = shape->extension;
	const Trigger *row = merge_shape_trigger(table, extension, MERGE_ROW_TRIGGER, "merge_row");
	Relation companion = NULL;

	shape->row_trigger = row && row->tgnargs == 2 ? row : NULL;
	shape->after_trigger = merge_shape_trigger(table, extension, MERGE_AFTER_TRIGGER,
											   "merge_after");
	shape->truncate_trigger = merge_shape_trigger(table, extension, MERGE_TRUNCATE_TRIGGER,
												  "merge_truncate");
	shape->removed_trigger = merge_shape_trigger(table, extension, MERGE_REMOVED_TRIGGER,
												 "merge_removed");
	if (shape->after_trigger && OidIsValid(shape->after_trigger->tgconstrrelid))
		companion = try_relation_open(shape->after_trigger->tgconstrrelid, AccessShareLock);
	if (companion == NULL)
		return;
	if (merge_shape_is_companion(companion, shape->owner, extension))
		shape->companion = RelationGetRelid(companion);
	relation_close(companion, AccessShareLock);
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

/* The table of a trigger that refers to a companion; none if it is a partition's, or not ours. */
static Oid
merge_shape_referrer(Oid trigger_oid, Oid companion, Oid function)
{
	Relation triggers = table_open(TriggerRelationId, AccessShareLock);
	Oid referrer = InvalidOid;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple tuple;

	ScanKeyInit(&key, Anum_pg_trigger_oid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(trigger_oid));
	scan = systable_beginscan(triggers, TriggerOidIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		Form_pg_trigger trigger = (Form_pg_trigger) GETSTRUCT(tuple);

		if (trigger->tgconstrrelid == companion && trigger->tgfoid == function &&
			!OidIsValid(trigger->tgparentid) &&
			strcmp(NameStr(trigger->tgname), MERGE_AFTER_TRIGGER) == 0 &&
			!get_rel_relispartition(trigger->tgrelid))
			referrer = trigger->tgrelid;
	}
	systable_endscan(scan);
	table_close(triggers, AccessShareLock);
	return referrer;
}

/* The table, not a partition, whose removed rows are in a companion; or none. */
Oid
merge_shape_companion_of(Oid companion, Oid extension)
{
	Oid function = extension_trigger_function(extension, "merge_after");
	Oid owner = query_table_owner(companion);
	Relation depend = table_open(DependRelationId, AccessShareLock);
	Oid found = InvalidOid;
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple tuple;

	ScanKeyInit(&keys[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(RelationRelationId));
	ScanKeyInit(&keys[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(companion));
	scan = systable_beginscan(depend, DependReferenceIndexId, true, NULL, 2, keys);
	while (!OidIsValid(found) && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend entry = (Form_pg_depend) GETSTRUCT(tuple);

		if (entry->classid == TriggerRelationId)
			found = merge_shape_referrer(entry->objid, companion, function);
		if (OidIsValid(found) && query_table_owner(found) != owner)
			found = InvalidOid;
	}
	systable_endscan(scan);
	table_close(depend, AccessShareLock);
	return found;
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
