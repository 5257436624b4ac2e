/*
 * merge_rule.h
 *		What is known of a merged table: how each of its columns is merged.
 */
#ifndef DISTRIBUTED_MERGE_RULE_H
#define DISTRIBUTED_MERGE_RULE_H

#include "postgres.h"

#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "replication/merge_continue.h"

typedef enum MergeColumnKind
{
	MERGE_COLUMN_IGNORED, /* dropped or generated */
	MERGE_COLUMN_KEY,     /* in the replica identity */
	MERGE_COLUMN_LATTICE, /* joined */
	MERGE_COLUMN_PLAIN    /* the last writer wins */
} MergeColumnKind;

typedef struct MergeColumn
{
	MergeColumnKind kind;
	const char *name;
	int16 typlen;
	bool typbyval;

	/* columns of the key */
	FmgrInfo equal; /* of the index's operator class */
	Oid collation;

	/* lattice columns */
	FmgrInfo merge;
	MergeCounting counting;

	/* plain columns */
	FmgrInfo output;
	FmgrInfo input;
	Oid input_parameter;
	int32 typmod;
	bool has_default;
} MergeColumn;

typedef struct MergeRule
{
	Oid table; /* hash key */
	bool valid;
	MemoryContext context;

	Oid extension;      /* namespace */
	Oid identity_index; /* replica identity */
	bool keep;          /* does an update keep a row that is removed concurrently? */
	bool lww;           /* do plain columns follow their last writer? */
	bool permanent;     /* are its rows that were removed never purged? */
	int ncolumns;
	MergeColumn *columns;
	int presence;      /* index of the column */
	int stamps;        /* likewise, or -1 */
	Datum no_presence; /* the value {} of it */
	Datum no_stamps;
	int unstamped;    /* of a plain column that has no place for stamps, or -1 */
	bool needs_path;  /* do texts of plain columns depend on the search path, */
	bool needs_money; /* or on how money is written? */

	const char *insert_sql; /* INSERT */
	const char *arrive_sql; /* INSERT .. ON CONFLICT DO UPDATE */
	int ninsert;            /* of these columns, */
	int *insert_columns;
	Oid *insert_types;
	const char *remove_sql; /* UPDATE .. WHERE ctid = $1 */

	char *checked_node; /* local node that may write, or NULL */
	uint64 last_dot;    /* the greatest in rows that were purged */
} MergeRule;

extern MergeRule *merge_rule_get(const TriggerData *trigger, Oid extension);

#endif /* DISTRIBUTED_MERGE_RULE_H */
