/*
 * ew_flag.c
 *		Flags whose enabling wins over a concurrent disabling.
 *
 * Enabling gives the flag a new dot in place of those it has, disabling
 * removes the dots that are seen; it is enabled while there is a dot (Almeida,
 * Shoker, Baquero, "Delta state replicated data types", 2018; Riak calls it an
 * enable-wins flag).
 *
 * Join: an entry survives if both sides have it, or one has it and the other
 * does not know its dot; see core/dot_store.c.
 *
 * Stored bytes: core/entry_table.c; binary image: core/dot_store_io.c.
 */
#include "core/compat.h"

#include "core/dot_store.h"
#include "core/dot_store_io.h"

static const DotStoreFace ew_flag_face =
	DOT_STORE_FACE("ew_flag", "enabled", "The flag", false, false,
				   "Write a flag as JSON, such as {\"enabled\": [[\"a\", 1]], "
				   "\"context\": {\"a\": 1}}.");

PG_FUNCTION_INFO_V1(ew_flag_in);
Datum
ew_flag_in(PG_FUNCTION_ARGS)
{
	return json_face_in(fcinfo, &ew_flag_face.base);
}

PG_FUNCTION_INFO_V1(ew_flag_out);
Datum
ew_flag_out(PG_FUNCTION_ARGS)
{
	return json_face_out(fcinfo, &ew_flag_face.base);
}

PG_FUNCTION_INFO_V1(ew_flag_recv);
Datum
ew_flag_recv(PG_FUNCTION_ARGS)
{
	return json_face_recv(fcinfo, &ew_flag_face.base);
}

PG_FUNCTION_INFO_V1(ew_flag_send);
Datum
ew_flag_send(PG_FUNCTION_ARGS)
{
	return json_face_send(fcinfo, &ew_flag_face.base);
}

PG_FUNCTION_INFO_V1(ew_flag_from_jsonb);
Datum
ew_flag_from_jsonb(PG_FUNCTION_ARGS)
{
	return json_face_from_jsonb(fcinfo, &ew_flag_face.base);
}

PG_FUNCTION_INFO_V1(ew_flag_to_jsonb);
Datum
ew_flag_to_jsonb(PG_FUNCTION_ARGS)
{
	return json_face_to_jsonb(fcinfo, &ew_flag_face.base);
}

PG_FUNCTION_INFO_V1(ew_flag_to_json);
Datum
ew_flag_to_json(PG_FUNCTION_ARGS)
{
	return json_face_to_json(fcinfo, &ew_flag_face.base);
}

/*
 * Changing and reading
 */

/* All dots that are seen give way to a new one. */
static Datum
ew_flag_mark(FunctionCallInfo fcinfo)
{
	NodeName node = node_name_argument(fcinfo, 1, "ew_flag");
	EntryTable flag;
	Entry entry = {.key = "", .value = ""};

	entry_table_argument(fcinfo, 0, &flag);
	PG_RETURN_POINTER(dot_store_put(&flag, 0, flag.nentries, entry, node, "ew_flag"));
}

/* All dots that are seen go. */
static Datum
ew_flag_unmark(FunctionCallInfo fcinfo)
{
	EntryTable flag;

	if (PG_NARGS() > 1)
		(void) node_name_argument(fcinfo, 1, "ew_flag");
	entry_table_argument(fcinfo, 0, &flag);
	PG_RETURN_POINTER(dot_store_drop(&flag, 0, flag.nentries));
}

PG_FUNCTION_INFO_V1(ew_flag_enable);
Datum
ew_flag_enable(PG_FUNCTION_ARGS)
{
	return ew_flag_mark(fcinfo);
}

PG_FUNCTION_INFO_V1(ew_flag_disable);
Datum
ew_flag_disable(PG_FUNCTION_ARGS)
{
	return ew_flag_unmark(fcinfo);
}

PG_FUNCTION_INFO_V1(ew_flag_value);
Datum
ew_flag_value(PG_FUNCTION_ARGS)
{
	EntryTable flag;

	entry_table_argument(fcinfo, 0, &flag);
	PG_RETURN_BOOL(flag.nentries > 0);
}
