/*
 * stamped_types.c
 *		The SQL functions that all types on the stamped map have alike.
 */
#include "core/compat.h"

#include "core/compare.h"
#include "core/stamped_map.h"

PG_FUNCTION_INFO_V1(stamped_type_merge);
Datum
stamped_type_merge(PG_FUNCTION_ARGS)
{
	return lattice_merge(fcinfo, &stamped_map_kernel.lattice.base);
}

PG_FUNCTION_INFO_V1(stamped_type_contained);
Datum
stamped_type_contained(PG_FUNCTION_ARGS)
{
	return entry_kernel_contained(fcinfo, &stamped_map_kernel);
}

PG_FUNCTION_INFO_V1(stamped_type_contains);
Datum
stamped_type_contains(PG_FUNCTION_ARGS)
{
	return entry_kernel_contains(fcinfo, &stamped_map_kernel);
}

PG_FUNCTION_INFO_V1(stamped_type_delta);
Datum
stamped_type_delta(PG_FUNCTION_ARGS)
{
	EntryTable map;
	EntryTable other;

	entry_table_argument(fcinfo, 0, &map);
	entry_table_argument(fcinfo, 1, &other);
	PG_RETURN_POINTER(entry_map_delta(&stamped_map_rule, &map, &other));
}

/*
 * The order for sorting, a linear extension of inclusion
 */

static int
stamped_type_cmp_internal(FunctionCallInfo fcinfo)
{
	return entry_kernel_compare(fcinfo, &stamped_map_kernel);
}

static bool
stamped_type_eq_internal(FunctionCallInfo fcinfo)
{
	return lattice_equal(fcinfo);
}

COMPARISON_FUNCTIONS(stamped_type);

PG_FUNCTION_INFO_V1(stamped_type_hash);
Datum
stamped_type_hash(PG_FUNCTION_ARGS)
{
	return lattice_hash(fcinfo);
}

PG_FUNCTION_INFO_V1(stamped_type_hash_extended);
Datum
stamped_type_hash_extended(PG_FUNCTION_ARGS)
{
	return lattice_hash_extended(fcinfo);
}

PG_FUNCTION_INFO_V1(stamped_type_sortsupport);
Datum
stamped_type_sortsupport(PG_FUNCTION_ARGS)
{
	return entry_kernel_sortsupport(fcinfo, &stamped_map_kernel);
}
