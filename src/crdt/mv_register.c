/*
 * mv_register.c
 *		Multi-value registers: of concurrent writes, all values are kept.
 *
 * Writing gives the value a new dot in place of all values that are seen;
 * values that were written without seeing one another stand side by side until
 * a later write replaces them (Almeida, Shoker, Baquero, "Delta state
 * replicated data types", 2018; the siblings of DeCandia et al., "Dynamo",
 * 2007).
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

static const DotStoreFace mv_register_face =
	DOT_STORE_FACE("mv_register", "values", "An entry", false, true,
				   "Write a register as JSON, such as {\"values\": [{\"value\": \"x\", "
				   "\"dot\": [\"a\", 3]}], \"context\": {\"a\": 3}}.");

PG_FUNCTION_INFO_V1(mv_register_in);
Datum
mv_register_in(PG_FUNCTION_ARGS)
{
	return json_face_in(fcinfo, &mv_register_face.base);
}

PG_FUNCTION_INFO_V1(mv_register_out);
Datum
mv_register_out(PG_FUNCTION_ARGS)
{
	return json_face_out(fcinfo, &mv_register_face.base);
}

PG_FUNCTION_INFO_V1(mv_register_recv);
Datum
mv_register_recv(PG_FUNCTION_ARGS)
{
	return json_face_recv(fcinfo, &mv_register_face.base);
}

PG_FUNCTION_INFO_V1(mv_register_send);
Datum
mv_register_send(PG_FUNCTION_ARGS)
{
	return json_face_send(fcinfo, &mv_register_face.base);
}

PG_FUNCTION_INFO_V1(mv_register_from_jsonb);
Datum
mv_register_from_jsonb(PG_FUNCTION_ARGS)
{
	return json_face_from_jsonb(fcinfo, &mv_register_face.base);
}

PG_FUNCTION_INFO_V1(mv_register_to_jsonb);
Datum
mv_register_to_jsonb(PG_FUNCTION_ARGS)
{
	return json_face_to_jsonb(fcinfo, &mv_register_face.base);
}

PG_FUNCTION_INFO_V1(mv_register_to_json);
Datum
mv_register_to_json(PG_FUNCTION_ARGS)
{
	return json_face_to_json(fcinfo, &mv_register_face.base);
}

/*
 * Changing and reading
 */

/* A value takes the place of all that are seen. */
PG_FUNCTION_INFO_V1(mv_register_set);
Datum
mv_register_set(PG_FUNCTION_ARGS)
{
	text *value = PG_GETARG_TEXT_PP(1);
	Entry entry = {.key = "",
				   .value = VARDATA_ANY(value),
				   .value_length = VARSIZE_ANY_EXHDR(value)};
	EntryTable reg;

	entry_table_argument(fcinfo, 0, &reg);
	PG_RETURN_POINTER(dot_store_put(&reg, 0, reg.nentries, entry,
									node_name_argument(fcinfo, 2, "mv_register"), "mv_register"));
}

PG_FUNCTION_INFO_V1(mv_register_siblings);
Datum
mv_register_siblings(PG_FUNCTION_ARGS)
{
	EntryTable reg;

	entry_table_argument(fcinfo, 0, &reg);
	return entry_list_values(&reg, 0, reg.nentries);
}

/* Replicas that wrote the same do not disagree. */
PG_FUNCTION_INFO_V1(mv_register_is_conflicted);
Datum
mv_register_is_conflicted(PG_FUNCTION_ARGS)
{
	EntryTable reg;
	EntryCursor cursor;
	Entry first = {0};

	entry_table_argument(fcinfo, 0, &reg);
	for (entry_cursor_open(&cursor, &reg); entry_cursor_next(&cursor);)
	{
		if (cursor.index == 1)
			first = cursor.entry;
		else if (entry_compare_values(&first, &cursor.entry) != 0)
			PG_RETURN_BOOL(true);
	}
	PG_RETURN_BOOL(false);
}
