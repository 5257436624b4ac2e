/*
 * merge_catalog.c
 *		Tables of the extension that C code reads and writes.
 *
 * Some of them must belong to whoever publishes them, who then may alter them: so
 * before a table is believed, it is checked that it is an ordinary one, belongs to the
 * extension, and has the columns that are relied on, with their types.  It is read and
 * written by table access, and nothing that its owner has put there is run for it: no
 * trigger, constraint, rule, or policy; what would be, an index or a generated column,
 * is refused.
 */
#include "core/compat.h"

#include "access/genam.h"
#include "access/table.h"
#include "core/query.h"
#include "replication/merge_catalog.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

pg_noreturn static void
catalog_altered(const MergeCatalog *catalog, int column)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" has been altered", catalog->definition->name),
			 errdetail("Column \"%s\" is missing, is null, or has another type.",
					   catalog->definition->columns[column].name)));
}

static void
catalog_check(MergeCatalog *catalog, Oid extension)
{
	TupleDesc desc = RelationGetDescr(catalog->table);

	for (int i = 0; i < catalog->definition->count; i++)
	{
		const CatalogColumn *column = &catalog->definition->columns[i];
		Oid type = column->ours ? extension_type(extension, column->ours) : column->type;
		AttrNumber number = get_attnum(RelationGetRelid(catalog->table), column->name);

		if (number <= 0 || TupleDescAttr(desc, number - 1)->atttypid != type ||
			TupleDescAttr(desc, number - 1)->attgenerated)
			catalog_altered(catalog, i);
		catalog->columns[i] = number;
	}
}

/* Whose expressions would be evaluated for whoever calls us? */
static void
catalog_check_expressions(const MergeCatalog *catalog)
{
	TupleConstr *constraints = RelationGetDescr(catalog->table)->constr;
	List *indexes = RelationGetIndexList(catalog->table);

	if (list_length(indexes) > 1 || (constraints && constraints->has_generated_stored))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" has been altered", catalog->definition->name),
				 errdetail("It has an index besides its primary key, or a generated column."),
				 errhint("Drop what was added.")));
	list_free(indexes);
}

/* Is an index on the columns of the key, and no others? */
static bool
catalog_is_key(const MergeCatalog *catalog, Oid oid)
{
	Relation index = index_open(oid, AccessShareLock);
	int keys = catalog->definition->keys;
	bool is_key = IndexRelationGetNumberOfKeyAttributes(index) == keys;

	for (int i = 0; i < keys && is_key; i++)
	{
		is_key = false;
		for (int j = 0; j < keys; j++)
			is_key |= index->rd_index->indkey.values[i] == catalog->columns[j];
	}
	index_close(index, AccessShareLock);
	return is_key;
}

void
merge_catalog_open(MergeCatalog *catalog, Oid extension, const CatalogTable *definition,
				   LOCKMODE mode)
{
	Oid key;

	memset(catalog, 0, sizeof(*catalog));
	catalog->definition = definition;
	catalog->table = table_open(extension_table(extension, definition->name), mode);
	catalog_check(catalog, extension);
	if (mode != AccessShareLock)
		catalog_check_expressions(catalog);
	key = RelationGetReplicaIndex(catalog->table);
	if (!OidIsValid(key) || !catalog_is_key(catalog, key))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" has been altered", definition->name),
				 errdetail("It has another primary key, or another replica identity.")));
	merge_store_open(&catalog->store, catalog->table, key, STORE_FIRES_NOTHING);
	catalog->row = merge_store_slot(&catalog->store);
}

void
merge_catalog_close(MergeCatalog *catalog)
{
	if (catalog->scan)
	{
		ExecDropSingleTupleTableSlot(catalog->scanned);
		table_endscan(catalog->scan);
		UnregisterSnapshot(catalog->snapshot);
	}
	ExecDropSingleTupleTableSlot(catalog->row);
	merge_store_close(&catalog->store);
	table_close(catalog->table, NoLock);
}

/* Walk along all rows that a snapshot sees. */
void
merge_catalog_scan(MergeCatalog *catalog, Snapshot snapshot)
{
	catalog->snapshot = RegisterSnapshot(snapshot);
	catalog->scan = table_beginscan(catalog->table, catalog->snapshot, 0, NULL);
	catalog->scanned = table_slot_create(catalog->table, NULL);
}

/* The columns of a row, where they lie. */
static void
catalog_get(const MergeCatalog *catalog, TupleTableSlot *slot, Datum *values, bool *nulls)
{
	for (int i = 0; i < catalog->definition->count; i++)
	{
		values[i] = slot_getattr(slot, catalog->columns[i], &nulls[i]);
		if (nulls[i] && !catalog->definition->columns[i].may_be_null)
			catalog_altered(catalog, i);
	}
}

/* Step to the next row; false at the end. */
bool
merge_catalog_next(MergeCatalog *catalog, Datum *values, bool *nulls)
{
	if (!table_scan_getnextslot(catalog->scan, ForwardScanDirection, catalog->scanned))
		return false;
	catalog_get(catalog, catalog->scanned, values, nulls);
	return true;
}

/*
 * A row to be written, or with the columns of the key only, to be found.  Columns that
 * are not ours are those of the row that is there.
 */
static void
catalog_set(MergeCatalog *catalog, const Datum *values, const bool *nulls, int count)
{
	TupleTableSlot *slot = catalog->row;
	TupleTableSlot *there = catalog->store.there;
	int natts = RelationGetNumberOfAttributes(catalog->table);

	ExecClearTuple(slot);
	memset(slot->tts_values, 0, sizeof(Datum) * natts);
	memset(slot->tts_isnull, true, sizeof(bool) * natts);
	if (there && !TTS_EMPTY(there))
	{
		slot_getallattrs(there);
		memcpy(slot->tts_values, there->tts_values, sizeof(Datum) * natts);
		memcpy(slot->tts_isnull, there->tts_isnull, sizeof(bool) * natts);
	}
	for (int i = 0; i < count; i++)
	{
		slot->tts_values[catalog->columns[i] - 1] = values[i];
		slot->tts_isnull[catalog->columns[i] - 1] = nulls && nulls[i];
	}
	ExecStoreVirtualTuple(slot);
}

/*
 * Find, and lock, the row with the key in "key", an array of the first columns; false
 * if there is none.  Its values stay until it is written, or another one is found.
 */
bool
merge_catalog_find(MergeCatalog *catalog, const Datum *key, Datum *values, bool *nulls)
{
	if (catalog->store.there)
		ExecClearTuple(catalog->store.there);
	catalog_set(catalog, key, NULL, catalog->definition->keys);
	if (!merge_store_find(&catalog->store, catalog->row, LockTupleExclusive))
		return false;
	catalog_get(catalog, catalog->store.there, values, nulls);
	return true;
}

/* False if there is a row of its key by now. */
bool
merge_catalog_insert(MergeCatalog *catalog, const Datum *values, const bool *nulls)
{
	if (catalog->store.there)
		ExecClearTuple(catalog->store.there);
	catalog_set(catalog, values, nulls, catalog->definition->count);
	return merge_store_insert(&catalog->store, catalog->row);
}

/* The row that was found. */
void
merge_catalog_update(MergeCatalog *catalog, const Datum *values, const bool *nulls)
{
	catalog_set(catalog, values, nulls, catalog->definition->count);
	merge_store_update(&catalog->store, catalog->row);
}

void
merge_catalog_delete(MergeCatalog *catalog)
{
	merge_store_delete(&catalog->store);
}
