/*
 * merge_shape.h
 *		What a table looks like to merging.
 */
#ifndef DISTRIBUTED_MERGE_SHAPE_H
#define DISTRIBUTED_MERGE_SHAPE_H

#include "postgres.h"

#include "access/attnum.h"
#include "nodes/bitmapset.h"
#include "nodes/pg_list.h"
#include "utils/rel.h"
#include "utils/reltrigger.h"

/* What makes a table a merged one. */
#define MERGE_PRESENCE_COLUMN  "_merge_presence"
#define MERGE_STAMPS_COLUMN    "_merge_stamps"
#define MERGE_ROW_TRIGGER      "~merge_row"
#define MERGE_TRUNCATE_TRIGGER "~merge_truncate"

/* Arguments of the row trigger, also those of enable_merge. */
#define MERGE_LWW    "lww"
#define MERGE_NONE   "none"
#define MERGE_KEEP   "keep"
#define MERGE_REMOVE "remove"

/*
 * Sets hold attribute numbers.  Each column is in one of key, lattices, plain and
 * derived, except for the two hidden ones.
 */
typedef struct MergeShape
{
	Oid table;
	Oid owner;
	Oid extension;         /* our schema */
	const char *name;      /* as messages show it */
	const char *qualified; /* as statements name it */

	Oid key_index;        /* of the replica identity, or none */
	bool key_equal;       /* does it tell rows by equal values? */
	List *key_columns;    /* in the index's order, as integers */
	Bitmapset *key;       /* the same as a set */
	Bitmapset *lattices;  /* of a lattice type, and not in the key */
	Bitmapset *plain;     /* all others */
	Bitmapset *derived;   /* generated */
	AttrNumber presence;  /* 0 where there is none */
	AttrNumber stamps;    /* likewise */
	const char *reserved; /* a column of a hidden one's name, but of another type; or NULL */
	Oid reserved_type;    /* that which it should have */

	const Trigger *row_trigger; /* valid while the table is open; or NULL */
	const Trigger *truncate_trigger;
} MergeShape;

extern Oid merge_function(Oid extension, const char *name);
extern Oid merge_lattice_function(Oid type, Oid extension, Oid *base);
extern void merge_shape_read(MergeShape *shape, Relation table, Oid extension);
extern const char *merge_column_name(Relation table, AttrNumber column);
extern List *merge_column_names(Relation table, const Bitmapset *columns);
extern char *merge_quoted_names(const List *names);

#endif /* DISTRIBUTED_MERGE_SHAPE_H */
