/*
 * node_table_io.h
 *		Node tables as JSON and as binary images.
 */
#ifndef DISTRIBUTED_NODE_TABLE_IO_H
#define DISTRIBUTED_NODE_TABLE_IO_H

#include "postgres.h"

#include "core/json_face.h"
#include "core/json_tree.h"
#include "core/node_table.h"
#include "lib/stringinfo.h"

/* A type that is a node table with so many counters per node. */
typedef struct NodeTableFace
{
	JsonFace base;
	uint8 arity;
} NodeTableFace;

extern struct varlena *node_table_from_json(const JsonTree *json, uint8 arity,
											const InputSource *source);
extern void node_table_to_json(StringInfo buf, const NodeTable *table);

extern struct varlena *node_table_face_read(const JsonFace *face, const JsonTree *json,
											const InputSource *source);
extern void node_table_face_write(const JsonFace *face, StringInfo buf,
								  const struct varlena *value);
extern struct varlena *node_table_face_receive(const JsonFace *face, StringInfo msg, int version,
											   const InputSource *source);
extern void node_table_face_send(const JsonFace *face, StringInfo buf, const struct varlena *value);

#define NODE_TABLE_FACE(name, counters_per_node, form) \
	{ \
		.base = \
			{ \
				.type_name = name, \
				.hint = form, \
				.wire_version = 1, \
				.read = node_table_face_read, \
				.write = node_table_face_write, \
				.receive = node_table_face_receive, \
				.send = node_table_face_send, \
			}, \
		.arity = counters_per_node, \
	}

#endif /* DISTRIBUTED_NODE_TABLE_IO_H */
