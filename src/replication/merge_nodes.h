/*
 * merge_nodes.h
 *		The servers that merge with one another, and what each has seen.
 */
#ifndef DISTRIBUTED_MERGE_NODES_H
#define DISTRIBUTED_MERGE_NODES_H

#include "postgres.h"

extern bool merge_node_is_retired(Oid extension, const char *node);

#endif /* DISTRIBUTED_MERGE_NODES_H */
