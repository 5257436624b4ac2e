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

PG_FUNCTION_INFO_V1(dot_type_merge);
Datum
dot_type_merge(PG_FUNCTION_ARGS)
{
	return lattice_merge(fcinfo, &dot_store_kernel.lattice.base);
}

PG_FUNCTION_INFO_V1(dot_type_contained);
Datum
dot_type_contained(PG_FUNCTION_ARGS)
{
	return entry_kernel_contained(fcinfo, &dot_store_kernel);
}

PG_FUNCTION_INFO_V1(dot_type_contains);
Datum
dot_type_contains(PG_FUNCTION_ARGS)
{
	return entry_kernel_contains(fcinfo, &dot_store_kernel);
}

PG_FUNCTION_INFO_V1(dot_type_context);
Datum
dot_type_context(PG_FUNCTION_ARGS)
{
	EntryTable store;

	entry_table_argument(fcinfo, 0, &store);
	PG_RETURN_POINTER(dot_store_context(&store));
}

PG_FUNCTION_INFO_V1(dot_type_delta);
Datum
dot_type_delta(PG_FUNCTION_ARGS)
{
	EntryTable store;
	NodeTable seen;

	entry_table_argument(fcinfo, 0, &store);
	node_table_open(&seen, PG_GETARG_VARLENA_PP(1), 1);
	PG_RETURN_POINTER(dot_store_delta(&store, &seen));
}

/*
 * The order for sorting, a linear extension of inclusion
 */

static int
dot_type_cmp_internal(FunctionCallInfo fcinfo)
{
	return entry_kernel_compare(fcinfo, &dot_store_kernel);
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

PG_FUNCTION_INFO_V1(dot_type_sortsupport);
Datum
dot_type_sortsupport(PG_FUNCTION_ARGS)
{
	return entry_kernel_sortsupport(fcinfo, &dot_store_kernel);
}
