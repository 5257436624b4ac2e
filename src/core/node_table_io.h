/*
 * node_table_io.h
 *		Node tables as JSON and as binary images.
 */
#ifndef DISTRIBUTED_NODE_TABLE_IO_H
#define DISTRIBUTED_NODE_TABLE_IO_H

#include "postgres.h"

#include "core/json_tree.h"
#include "core/node_table.h"
#include "lib/stringinfo.h"

extern struct varlena *node_table_from_json(const JsonTree *json, uint8 arity,
											const InputSource *source);
extern void node_table_to_json(StringInfo buf, const NodeTable *table);
extern struct varlena *node_table_from_wire(StringInfo msg, uint8 arity, const InputSource *source);
extern void node_table_to_wire(StringInfo buf, const NodeTable *table);

#endif /* DISTRIBUTED_NODE_TABLE_IO_H */
