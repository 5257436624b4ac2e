/*
 * merge_catalog.h
 *		Tables of the extension that C code reads and writes.
 */
#ifndef DISTRIBUTED_MERGE_CATALOG_H
#define DISTRIBUTED_MERGE_CATALOG_H

#include "postgres.h"

#include "access/tableam.h"
#include "replication/merge_store.h"
#include "utils/snapshot.h"

#define CATALOG_MAX_COLUMNS 7

/* A column that is relied on. */
typedef struct CatalogColumn
{
	const char *name;
	Oid type;         /* or InvalidOid: */
	const char *ours; /* this type of the extension */
	bool may_be_null;
} CatalogColumn;

typedef struct CatalogTable
{
	const char *name;
	int keys; /* how many of the columns are the key: the first ones */
	int count;
	CatalogColumn columns[CATALOG_MAX_COLUMNS];
} CatalogTable;

/* One of them, open; values are in the order in which it lists its columns. */
typedef struct MergeCatalog
{
	const CatalogTable *definition;
	Relation table;
	AttrNumber columns[CATALOG_MAX_COLUMNS];
	MergeStore store;
	TupleTableSlot *row; /* to be written, or the key to find */

	/* a scan */
	Snapshot snapshot;
	TableScanDesc scan;
	TupleTableSlot *scanned;
} MergeCatalog;

extern void merge_catalog_open(MergeCatalog *catalog, Oid extension, const CatalogTable *definition,
							   LOCKMODE mode);
extern void merge_catalog_close(MergeCatalog *catalog);
extern void merge_catalog_scan(MergeCatalog *catalog, Snapshot snapshot);
extern bool merge_catalog_next(MergeCatalog *catalog, Datum *values, bool *nulls);
extern bool merge_catalog_find(MergeCatalog *catalog, const Datum *key, Datum *values, bool *nulls);
extern bool merge_catalog_insert(MergeCatalog *catalog, const Datum *values, const bool *nulls);
extern void merge_catalog_update(MergeCatalog *catalog, const Datum *values, const bool *nulls);
extern void merge_catalog_delete(MergeCatalog *catalog);

#endif /* DISTRIBUTED_MERGE_CATALOG_H */
