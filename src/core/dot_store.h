/*
 * dot_store.h
 *		The kernel of sets, flags, multi-value registers and maps of these:
 *		entries with dots, under a causal context.
 */
#ifndef DISTRIBUTED_DOT_STORE_H
#define DISTRIBUTED_DOT_STORE_H

#include "postgres.h"

#include "core/batch_state.h"
#include "core/entry_table.h"
#include "core/entry_union.h"
#include "fmgr.h"

extern const BatchLattice dot_store_lattice;

extern void dot_store_sort_context(EntryDraft *draft);
extern struct varlena *dot_store_build(EntryDraft *draft);
extern struct varlena *dot_store_put(const EntryTable *store, uint32 from, uint32 to, Entry entry,
									 NodeName node, const char *type_name);
extern struct varlena *dot_store_drop(const EntryTable *store, uint32 from, uint32 to);
extern bool dot_store_includes(const EntryTable *b, const EntryTable *a);
extern int dot_store_order(const Entry *a, const Entry *b);
extern int dot_store_compare(const EntryTable *a, const EntryTable *b);
extern NodeSum dot_store_count_dots(const EntryTable *store);
extern struct varlena *dot_store_context(const EntryTable *store);
extern struct varlena *dot_store_delta(const EntryTable *store, const NodeTable *seen);

/* A value of a type on this kernel, opened where it lies. */
static inline void
dot_store_argument(FunctionCallInfo fcinfo, int number, EntryTable *store)
{
	entry_table_open(store, PG_GETARG_VARLENA_PP(number));
}

#endif /* DISTRIBUTED_DOT_STORE_H */
