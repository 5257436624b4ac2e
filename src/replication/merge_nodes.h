/*
 * merge_nodes.h
 *		The servers that merge one another's rows, and what each has seen.
 */
#ifndef DISTRIBUTED_MERGE_NODES_H
#define DISTRIBUTED_MERGE_NODES_H

#include "postgres.h"

extern struct varlena *merge_nodes_stable(Oid extension);
extern uint64 merge_node_closed(Oid extension, const char *node);
extern bool merge_node_is_retired(Oid extension, const char *node);
extern void merge_node_heard(Oid extension, Datum node, Datum seen);
extern void merge_node_register(Oid extension, const char *node);

#endif /* DISTRIBUTED_MERGE_NODES_H */
