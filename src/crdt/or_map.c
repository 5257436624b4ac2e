/*
 * or_map.c
 *		Add-wins maps of multi-value registers.
 *
 * A key is there while one of its writes is: putting a value gives the key a
 * new dot in place of the values it is seen to have, removing the key removes
 * the dots that are seen.  So a put wins over a concurrent removal, and of
 * concurrent puts all values are kept (Almeida, Shoker, Baquero, "Delta state
 * replicated data types", 2018, section 7.5; Riak's map with its observed
 * removal).
 *
 * Join: an entry survives if both sides have it, or one has it and the other
 * does not know its dot; see core/dot_store.c.
 *
 * Stored bytes: core/entry_table.c; binary image: core/dot_store_io.c.
 */
#include "core/compat.h"

#include "core/dot_store.h"
#include "core/dot_store_io.h"
#include "core/entry_list.h"
#include "core/rows.h"
#include "utils/builtins.h"

static const DotStoreFace or_map_face =
	DOT_STORE_FACE("or_map", "entries", "Key", true, true,
				   "Write a map as JSON, such as {\"entries\": {\"k\": [{\"value\": \"x\", "
				   "\"dot\": [\"a\", 1]}]}, \"context\": {\"a\": 1}}.");

PG_FUNCTION_INFO_V1(or_map_in);
Datum
or_map_in(PG_FUNCTION_ARGS)
{
	return json_face_in(fcinfo, &or_map_face.base);
}

PG_FUNCTION_INFO_V1(or_map_out);
Datum
or_map_out(PG_FUNCTION_ARGS)
{
	return json_face_out(fcinfo, &or_map_face.base);
}

PG_FUNCTION_INFO_V1(or_map_recv);
Datum
or_map_recv(PG_FUNCTION_ARGS)
{
	return json_face_recv(fcinfo, &or_map_face.base);
}

PG_FUNCTION_INFO_V1(or_map_send);
Datum
or_map_send(PG_FUNCTION_ARGS)
{
	return json_face_send(fcinfo, &or_map_face.base);
}

PG_FUNCTION_INFO_V1(or_map_from_jsonb);
Datum
or_map_from_jsonb(PG_FUNCTION_ARGS)
{
	return json_face_from_jsonb(fcinfo, &or_map_face.base);
}

PG_FUNCTION_INFO_V1(or_map_to_jsonb);
Datum
or_map_to_jsonb(PG_FUNCTION_ARGS)
{
	return json_face_to_jsonb(fcinfo, &or_map_face.base);
}

PG_FUNCTION_INFO_V1(or_map_to_json);
Datum
or_map_to_json(PG_FUNCTION_ARGS)
{
	return json_face_to_json(fcinfo, &or_map_face.base);
}

/*
 * Changing and reading
 */

/* A key argument as an entry; the entries it has are from .. to - 1. */
static Entry
or_map_key(FunctionCallInfo fcinfo, EntryTable *map, uint32 *from, uint32 *to)
{
	text *key = PG_GETARG_TEXT_PP(1);
	Entry entry = {.key = VARDATA_ANY(key), .key_length = VARSIZE_ANY_EXHDR(key), .value = ""};

	entry_table_argument(fcinfo, 0, map);
	entry_table_find(map, entry.key, entry.key_length, from, to);
	return entry;
}

/* A value takes the place of all that the key is seen to have. */
PG_FUNCTION_INFO_V1(or_map_put);
Datum
or_map_put(PG_FUNCTION_ARGS)
{
	text *value = PG_GETARG_TEXT_PP(2);
	EntryTable map;
	uint32 from;
	uint32 to;
	Entry entry = or_map_key(fcinfo, &map, &from, &to);

	entry.value = VARDATA_ANY(value);
	entry.value_length = VARSIZE_ANY_EXHDR(value);
	PG_RETURN_POINTER(
		dot_store_put(&map, from, to, entry, node_name_argument(fcinfo, 3, "or_map"), "or_map"));
}

PG_FUNCTION_INFO_V1(or_map_remove);
Datum
or_map_remove(PG_FUNCTION_ARGS)
{
	EntryTable map;
	uint32 from;
	uint32 to;

	or_map_key(fcinfo, &map, &from, &to);
	PG_RETURN_POINTER(dot_store_drop(&map, from, to));
}

PG_FUNCTION_INFO_V1(or_map_has);
Datum
or_map_has(PG_FUNCTION_ARGS)
{
	EntryTable map;
	uint32 from;
	uint32 to;

	or_map_key(fcinfo, &map, &from, &to);
	PG_RETURN_BOOL(to > from);
}

/* null where the key is missing */
PG_FUNCTION_INFO_V1(or_map_get);
Datum
or_map_get(PG_FUNCTION_ARGS)
{
	EntryTable map;
	uint32 from;
	uint32 to;

	or_map_key(fcinfo, &map, &from, &to);
	if (from == to)
		PG_RETURN_NULL();
	return entry_list_values(&map, from, to);
}

PG_FUNCTION_INFO_V1(or_map_keys);
Datum
or_map_keys(PG_FUNCTION_ARGS)
{
	EntryTable map;

	entry_table_argument(fcinfo, 0, &map);
	return entry_list_keys(&map);
}

PG_FUNCTION_INFO_V1(or_map_each);
Datum
or_map_each(PG_FUNCTION_ARGS)
{
	EntryTable map;
	EntryCursor cursor;
	RowSet rows;

	entry_table_argument(fcinfo, 0, &map);
	row_set_open(&rows, fcinfo);
	for (entry_cursor_open(&cursor, &map); entry_cursor_next(&cursor);)
	{
		Datum values[2];
		bool nulls[2] = {false, false};
		uint32 first = cursor.index - 1;
		uint32 end = cursor.index;

		if (!cursor.begins_key)
			continue;
		while (end < map.nentries && packed_get(&map.columns[ENTRY_KEY_END], end) == cursor.key_end)
			end++;
		values[0] = PointerGetDatum(
			cstring_to_text_with_len(cursor.entry.key, (int) cursor.entry.key_length));
		values[1] = entry_list_values(&map, first, end);
		row_set_add(&rows, values, nulls);
	}
	return (Datum) 0;
}
