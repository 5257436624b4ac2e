/*
 * merge_rule.h
 *		What is known of a merged table: how each of its columns is merged, and
 *		where its removed rows are.
 */
#ifndef DISTRIBUTED_MERGE_RULE_H
#define DISTRIBUTED_MERGE_RULE_H

#include "postgres.h"

#include "fmgr.h"
#include "nodes/bitmapset.h"
#include "replication/merge_continue.h"
#include "utils/rel.h"

typedef enum MergeColumnKind
{
	MERGE_COLUMN_IGNORED, /* dropped, generated, or the hidden one */
	MERGE_COLUMN_KEY,     /* in the replica identity */
	MERGE_COLUMN_LATTICE, /* joined */
	MERGE_COLUMN_PLAIN    /* the last writer wins */
} MergeColumnKind;

typedef struct MergeColumn
{
	MergeColumnKind kind;
	const char *name;
	uint32 length; /* of the name */
	Oid type;
	int16 typlen;
	bool typbyval;
	int companion; /* which column of the companion it is, or -1 */

	/* columns of the key */
	FmgrInfo equal; /* of the index's operator class */
	Oid collation;

	/* lattice columns */
	FmgrInfo merge;
	MergeCounting counting;

	/* plain columns */
	uint64 hash;   /* of the name */
	bool sent;     /* do publications have it? */
	bool may_lack; /* may a large value of it not be sent, where it is unchanged? */
	bool has_oids; /* may its values have OIDs inside? */
} MergeColumn;

typedef struct MergeRule
{
	Oid table; /* hash key */
	bool valid;
	MemoryContext context;

	Oid extension; /* namespace */
	Oid owner;
	Oid key_index;  /* replica identity */
	Oid root;       /* the table, or that of which it is a partition */
	bool keep;      /* does an update keep a row that is removed concurrently? */
	bool lww;       /* do plain columns follow their last writer? */
	bool permanent; /* are its rows that were removed never purged? */
	int ncolumns;
	MergeColumn *columns;
	int stamp;           /* index of the hidden column */
	int unmerged;        /* of a plain column that no stamp is kept of, or -1 */
	bool has_plain;      /* are there plain columns? */
	uint64 sent_columns; /* hash of the names of the plain columns that are sent */
	Size toast_target;   /* a row of more bytes has large values elsewhere */

	Oid companion;
	Oid companion_key;   /* its index */
	int companion_stamp; /* index of the hidden column there */
	int uncompanioned;   /* of a key or lattice column that is not there, or -1 */

	/* which columns a hash of names is of; the last answer */
	uint64 told;
	Bitmapset *told_columns;

	char *checked_node; /* local node that may write, or NULL */
	uint64 last_dot;    /* the greatest in rows that were purged */
} MergeRule;

extern MergeRule *merge_rule_get(Relation table, Oid extension);
extern Oid merge_rule_companion_of(Relation companion, Oid extension);
extern uint64 merge_columns_hash(Relation table, const Bitmapset *columns);
extern bool merge_rule_covers(MergeRule *rule, uint64 hash, int column);
extern bool merge_rule_knows(MergeRule *rule, uint64 hash);

#endif /* DISTRIBUTED_MERGE_RULE_H */
