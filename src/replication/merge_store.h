/*
 * merge_store.h
 *		Rows of tables, found, inserted, updated and deleted by table access.
 */
#ifndef DISTRIBUTED_MERGE_STORE_H
#define DISTRIBUTED_MERGE_STORE_H

#include "postgres.h"

#include "executor/executor.h"
#include "nodes/execnodes.h"
#include "utils/rel.h"

/* What fires where a row is written. */
typedef enum MergeStoreFires
{
	STORE_FIRES_NOTHING, /* no trigger: the table is ours */
	STORE_FIRES_USERS    /* what fires where the worker writes, but for our AFTER trigger */
} MergeStoreFires;

typedef struct MergeStore
{
	Relation table;
	Oid key_index; /* which finds rows */
	EState *estate;
	ResultRelInfo *result;
	TupleTableSlot *there; /* the row that was found */
	bool writes;           /* are its indexes open? */
	MergeStoreFires fires;
} MergeStore;

extern void merge_store_open(MergeStore *store, Relation table, Oid key_index,
							 MergeStoreFires fires);
extern TupleTableSlot *merge_store_slot(MergeStore *store);
extern bool merge_store_find(MergeStore *store, TupleTableSlot *key, LockTupleMode mode);
extern bool merge_store_insert(MergeStore *store, TupleTableSlot *row);
extern void merge_store_update(MergeStore *store, TupleTableSlot *row);
extern void merge_store_delete(MergeStore *store);
extern void merge_store_arrive(MergeStore *store, TupleTableSlot *row);
extern void merge_store_pass(MergeStore *store, TupleTableSlot *row);
extern void merge_store_close(MergeStore *store);

#endif /* DISTRIBUTED_MERGE_STORE_H */
