/*
 * merge_catalog.c
 *		What the catalogs say about a table that is merged, or may be.
 */
#include "core/compat.h"

#include "access/attnum.h"
#include "catalog/pg_index.h"
#include "catalog/pg_proc.h"
#include "replication/merge_catalog.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/* Are rows that arrive at this table merged by our trigger? */
bool
merge_catalog_is_merged(Relation table, Oid extension)
{
	TriggerDesc *triggers = table->trigdesc;

	for (int i = 0; triggers && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		if (strcmp(trigger->tgname, MERGE_TRIGGER) == 0 &&
			get_func_namespace(trigger->tgfoid) == extension)
			return true;
	}
	return false;
}

/* A lattice type is one of ours that has merge(T, T). */
static bool
merge_catalog_is_lattice(Oid type, Oid extension)
{
	Oid base = getBaseType(type);
	Oid arguments[2] = {base, base};

	return SearchSysCacheExists3(PROCNAMEARGSNSP, CStringGetDatum("merge"),
								 PointerGetDatum(buildoidvector(arguments, 2)),
								 ObjectIdGetDatum(extension));
}

/*
 * The key is the replica identity, by which logical replication finds rows; a
 * table without one has no key here.
 */
static void
merge_catalog_key(Relation table, CatalogColumns *columns)
{
	Oid index = RelationGetReplicaIndex(table);
	HeapTuple tuple;
	Form_pg_index form;

	columns->keys = 0;
	columns->key = NULL;
	if (!OidIsValid(index))
		return;
	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for index %u", index);
	form = (Form_pg_index) GETSTRUCT(tuple);
	columns->keys = form->indnkeyatts;
	columns->key = palloc(sizeof(AttrNumber) * columns->keys);
	for (int i = 0; i < columns->keys; i++)
		columns->key[i] = form->indkey.values[i];
	ReleaseSysCache(tuple);
}

void
merge_catalog_columns(Relation table, Oid extension, CatalogColumns *columns)
{
	TupleDesc desc = RelationGetDescr(table);

	merge_catalog_key(table, columns);
	columns->count = 0;
	columns->columns = palloc(sizeof(CatalogColumn) * desc->natts);
	columns->has_presence = false;
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		CatalogColumn *column;

		if (attribute->attisdropped)
			continue;
		column = &columns->columns[columns->count++];
		column->number = attribute->attnum;
		column->name = pstrdup(NameStr(attribute->attname));
		column->type = attribute->atttypid;
		column->is_lattice = merge_catalog_is_lattice(attribute->atttypid, extension);
		column->is_generated = attribute->attgenerated != '\0';
		column->is_key = false;
		for (int key = 0; key < columns->keys; key++)
			column->is_key = column->is_key || columns->key[key] == attribute->attnum;
		if (column->is_lattice && strcmp(column->name, MERGE_PRESENCE) == 0)
			columns->has_presence = true;
	}
}

const CatalogColumn *
merge_catalog_column(const CatalogColumns *columns, AttrNumber number)
{
	for (int i = 0; i < columns->count; i++)
	{
		if (columns->columns[i].number == number)
			return &columns->columns[i];
	}
	elog(ERROR, "column %d is missing", number);
}

/* With its schema, quoted where need be. */
const char *
merge_catalog_name(Relation table)
{
	return quote_qualified_identifier(get_namespace_name(RelationGetNamespace(table)),
									  RelationGetRelationName(table));
}
