/*
 * dot_store.h
 *		The kernel of sets, flags, multi-value registers and maps of these:
 *		entries with dots, under a causal context.
 */
#ifndef DISTRIBUTED_DOT_STORE_H
#define DISTRIBUTED_DOT_STORE_H

#include "postgres.h"

#include "core/entry_kernel.h"
#include "core/entry_union.h"
#include "fmgr.h"

extern const EntryKernel dot_store_kernel;

extern void dot_store_sort_context(EntryDraft *draft);
extern struct varlena *dot_store_build(EntryDraft *draft);
extern struct varlena *dot_store_put(const EntryTable *store, uint32 from, uint32 to, Entry entry,
									 NodeName node, const char *type_name);
extern struct varlena *dot_store_drop(const EntryTable *store, uint32 from, uint32 to);
extern struct varlena *dot_store_knowing(NodeName node, uint64 last);
extern struct varlena *dot_store_after(const EntryTable *store, NodeName node, uint64 last);
extern uint64 dot_store_last_dot(const EntryTable *store, const NodeName *node);
extern int dot_store_order(const Entry *a, const Entry *b);
extern struct varlena *dot_store_context(const EntryTable *store);
extern struct varlena *dot_store_delta(const EntryTable *store, const NodeTable *seen);

#endif /* DISTRIBUTED_DOT_STORE_H */
