/*
 * entry_kernel.h
 *		What the SQL functions of types on entry tables have alike.
 */
#ifndef DISTRIBUTED_ENTRY_KERNEL_H
#define DISTRIBUTED_ENTRY_KERNEL_H

#include "postgres.h"

#include "core/batch_state.h"
#include "core/entry_table.h"
#include "fmgr.h"

/* A kernel, as the functions of its types need it. */
typedef struct EntryKernel
{
	BatchLattice lattice;

	/* Does b already include a? */
	bool (*includes)(const EntryTable *b, const EntryTable *a);

	/* The order for sorting, a linear extension of inclusion. */
	int (*compare)(const EntryTable *a, const EntryTable *b);

	/* A number, see sort_key.h, that comes first in that order. */
	Datum (*sort_key)(const EntryTable *table);
} EntryKernel;

extern Datum entry_kernel_contained(FunctionCallInfo fcinfo, const EntryKernel *kernel);
extern Datum entry_kernel_contains(FunctionCallInfo fcinfo, const EntryKernel *kernel);
extern int entry_kernel_compare(FunctionCallInfo fcinfo, const EntryKernel *kernel);
extern Datum entry_kernel_sortsupport(FunctionCallInfo fcinfo, const EntryKernel *kernel);

/* A value given to a function, opened where it lies. */
static inline void
entry_table_argument(FunctionCallInfo fcinfo, int number, EntryTable *table)
{
	entry_table_open(table, PG_GETARG_VARLENA_PP(number));
}

#endif /* DISTRIBUTED_ENTRY_KERNEL_H */
