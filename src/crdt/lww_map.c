/*
 * lww_map.c
 *		Maps in which the last writer of each key wins.
 *
 * Every key has its last write, a value or a removal, with hybrid time and
 * node; the greatest (time, node, value) wins, and a removal comes before the
 * values of its time and node.  Removals are kept, for an older write may
 * still arrive.
 *
 * Join: the greater write of each key.
 *
 * Stored bytes: a stamped map, core/entry_table.c; binary image:
 * core/stamped_map_io.c.
 */
#include "core/compat.h"

#include "core/entry_list.h"
#include "core/rows.h"
#include "core/stamped_map.h"
#include "core/stamped_map_io.h"
#include "utils/builtins.h"

static const StampedMapFace lww_map_face =
	STAMPED_MAP_FACE("lww_map", true,
					 "Write a map as JSON, such as {\"k\": {\"value\": \"x\", "
					 "\"at\": \"2026-11-22T13:00:00Z/0\", \"node\": \"a\"}}; "
					 "a removed key has the value null.");

PG_FUNCTION_INFO_V1(lww_map_in);
Datum
lww_map_in(PG_FUNCTION_ARGS)
{
	return json_face_in(fcinfo, &lww_map_face.base);
}

PG_FUNCTION_INFO_V1(lww_map_out);
Datum
lww_map_out(PG_FUNCTION_ARGS)
{
	return json_face_out(fcinfo, &lww_map_face.base);
}

PG_FUNCTION_INFO_V1(lww_map_recv);
Datum
lww_map_recv(PG_FUNCTION_ARGS)
{
	return json_face_recv(fcinfo, &lww_map_face.base);
}

PG_FUNCTION_INFO_V1(lww_map_send);
Datum
lww_map_send(PG_FUNCTION_ARGS)
{
	return json_face_send(fcinfo, &lww_map_face.base);
}

PG_FUNCTION_INFO_V1(lww_map_from_jsonb);
Datum
lww_map_from_jsonb(PG_FUNCTION_ARGS)
{
	return json_face_from_jsonb(fcinfo, &lww_map_face.base);
}

PG_FUNCTION_INFO_V1(lww_map_to_jsonb);
Datum
lww_map_to_jsonb(PG_FUNCTION_ARGS)
{
	return json_face_to_jsonb(fcinfo, &lww_map_face.base);
}

PG_FUNCTION_INFO_V1(lww_map_to_json);
Datum
lww_map_to_json(PG_FUNCTION_ARGS)
{
	return json_face_to_json(fcinfo, &lww_map_face.base);
}

/*
 * Writing and reading
 */

static Entry
lww_map_key(FunctionCallInfo fcinfo)
{
	text *key = PG_GETARG_TEXT_PP(1);
	Entry entry = {.key = VARDATA_ANY(key), .key_length = VARSIZE_ANY_EXHDR(key), .value = ""};

	return entry;
}

PG_FUNCTION_INFO_V1(lww_map_from_document);
Datum
lww_map_from_document(PG_FUNCTION_ARGS)
{
	InputSource source = input_from_arguments("lww_map");

	PG_RETURN_POINTER(stamped_map_from_document(PG_GETARG_JSONB_P(0),
												hybrid_time_load(PG_GETARG_POINTER(1)),
												node_name_argument(fcinfo, 2, "lww_map"), &source));
}

/* A write that comes late changes nothing. */
PG_FUNCTION_INFO_V1(lww_map_put);
Datum
lww_map_put(PG_FUNCTION_ARGS)
{
	text *value = PG_GETARG_TEXT_PP(2);
	Entry entry = lww_map_key(fcinfo);

	entry.value = VARDATA_ANY(value);
	entry.value_length = VARSIZE_ANY_EXHDR(value);
	PG_RETURN_POINTER(stamped_map_write(PG_GETARG_VARLENA_PP(0), entry,
										hybrid_time_load(PG_GETARG_POINTER(3)),
										node_name_argument(fcinfo, 4, "lww_map")));
}

PG_FUNCTION_INFO_V1(lww_map_remove);
Datum
lww_map_remove(PG_FUNCTION_ARGS)
{
	Entry entry = lww_map_key(fcinfo);

	entry.removed = true;
	PG_RETURN_POINTER(stamped_map_write(PG_GETARG_VARLENA_PP(0), entry,
										hybrid_time_load(PG_GETARG_POINTER(2)),
										node_name_argument(fcinfo, 3, "lww_map")));
}

/* The value that a key has; false if it has none, or was removed. */
static bool
lww_map_find(FunctionCallInfo fcinfo, EntryTable *map, Entry *entry)
{
	EntryCursor cursor;
	uint32 from;
	uint32 to;
	Entry key = lww_map_key(fcinfo);

	entry_table_argument(fcinfo, 0, map);
	if (!entry_table_find(map, key.key, key.key_length, &from, &to))
		return false;
	entry_table_seek(&cursor, map, from);
	entry_cursor_next(&cursor);
	*entry = cursor.entry;
	return !entry->removed;
}

PG_FUNCTION_INFO_V1(lww_map_get);
Datum
lww_map_get(PG_FUNCTION_ARGS)
{
	EntryTable map;
	Entry entry;

	if (!lww_map_find(fcinfo, &map, &entry))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text_with_len(entry.value, (int) entry.value_length));
}

PG_FUNCTION_INFO_V1(lww_map_has);
Datum
lww_map_has(PG_FUNCTION_ARGS)
{
	EntryTable map;
	Entry entry;

	PG_RETURN_BOOL(lww_map_find(fcinfo, &map, &entry));
}

PG_FUNCTION_INFO_V1(lww_map_keys);
Datum
lww_map_keys(PG_FUNCTION_ARGS)
{
	EntryTable map;

	entry_table_argument(fcinfo, 0, &map);
	return entry_list_keys(&map);
}

/* The document: what is there now, without stamps and removals. */
PG_FUNCTION_INFO_V1(lww_map_document);
Datum
lww_map_document(PG_FUNCTION_ARGS)
{
	EntryTable map;
	EntryCursor cursor;
	StringInfoData buf;

	entry_table_argument(fcinfo, 0, &map);
	initStringInfo(&buf);
	appendStringInfoChar(&buf, '{');
	for (entry_cursor_open(&cursor, &map); entry_cursor_next(&cursor);)
	{
		if (cursor.entry.removed)
			continue;
		if (buf.len > 1)
			appendStringInfoChar(&buf, ',');
		json_tree_append_string(&buf, cursor.entry.key, (int) cursor.entry.key_length);
		appendStringInfoChar(&buf, ':');
		json_tree_append_string(&buf, cursor.entry.value, (int) cursor.entry.value_length);
	}
	appendStringInfoChar(&buf, '}');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(buf.data));
}

PG_FUNCTION_INFO_V1(lww_map_each);
Datum
lww_map_each(PG_FUNCTION_ARGS)
{
	EntryTable map;
	EntryCursor cursor;
	RowSet rows;

	entry_table_argument(fcinfo, 0, &map);
	row_set_open(&rows, fcinfo);
	for (entry_cursor_open(&cursor, &map); entry_cursor_next(&cursor);)
	{
		const Entry *entry = &cursor.entry;
		NodeName node = entry_table_node(&map, entry->node);
		char at[HYBRID_TIME_BYTES];
		Datum values[4];
		bool nulls[4] = {false, false, false, false};

		if (entry->removed)
			continue;
		hybrid_time_store(at, stamped_entry_time(entry));
		values[0] = PointerGetDatum(cstring_to_text_with_len(entry->key, (int) entry->key_length));
		values[1] = PointerGetDatum(
			cstring_to_text_with_len(entry->value, (int) entry->value_length));
		values[2] = PointerGetDatum(at);
		values[3] = PointerGetDatum(cstring_to_text_with_len(node.name, (int) node.length));
		row_set_add(&rows, values, nulls);
	}
	return (Datum) 0;
}
