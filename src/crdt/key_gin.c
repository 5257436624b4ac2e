/*
 * key_gin.c
 *		GIN indexes on the elements of sets and the keys of maps.
 *
 * An index entry is an element, or a key that has a value, as text; orset
 * answers ? (one element), @> (all of an array) and && (any of it), the maps
 * answer ? (one key).  Entries are compared by their bytes, so an index does
 * not depend on a collation.
 *
 * GIN limits its entries to a part of a page, so what is longer than
 * KEY_LENGTH_MAX is indexed by its beginning and a hash.  Whatever might be
 * such an entry is looked up again in the row.
 */
#include "core/compat.h"

#include "access/gin.h"
#include "access/stratnum.h"
#include "common/hashfn.h"
#include "core/entry_list.h"
#include "core/rows.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#define KEY_STRATEGY_ANY RTOverlapStrategyNumber
#define KEY_STRATEGY_ALL RTContainsStrategyNumber
#define KEY_STRATEGY_ONE 9

/* A short form: that much of the beginning, to a character, and the hash. */
#define KEY_HEAD         220
#define KEY_HASH_DIGITS  16
#define KEY_LENGTH_MAX   (KEY_HEAD + KEY_HASH_DIGITS)
#define KEY_LENGTH_SHORT (KEY_LENGTH_MAX - (MAX_MULTIBYTE_CHAR_LEN - 1))

static Datum
index_key(Datum key)
{
	text *whole = (text *) DatumGetPointer(key);
	const char *bytes = VARDATA_ANY(whole);
	int length = (int) VARSIZE_ANY_EXHDR(whole);
	char form[KEY_LENGTH_MAX + 1];
	int head;
	uint64 hash;

	if (length <= KEY_LENGTH_MAX)
		return key;
	head = pg_mbcliplen(bytes, length, KEY_HEAD);
	hash = DatumGetUInt64(hash_any_extended((const unsigned char *) bytes, length, 0));
	memcpy(form, bytes, head);
	snprintf(form + head, KEY_HASH_DIGITS + 1, "%08x%08x", (uint32) (hash >> 32), (uint32) hash);
	return PointerGetDatum(cstring_to_text_with_len(form, head + KEY_HASH_DIGITS));
}

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
		keys[i] = index_key(keys[i]);
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
		keys[i] = index_key(keys[i]);
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
	bool all = strategy != KEY_STRATEGY_ANY;
	GinTernaryValue result = all ? GIN_TRUE : GIN_FALSE;

	for (int32 i = 0; i < nkeys; i++)
	{
		GinTernaryValue found = check[i];

		/* what may be a short form is certain only where it is missing */
		if (found == GIN_TRUE && VARSIZE_ANY_EXHDR(DatumGetPointer(keys[i])) >= KEY_LENGTH_SHORT)
			found = GIN_MAYBE;
		if (all ? found == GIN_FALSE : found == GIN_TRUE)
			PG_RETURN_GIN_TERNARY_VALUE(found);
		if (found == GIN_MAYBE)
			result = GIN_MAYBE;
	}
	PG_RETURN_GIN_TERNARY_VALUE(result);
}
