/*
 * merge_local.h
 *		What a server keeps for itself of its names and subscriptions.
 */
#ifndef DISTRIBUTED_MERGE_LOCAL_H
#define DISTRIBUTED_MERGE_LOCAL_H

#include "postgres.h"

#include "access/transam.h"
#include "nodes/pg_list.h"

/* The names that this server has had. */
extern bool merge_node_is_retired(Oid extension, const char *node);
extern uint64 merge_node_horizon(Oid extension, const char *node);
extern void merge_node_retire(Oid extension, const char *node);
extern void merge_node_register(Oid extension, const char *node);
extern bool merge_node_noted(Oid extension, const char *node, int64 *horizon,
							 FullTransactionId *until);
extern void merge_node_note(Oid extension, const char *node, int64 horizon, FullTransactionId until,
							int64 told);
extern bool merge_node_is_claimed(Oid extension, const char *node);
extern void merge_nodes_begin_told(Oid extension);

/* What subscriptions have brought. */
extern void merge_node_heard(Oid extension, Datum node, Datum seen);
extern int64 merge_link_horizon(Oid extension, Oid subscription, const char *node);
extern void merge_links_forget(Oid extension, const List *subscriptions);

#endif /* DISTRIBUTED_MERGE_LOCAL_H */
