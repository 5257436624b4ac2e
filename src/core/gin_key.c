/*
 * gin_key.c
 *		Texts of any length as entries of GIN indexes.
 *
 * GIN limits its entries to a part of a page, so what is longer than
 * KEY_LENGTH_MAX is indexed by its beginning and a hash.  Whatever might be
 * such an entry is looked up again in the row.
 */
#include "core/compat.h"

#include "common/hashfn.h"
#include "core/gin_key.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

/* A short form: that much of the beginning, to a character, and the hash. */
#define KEY_HEAD         220
#define KEY_HASH_DIGITS  16
#define KEY_LENGTH_MAX   (KEY_HEAD + KEY_HASH_DIGITS)
#define KEY_LENGTH_SHORT (KEY_LENGTH_MAX - (MAX_MULTIBYTE_CHAR_LEN - 1))

/* The entry of a text: the text itself, or its short form. */
Datum
gin_key(Datum whole)
{
	const char *bytes = VARDATA_ANY(DatumGetPointer(whole));
	int length = (int) VARSIZE_ANY_EXHDR(DatumGetPointer(whole));
	char form[KEY_LENGTH_MAX + 1];
	int head;
	uint64 hash;

	if (length <= KEY_LENGTH_MAX)
		return whole;
	head = pg_mbcliplen(bytes, length, KEY_HEAD);
	hash = DatumGetUInt64(hash_any_extended((const unsigned char *) bytes, length, 0));
	memcpy(form, bytes, head);
	snprintf(form + head, KEY_HASH_DIGITS + 1, "%08x%08x", (uint32) (hash >> 32), (uint32) hash);
	return PointerGetDatum(cstring_to_text_with_len(form, head + KEY_HASH_DIGITS));
}

/* Does a row that has the entries of "check" have all of the texts, or any? */
GinTernaryValue
gin_keys_consistent(const GinTernaryValue *check, const Datum *keys, int32 nkeys, bool all)
{
	GinTernaryValue result = all ? GIN_TRUE : GIN_FALSE;

	for (int32 i = 0; i < nkeys; i++)
	{
		GinTernaryValue found = check[i];

		/* what may be a short form is certain only where it is missing */
		if (found == GIN_TRUE && VARSIZE_ANY_EXHDR(DatumGetPointer(keys[i])) >= KEY_LENGTH_SHORT)
			found = GIN_MAYBE;
		if (all ? found == GIN_FALSE : found == GIN_TRUE)
			return found;
		if (found == GIN_MAYBE)
			result = GIN_MAYBE;
	}
	return result;
}
