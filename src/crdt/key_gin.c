/*
 * key_gin.c
 *		GIN indexes on the elements of sets and the keys of maps.
 *
 * An index entry is an element, or a key that has a value, as text; orset
 * answers ? (one element), @> (all of an array) and && (any of it), the maps
 * answer ? (one key).  Entries are compared by their bytes, so an index does
 * not depend on a collation; of long texts, see core/gin_key.c.
 */
#include "core/compat.h"

#include "access/stratnum.h"
#include "core/entry_list.h"
#include "core/gin_key.h"
#include "core/rows.h"

#define KEY_STRATEGY_ANY RTOverlapStrategyNumber
#define KEY_STRATEGY_ALL RTContainsStrategyNumber
#define KEY_STRATEGY_ONE 9

PG_FUNCTION_INFO_V1(key_gin_extract);
Datum
key_gin_extract(PG_FUNCTION_ARGS)
{
	int32 *nkeys = (int32 *) PG_GETARG_POINTER(1);
	EntryTable table;
	Datum *keys;
	uint32 count;

	entry_table_open(&table, PG_GETARG_VARLENA_PP(0));
	keys = entry_list_key_datums(&table, &count);
	for (uint32 i = 0; i < count; i++)
		keys[i] = gin_key(keys[i]);
	*nkeys = (int32) count;
	PG_RETURN_POINTER(keys);
}

PG_FUNCTION_INFO_V1(key_gin_query);
Datum
key_gin_query(PG_FUNCTION_ARGS)
{
	int32 *nkeys = (int32 *) PG_GETARG_POINTER(1);
	StrategyNumber strategy = PG_GETARG_UINT16(2);
	int32 *search_mode = (int32 *) PG_GETARG_POINTER(6);
	Datum *keys;
	int count = 1;

	if (strategy == KEY_STRATEGY_ONE)
	{
		keys = palloc(sizeof(Datum));
		keys[0] = PointerGetDatum(PG_GETARG_TEXT_PP(0));
	}
	else
	{
		keys = text_array_items(PG_GETARG_ARRAYTYPE_P(0), "elements", &count);
		/* every set has all of no elements */
		if (count == 0 && strategy == KEY_STRATEGY_ALL)
			*search_mode = GIN_SEARCH_MODE_ALL;
	}
	for (int i = 0; i < count; i++)
		keys[i] = gin_key(keys[i]);
	*nkeys = count;
	PG_RETURN_POINTER(keys);
}

PG_FUNCTION_INFO_V1(key_gin_consistent);
Datum
key_gin_consistent(PG_FUNCTION_ARGS)
{
	GinTernaryValue *check = (GinTernaryValue *) PG_GETARG_POINTER(0);
	StrategyNumber strategy = PG_GETARG_UINT16(1);
	int32 nkeys = PG_GETARG_INT32(3);
	Datum *keys = (Datum *) PG_GETARG_POINTER(5);

	PG_RETURN_GIN_TERNARY_VALUE(
		gin_keys_consistent(check, keys, nkeys, strategy != KEY_STRATEGY_ANY));
}
