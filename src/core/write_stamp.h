/*
 * write_stamp.h
 *		The kernel of row stamps: is a row there, and who wrote which of its
 *		columns when.
 */
#ifndef DISTRIBUTED_WRITE_STAMP_H
#define DISTRIBUTED_WRITE_STAMP_H

#include "postgres.h"

#include "core/hybrid_time.h"
#include "core/node_name.h"

/*
 * A write of a row or of a column of it.  Of a row, the hash is that of the names
 * of the columns which it wrote; of a column, that of a large value; 0 is none.
 */
typedef struct WriteStamp
{
	HybridTime at;
	NodeName node; /* of length 0: there was no write */
	uint64 hash;
} WriteStamp;

/* What is known of a node's dots in a row. */
typedef struct StampNode
{
	NodeName node;
	uint64 context; /* all up to this one were seen, 0 where none was */
	uint64 live;    /* the one that holds the row, or 0 */
} StampNode;

typedef struct StampColumn
{
	const char *name;
	uint32 length;
	WriteStamp write;
} StampColumn;

/* As many nodes and columns need no allocation. */
#define STAMP_INLINE 8

/*
 * A stamp to read or to write.  Names are borrowed.  Nodes and columns are sorted
 * by the bytes of their names, each of which occurs once.  It is not to be copied
 * by assignment: the arrays may be its own.
 */
typedef struct RowStamp
{
	uint32 nnodes;
	uint32 ncolumns;
	StampNode *nodes;
	StampColumn *columns;
	WriteStamp row; /* of every column that is not listed */
	uint8 marks;    /* of a value on its way; no part of what it says */
	StampNode inline_nodes[STAMP_INLINE];
	StampColumn inline_columns[STAMP_INLINE];
} RowStamp;

/*
 * Marks: the value comes from another server; and with its whole row, as an INSERT
 * brings it, where a row is there.
 */
#define STAMP_ARRIVES 0x02
#define STAMP_WHOLE   0x04
#define STAMP_MARKS   (STAMP_ARRIVES | STAMP_WHOLE)

/* The greatest dot and the latest time: there always is a later one. */
#define STAMP_MAX (PG_INT64_MAX - (INT64CONST(1) << 53))

/* The name of a column has at most as many bytes. */
#define STAMP_COLUMN_MAX (NAMEDATALEN - 1)

extern void row_stamp_init(RowStamp *stamp, uint32 nodes, uint32 columns);
extern void row_stamp_open(RowStamp *stamp, const struct varlena *flat);
extern void row_stamp_release(RowStamp *stamp);
extern struct varlena *row_stamp_close(const RowStamp *stamp);
extern uint32 row_stamp_find_node(const RowStamp *stamp, NodeName node, bool *found);
extern const StampColumn *row_stamp_find_column(const RowStamp *stamp, const char *name,
												uint32 length);
extern WriteStamp row_stamp_column(const RowStamp *stamp, const char *name, uint32 length);
extern bool row_stamp_lists(const RowStamp *stamp, const StampColumn *column);
extern bool row_stamp_present(const RowStamp *stamp);
extern struct varlena *row_stamp_context(const RowStamp *stamp);

extern uint64 row_stamp_latest(const RowStamp *stamp);
extern void row_stamp_write(RowStamp *stamp, NodeName node, uint64 dot);
extern void row_stamp_remove(RowStamp *stamp, NodeName node, uint64 dot);
extern void row_stamp_touch(RowStamp *stamp, NodeName node, uint64 dot);
extern void row_stamp_set_column(RowStamp *stamp, const char *name, uint32 length,
								 WriteStamp write);
extern void row_stamp_set_row(RowStamp *stamp, WriteStamp write);
extern uint8 row_stamp_marks(const struct varlena *flat);
extern struct varlena *row_stamp_marked(const struct varlena *flat, uint8 marks);

extern int write_stamp_compare(const WriteStamp *a, const WriteStamp *b);
extern void row_stamp_join(RowStamp *result, const RowStamp *a, const RowStamp *b);
extern int row_stamp_compare(const RowStamp *a, const RowStamp *b);
extern uint64 row_stamp_greatest(const RowStamp *stamp);

static inline int
stamp_column_order(const StampColumn *a, const StampColumn *b)
{
	return bytes_compare(a->name, a->length, b->name, b->length);
}

static inline int
stamp_node_order(const StampNode *a, const StampNode *b)
{
	return bytes_compare(a->node.name, a->node.length, b->node.name, b->node.length);
}

#endif /* DISTRIBUTED_WRITE_STAMP_H */
