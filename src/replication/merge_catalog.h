/*
 * merge_catalog.h
 *		What the catalogs say about a table that is merged, or may be.
 */
#ifndef DISTRIBUTED_MERGE_CATALOG_H
#define DISTRIBUTED_MERGE_CATALOG_H

#include "postgres.h"

#include "utils/rel.h"

/* The hidden columns, and the trigger that merges. */
#define MERGE_PRESENCE "_merge_presence"
#define MERGE_STAMPS   "_merge_stamps"
#define MERGE_TRIGGER  "~merge_row"

typedef struct CatalogColumn
{
	AttrNumber number;
	const char *name;
	Oid type;
	bool is_key;       /* of the replica identity */
	bool is_lattice;   /* joins; the hidden ones do, too */
	bool is_generated; /* computed from the others */
} CatalogColumn;

/* A table's columns, without dropped ones, in their order. */
typedef struct CatalogColumns
{
	int count;
	CatalogColumn *columns;
	int keys;           /* how many are of the key */
	AttrNumber *key;    /* their numbers, in the key's order */
	bool has_presence;  /* is there the hidden column that tells which rows are there? */
} CatalogColumns;

extern bool merge_catalog_is_merged(Relation table, Oid extension);
extern void merge_catalog_columns(Relation table, Oid extension, CatalogColumns *columns);
extern const CatalogColumn *merge_catalog_column(const CatalogColumns *columns, AttrNumber number);
extern const char *merge_catalog_name(Relation table);

#endif /* DISTRIBUTED_MERGE_CATALOG_H */
