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
#define MERGE_STAMP_COLUMN     "_merge"
#define MERGE_ROW_TRIGGER      "~merge_row"      /* BEFORE INSERT OR UPDATE, merge_row() */
#define MERGE_AFTER_TRIGGER    "~merge_after"    /* AFTER INSERT OR DELETE, merge_after() */
#define MERGE_TRUNCATE_TRIGGER "~merge_truncate" /* BEFORE TRUNCATE, merge_truncate() */
#define MERGE_ARRIVALS_CHECK   "~merge_arrivals" /* CHECK (is_merged(_merge)) NOT VALID */

/* And its companion, in which the rows that were removed are. */
#define MERGE_COMPANION_LABEL "removed"        /* its name is <table>_removed */
#define MERGE_REMOVED_TRIGGER "~merge_removed" /* BEFORE INSERT OR UPDATE OR DELETE */

/* Arguments of the row trigger, also those of enable_merge. */
#define MERGE_LWW    "lww"
#define MERGE_NONE   "none"
#define MERGE_KEEP   "keep"
#define MERGE_REMOVE "remove"

/* The hidden columns of version 1.0. */
#define MERGE_OLD_PRESENCE_COLUMN "_merge_presence"
#define MERGE_OLD_STAMPS_COLUMN   "_merge_stamps"

/*
 * Sets hold attribute numbers.  Each column is in one of key, lattices, plain and
 * derived, except for the hidden ones.
 */
typedef struct MergeShape
{
	Oid table;
	Oid owner;
	Oid extension;         /* our schema */
	const char *name;      /* as messages show it */
	const char *qualified; /* as statements name it */

	Oid key_index;           /* of the replica identity, or none */
	bool key_equal;          /* does it tell rows by equal values? */
	List *key_columns;       /* in the index's order, as integers */
	Bitmapset *key;          /* the same as a set */
	Bitmapset *lattices;     /* of a lattice type, and not in the key */
	Bitmapset *plain;        /* all others */
	Bitmapset *derived;      /* generated */
	AttrNumber stamp;        /* the hidden column, 0 where there is none */
	bool reserved;           /* is there a column of its name that is not ours? */
	AttrNumber old_presence; /* those of version 1.0, likewise */
	AttrNumber old_stamps;

	/* by their names and functions; valid while the table is open; or NULL */
	const Trigger *row_trigger;
	const Trigger *after_trigger;
	const Trigger *truncate_trigger;
	const Trigger *removed_trigger; /* the table is a companion itself */
	Oid companion;                  /* to which the after trigger refers, or none */
} MergeShape;

extern Oid merge_lattice_function(Oid type, Oid extension, Oid *base);
extern void merge_shape_read(MergeShape *shape, Relation table, Oid extension);
extern bool merge_shape_is_companion(Relation companion, Oid owner, Oid extension);
extern Oid merge_shape_companion_of(Oid companion, Oid extension);
extern const char *merge_column_name(Relation table, AttrNumber column);
extern List *merge_column_names(Relation table, const Bitmapset *columns);
extern char *merge_quoted_names(const List *names);

#endif /* DISTRIBUTED_MERGE_SHAPE_H */
