/*
 * stamped_types.c
 *		The SQL functions that all types on the stamped map have alike.
 */
#include "core/compat.h"

#include "core/compare.h"
#include "core/sort_key.h"
#include "core/stamped_map.h"

PG_FUNCTION_INFO_V1(stamped_type_merge);
Datum
stamped_type_merge(PG_FUNCTION_ARGS)
{
	return lattice_merge(fcinfo, &stamped_map_lattice.base);
}

PG_FUNCTION_INFO_V1(stamped_type_contained);
Datum
stamped_type_contained(PG_FUNCTION_ARGS)
{
	EntryTable a;
	EntryTable b;

	stamped_map_argument(fcinfo, 0, &a);
	stamped_map_argument(fcinfo, 1, &b);
	PG_RETURN_BOOL(stamped_map_includes(&b, &a));
}

PG_FUNCTION_INFO_V1(stamped_type_contains);
Datum
stamped_type_contains(PG_FUNCTION_ARGS)
{
	EntryTable a;
	EntryTable b;

	stamped_map_argument(fcinfo, 0, &a);
	stamped_map_argument(fcinfo, 1, &b);
	PG_RETURN_BOOL(stamped_map_includes(&a, &b));
}

PG_FUNCTION_INFO_V1(stamped_type_delta);
Datum
stamped_type_delta(PG_FUNCTION_ARGS)
{
	EntryTable map;
	EntryTable other;

	stamped_map_argument(fcinfo, 0, &map);
	stamped_map_argument(fcinfo, 1, &other);
	PG_RETURN_POINTER(stamped_map_delta(&map, &other));
}

/*
 * The order for sorting, a linear extension of inclusion
 */

static int
stamped_type_compare(Datum x, Datum y, SortSupport ssup)
{
	EntryLoan a;
	EntryLoan b;
	int order;

	entry_table_borrow(&a, x);
	entry_table_borrow(&b, y);
	order = stamped_map_compare(&a.table, &b.table);
	entry_table_return(&a);
	entry_table_return(&b);
	return order;
}

static int
stamped_type_cmp_internal(FunctionCallInfo fcinfo)
{
	return stamped_type_compare(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), NULL);
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

static Datum
stamped_type_abbreviate(Datum original, SortSupport ssup)
{
	EntryLoan loan;
	Datum key;

	entry_table_borrow(&loan, original);
	key = sort_key(stamped_map_sort_key(&loan.table));
	entry_table_return(&loan);
	return key;
}

PG_FUNCTION_INFO_V1(stamped_type_sortsupport);
Datum
stamped_type_sortsupport(PG_FUNCTION_ARGS)
{
	sort_key_install((SortSupport) PG_GETARG_POINTER(0), stamped_type_compare,
					 stamped_type_abbreviate);
	PG_RETURN_VOID();
}
