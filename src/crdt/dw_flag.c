/*
 * dw_flag.c
 *		Flags whose disabling wins over a concurrent enabling.
 *
 * The mirror of ew_flag: disabling gives the flag a new dot in place of those
 * it has, enabling removes the dots that are seen; it is enabled while there
 * is no dot, so also before anyone has touched it (Almeida, Shoker, Baquero,
 * "Delta state replicated data types", 2018).
 *
 * Join: an entry survives if both sides have it, or one has it and the other
 * does not know its dot; see core/dot_store.c.
 *
 * Stored bytes: core/entry_table.c; binary image: core/dot_store_io.c.
 */
#include "core/compat.h"

#include "core/dot_store.h"
#include "core/dot_store_io.h"

static const DotStoreFace dw_flag_face =
	DOT_STORE_FACE("dw_flag", "disabled", "The flag", false, false,
				   "Write a flag as JSON, such as {\"disabled\": [[\"a\", 1]], "
				   "\"context\": {\"a\": 1}}.");

PG_FUNCTION_INFO_V1(dw_flag_in);
Datum
dw_flag_in(PG_FUNCTION_ARGS)
{
	return json_face_in(fcinfo, &dw_flag_face.base);
}

PG_FUNCTION_INFO_V1(dw_flag_out);
Datum
dw_flag_out(PG_FUNCTION_ARGS)
{
	return json_face_out(fcinfo, &dw_flag_face.base);
}

PG_FUNCTION_INFO_V1(dw_flag_recv);
Datum
dw_flag_recv(PG_FUNCTION_ARGS)
{
	return json_face_recv(fcinfo, &dw_flag_face.base);
}

PG_FUNCTION_INFO_V1(dw_flag_send);
Datum
dw_flag_send(PG_FUNCTION_ARGS)
{
	return json_face_send(fcinfo, &dw_flag_face.base);
}

PG_FUNCTION_INFO_V1(dw_flag_from_jsonb);
Datum
dw_flag_from_jsonb(PG_FUNCTION_ARGS)
{
	return json_face_from_jsonb(fcinfo, &dw_flag_face.base);
}

PG_FUNCTION_INFO_V1(dw_flag_to_jsonb);
Datum
dw_flag_to_jsonb(PG_FUNCTION_ARGS)
{
	return json_face_to_jsonb(fcinfo, &dw_flag_face.base);
}

PG_FUNCTION_INFO_V1(dw_flag_to_json);
Datum
dw_flag_to_json(PG_FUNCTION_ARGS)
{
	return json_face_to_json(fcinfo, &dw_flag_face.base);
}

/*
 * Changing and reading
 */

/* All dots that are seen give way to a new one. */
static Datum
dw_flag_mark(FunctionCallInfo fcinfo)
{
	NodeName node = node_name_argument(fcinfo, 1, "dw_flag");
	EntryTable flag;
	Entry entry = {.key = "", .value = ""};

	entry_table_argument(fcinfo, 0, &flag);
	PG_RETURN_POINTER(dot_store_put(&flag, 0, flag.nentries, entry, node, "dw_flag"));
}

/* All dots that are seen go. */
static Datum
dw_flag_unmark(FunctionCallInfo fcinfo)
{
	EntryTable flag;

	if (PG_NARGS() > 1)
		(void) node_name_argument(fcinfo, 1, "dw_flag");
	entry_table_argument(fcinfo, 0, &flag);
	PG_RETURN_POINTER(dot_store_drop(&flag, 0, flag.nentries));
}

PG_FUNCTION_INFO_V1(dw_flag_enable);
Datum
dw_flag_enable(PG_FUNCTION_ARGS)
{
	return dw_flag_unmark(fcinfo);
}

PG_FUNCTION_INFO_V1(dw_flag_disable);
Datum
dw_flag_disable(PG_FUNCTION_ARGS)
{
	return dw_flag_mark(fcinfo);
}

PG_FUNCTION_INFO_V1(dw_flag_value);
Datum
dw_flag_value(PG_FUNCTION_ARGS)
{
	EntryTable flag;

	entry_table_argument(fcinfo, 0, &flag);
	PG_RETURN_BOOL(flag.nentries == 0);
}
