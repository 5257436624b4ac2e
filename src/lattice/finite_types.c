/*
 * finite_types.c
 *		The SQL functions that all types of one byte have alike: the order of
 *		their numbers, which extends that of their lattices, and the hash.
 */
#include "core/compat.h"

#include "common/hashfn.h"
#include "core/compare.h"
#include "utils/sortsupport.h"

static int
compare_states(Datum x, Datum y)
{
	return (int) DatumGetUInt8(x) - (int) DatumGetUInt8(y);
}

static int
finite_type_cmp_internal(FunctionCallInfo fcinfo)
{
	return compare_states(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1));
}

static bool
finite_type_eq_internal(FunctionCallInfo fcinfo)
{
	return finite_type_cmp_internal(fcinfo) == 0;
}

COMPARISON_FUNCTIONS(finite_type);

static int
compare_sorted(Datum x, Datum y, SortSupport ssup)
{
	return compare_states(x, y);
}

PG_FUNCTION_INFO_V1(finite_type_sortsupport);
Datum
finite_type_sortsupport(PG_FUNCTION_ARGS)
{
	((SortSupport) PG_GETARG_POINTER(0))->comparator = compare_sorted;
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(finite_type_hash);
Datum
finite_type_hash(PG_FUNCTION_ARGS)
{
	return hash_uint32(DatumGetUInt8(PG_GETARG_DATUM(0)));
}

PG_FUNCTION_INFO_V1(finite_type_hash_extended);
Datum
finite_type_hash_extended(PG_FUNCTION_ARGS)
{
	return hash_uint32_extended(DatumGetUInt8(PG_GETARG_DATUM(0)), PG_GETARG_INT64(1));
}
