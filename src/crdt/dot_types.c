/*
 * dot_types.c
 *		The SQL functions that all types on the dot store have alike.
 *
 * Whether entries have keys or values does not matter to them, so orset_merge,
 * mv_register_merge and so on are one C function.
 */
#include "core/compat.h"

#include "core/compare.h"
#include "core/dot_store.h"
#include "core/sort_key.h"

PG_FUNCTION_INFO_V1(dot_type_merge);
Datum
dot_type_merge(PG_FUNCTION_ARGS)
{
	return lattice_merge(fcinfo, &dot_store_lattice.base);
}

PG_FUNCTION_INFO_V1(dot_type_contained);
Datum
dot_type_contained(PG_FUNCTION_ARGS)
{
	EntryTable a;
	EntryTable b;

	dot_store_argument(fcinfo, 0, &a);
	dot_store_argument(fcinfo, 1, &b);
	PG_RETURN_BOOL(dot_store_includes(&b, &a));
}

PG_FUNCTION_INFO_V1(dot_type_contains);
Datum
dot_type_contains(PG_FUNCTION_ARGS)
{
	EntryTable a;
	EntryTable b;

	dot_store_argument(fcinfo, 0, &a);
	dot_store_argument(fcinfo, 1, &b);
	PG_RETURN_BOOL(dot_store_includes(&a, &b));
}

PG_FUNCTION_INFO_V1(dot_type_context);
Datum
dot_type_context(PG_FUNCTION_ARGS)
{
	EntryTable store;

	dot_store_argument(fcinfo, 0, &store);
	PG_RETURN_POINTER(dot_store_context(&store));
}

PG_FUNCTION_INFO_V1(dot_type_delta);
Datum
dot_type_delta(PG_FUNCTION_ARGS)
{
	EntryTable store;
	NodeTable seen;

	dot_store_argument(fcinfo, 0, &store);
	node_table_open(&seen, PG_GETARG_VARLENA_PP(1), 1);
	PG_RETURN_POINTER(dot_store_delta(&store, &seen));
}

/*
 * The order for sorting, a linear extension of inclusion
 */

static int
dot_type_compare(Datum x, Datum y, SortSupport ssup)
{
	EntryLoan a;
	EntryLoan b;
	int order;

	entry_table_borrow(&a, x);
	entry_table_borrow(&b, y);
	order = dot_store_compare(&a.table, &b.table);
	entry_table_return(&a);
	entry_table_return(&b);
	return order;
}

static int
dot_type_cmp_internal(FunctionCallInfo fcinfo)
{
	return dot_type_compare(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), NULL);
}

static bool
dot_type_eq_internal(FunctionCallInfo fcinfo)
{
	return lattice_equal(fcinfo);
}

COMPARISON_FUNCTIONS(dot_type);

PG_FUNCTION_INFO_V1(dot_type_hash);
Datum
dot_type_hash(PG_FUNCTION_ARGS)
{
	return lattice_hash(fcinfo);
}

PG_FUNCTION_INFO_V1(dot_type_hash_extended);
Datum
dot_type_hash_extended(PG_FUNCTION_ARGS)
{
	return lattice_hash_extended(fcinfo);
}

static Datum
dot_type_abbreviate(Datum original, SortSupport ssup)
{
	EntryLoan loan;
	Datum key;

	entry_table_borrow(&loan, original);
	key = node_sum_sort_key(dot_store_count_dots(&loan.table));
	entry_table_return(&loan);
	return key;
}

PG_FUNCTION_INFO_V1(dot_type_sortsupport);
Datum
dot_type_sortsupport(PG_FUNCTION_ARGS)
{
	sort_key_install((SortSupport) PG_GETARG_POINTER(0), dot_type_compare, dot_type_abbreviate);
	PG_RETURN_VOID();
}
