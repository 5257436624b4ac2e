/*
 * merge_nodes.h
 *		The servers that merge one another's rows.
 */
#ifndef DISTRIBUTED_MERGE_NODES_H
#define DISTRIBUTED_MERGE_NODES_H

#include "postgres.h"

#include "core/node_name.h"
#include "core/node_table.h"

/* What is known of a name. */
typedef enum NodeStanding
{
	NODE_UNKNOWN,
	NODE_PRESENT,
	NODE_REMOVED
} NodeStanding;

/* Called for each node, present or removed; values are gone when it returns. */
typedef void (*NodeVisitor)(void *state, NodeName node, bool removed, const struct varlena *seen,
							const struct varlena *stamp);

extern void merge_nodes_each(Oid extension, bool removed, NodeVisitor visit, void *state);
extern bool merge_node_is(Datum value, const char *node);
extern NodeStanding merge_node_standing(Oid extension, const char *node);
extern struct varlena *merge_nodes_stable(Oid extension);
extern uint64 merge_node_closed(Oid extension, const char *node);
extern void merge_node_insert(Oid extension, const char *node);
extern struct varlena *merge_node_see(Oid extension, const char *node, const struct varlena *more);
extern void merge_node_remove(Oid extension, const char *node);

/* Sessions are to look again whether they may write: merge_incarnation.c. */
extern void merge_nodes_check_again(Oid extension);

#endif /* DISTRIBUTED_MERGE_NODES_H */
