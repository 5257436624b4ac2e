/*
 * lww_register.c
 *		Last-writer-wins registers.
 *
 * A value with the hybrid time and the node of its write; the greatest (time,
 * node, value) wins, so every replica keeps the same write whatever ties
 * (LWW-Register: Shapiro et al., "A comprehensive study of convergent and
 * commutative replicated data types", 2011, section 3.2.1).
 *
 * Join: the greater write.
 *
 * Stored bytes: a stamped map whose only key is empty, core/entry_table.c;
 * binary image: core/stamped_map_io.c.
 */
#include "core/compat.h"

#include "core/stamped_map.h"
#include "core/stamped_map_io.h"
#include "utils/builtins.h"

static const StampedMapFace lww_register_face =
	STAMPED_MAP_FACE("lww_register", false,
					 "Write a register as JSON, such as {\"value\": \"x\", "
					 "\"at\": \"2026-11-22T13:00:00Z/0\", \"node\": \"a\"}.");

PG_FUNCTION_INFO_V1(lww_register_in);
Datum
lww_register_in(PG_FUNCTION_ARGS)
{
	return json_face_in(fcinfo, &lww_register_face.base);
}

PG_FUNCTION_INFO_V1(lww_register_out);
Datum
lww_register_out(PG_FUNCTION_ARGS)
{
	return json_face_out(fcinfo, &lww_register_face.base);
}

PG_FUNCTION_INFO_V1(lww_register_recv);
Datum
lww_register_recv(PG_FUNCTION_ARGS)
{
	return json_face_recv(fcinfo, &lww_register_face.base);
}

PG_FUNCTION_INFO_V1(lww_register_send);
Datum
lww_register_send(PG_FUNCTION_ARGS)
{
	return json_face_send(fcinfo, &lww_register_face.base);
}

PG_FUNCTION_INFO_V1(lww_register_from_jsonb);
Datum
lww_register_from_jsonb(PG_FUNCTION_ARGS)
{
	return json_face_from_jsonb(fcinfo, &lww_register_face.base);
}

PG_FUNCTION_INFO_V1(lww_register_to_jsonb);
Datum
lww_register_to_jsonb(PG_FUNCTION_ARGS)
{
	return json_face_to_jsonb(fcinfo, &lww_register_face.base);
}

PG_FUNCTION_INFO_V1(lww_register_to_json);
Datum
lww_register_to_json(PG_FUNCTION_ARGS)
{
	return json_face_to_json(fcinfo, &lww_register_face.base);
}

/*
 * Writing and reading
 */

static Entry
lww_register_entry(text *value)
{
	Entry entry = {.key = "",
				   .value = VARDATA_ANY(value),
				   .value_length = VARSIZE_ANY_EXHDR(value)};

	return entry;
}

PG_FUNCTION_INFO_V1(lww_register_make);
Datum
lww_register_make(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(stamped_map_of(lww_register_entry(PG_GETARG_TEXT_PP(0)),
									 hybrid_time_load(PG_GETARG_POINTER(1)),
									 node_name_argument(fcinfo, 2, "lww_register")));
}

/* A write that comes late changes nothing. */
PG_FUNCTION_INFO_V1(lww_register_set);
Datum
lww_register_set(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(stamped_map_write(PG_GETARG_VARLENA_PP(0),
										lww_register_entry(PG_GETARG_TEXT_PP(1)),
										hybrid_time_load(PG_GETARG_POINTER(2)),
										node_name_argument(fcinfo, 3, "lww_register")));
}

/* The write that a register holds; false if it was never written. */
static bool
lww_register_open(FunctionCallInfo fcinfo, EntryTable *table, Entry *entry)
{
	EntryCursor cursor;

	entry_table_argument(fcinfo, 0, table);
	entry_cursor_open(&cursor, table);
	if (!entry_cursor_next(&cursor))
		return false;
	*entry = cursor.entry;
	return true;
}

PG_FUNCTION_INFO_V1(lww_register_value);
Datum
lww_register_value(PG_FUNCTION_ARGS)
{
	EntryTable reg;
	Entry entry;

	if (!lww_register_open(fcinfo, &reg, &entry))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text_with_len(entry.value, (int) entry.value_length));
}

PG_FUNCTION_INFO_V1(lww_register_stamp);
Datum
lww_register_stamp(PG_FUNCTION_ARGS)
{
	EntryTable reg;
	Entry entry;
	void *at;

	if (!lww_register_open(fcinfo, &reg, &entry))
		PG_RETURN_NULL();
	at = palloc(HYBRID_TIME_BYTES);
	hybrid_time_store(at, stamped_entry_time(&entry));
	PG_RETURN_POINTER(at);
}

PG_FUNCTION_INFO_V1(lww_register_node);
Datum
lww_register_node(PG_FUNCTION_ARGS)
{
	EntryTable reg;
	Entry entry;
	NodeName node;

	if (!lww_register_open(fcinfo, &reg, &entry))
		PG_RETURN_NULL();
	node = entry_table_node(&reg, entry.node);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(node.name, (int) node.length));
}
