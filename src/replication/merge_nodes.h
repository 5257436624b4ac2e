/*
 * merge_nodes.h
 *		The servers that merge one another's rows, and what each has seen.
 */
#ifndef DISTRIBUTED_MERGE_NODES_H
#define DISTRIBUTED_MERGE_NODES_H

#include "postgres.h"

/* What the table merge_nodes says of a name. */
typedef enum MergeNodeStanding
{
	MERGE_NODE_UNKNOWN,
	MERGE_NODE_PRESENT,
	MERGE_NODE_RETIRED /* removed: nobody may write under this name */
} MergeNodeStanding;

extern MergeNodeStanding merge_node_standing(Oid extension_namespace, const char *node);
extern bool merge_node_is_retired(Oid extension_namespace, const char *node);
extern void merge_node_register(Oid extension_namespace, const char *node);

#endif /* DISTRIBUTED_MERGE_NODES_H */
