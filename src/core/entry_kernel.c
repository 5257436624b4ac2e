/*
 * entry_kernel.c
 *		What the SQL functions of types on entry tables have alike.
 */
#include "core/compat.h"

#include "core/entry_kernel.h"
#include "core/sort_key.h"

/* a <@ b */
Datum
entry_kernel_contained(FunctionCallInfo fcinfo, const EntryKernel *kernel)
{
	EntryTable a;
	EntryTable b;

	entry_table_argument(fcinfo, 0, &a);
	entry_table_argument(fcinfo, 1, &b);
	PG_RETURN_BOOL(kernel->includes(&b, &a));
}

/* a @> b */
Datum
entry_kernel_contains(FunctionCallInfo fcinfo, const EntryKernel *kernel)
{
	EntryTable a;
	EntryTable b;

	entry_table_argument(fcinfo, 0, &a);
	entry_table_argument(fcinfo, 1, &b);
	PG_RETURN_BOOL(kernel->includes(&a, &b));
}

static int
compare_datums(Datum x, Datum y, const EntryKernel *kernel)
{
	EntryLoan a;
	EntryLoan b;
	int order;

	entry_table_borrow(&a, x);
	entry_table_borrow(&b, y);
	order = kernel->compare(&a.table, &b.table);
	entry_table_return(&a);
	entry_table_return(&b);
	return order;
}

int
entry_kernel_compare(FunctionCallInfo fcinfo, const EntryKernel *kernel)
{
	return compare_datums(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), kernel);
}

/* A sort keeps the kernel where its comparator finds it. */
static int
compare_sorted(Datum x, Datum y, SortSupport ssup)
{
	return compare_datums(x, y, ssup->ssup_extra);
}

static Datum
abbreviate(Datum original, SortSupport ssup)
{
	const EntryKernel *kernel = ssup->ssup_extra;
	EntryLoan loan;
	Datum key;

	entry_table_borrow(&loan, original);
	key = kernel->sort_key(&loan.table);
	entry_table_return(&loan);
	return key;
}

Datum
entry_kernel_sortsupport(FunctionCallInfo fcinfo, const EntryKernel *kernel)
{
	SortSupport ssup = (SortSupport) PG_GETARG_POINTER(0);

	ssup->ssup_extra = unconstify(EntryKernel *, kernel);
	sort_key_install(ssup, compare_sorted, abbreviate);
	PG_RETURN_VOID();
}
