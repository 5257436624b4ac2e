/*
 * orset.c
 *		Observed-remove sets: an addition wins over a concurrent removal.
 *
 * Adding an element gives it a new dot in place of those it has; removing it
 * removes the dots that are seen.  An addition elsewhere has a dot of its own,
 * which the removal did not see, so the element stays (Bieniusa et al., "An
 * optimized conflict-free replicated set", 2012; Almeida, Shoker, Baquero,
 * "Delta state replicated data types", 2018, figure 6).
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
#include "core/set_builder.h"

static const DotStoreFace orset_face =
	DOT_STORE_FACE("orset", "elements", "Element", true, false,
				   "Write a set as JSON, such as {\"elements\": {\"apple\": [[\"a\", 1]]}, "
				   "\"context\": {\"a\": 1}}; an array of text as ARRAY['apple'].");

PG_FUNCTION_INFO_V1(orset_in);
Datum
orset_in(PG_FUNCTION_ARGS)
{
	return json_face_in(fcinfo, &orset_face.base);
}

PG_FUNCTION_INFO_V1(orset_out);
Datum
orset_out(PG_FUNCTION_ARGS)
{
	return json_face_out(fcinfo, &orset_face.base);
}

PG_FUNCTION_INFO_V1(orset_recv);
Datum
orset_recv(PG_FUNCTION_ARGS)
{
	return json_face_recv(fcinfo, &orset_face.base);
}

PG_FUNCTION_INFO_V1(orset_send);
Datum
orset_send(PG_FUNCTION_ARGS)
{
	return json_face_send(fcinfo, &orset_face.base);
}

PG_FUNCTION_INFO_V1(orset_from_jsonb);
Datum
orset_from_jsonb(PG_FUNCTION_ARGS)
{
	return json_face_from_jsonb(fcinfo, &orset_face.base);
}

PG_FUNCTION_INFO_V1(orset_to_jsonb);
Datum
orset_to_jsonb(PG_FUNCTION_ARGS)
{
	return json_face_to_jsonb(fcinfo, &orset_face.base);
}

PG_FUNCTION_INFO_V1(orset_to_json);
Datum
orset_to_json(PG_FUNCTION_ARGS)
{
	return json_face_to_json(fcinfo, &orset_face.base);
}

/*
 * Changing
 */

/* An element argument as an entry; the entries it has are from .. to - 1. */
static Entry
orset_element(FunctionCallInfo fcinfo, const EntryTable *set, uint32 *from, uint32 *to)
{
	text *element = PG_GETARG_TEXT_PP(1);
	Entry entry = {.key = VARDATA_ANY(element),
				   .key_length = VARSIZE_ANY_EXHDR(element),
				   .value = ""};

	entry_table_find(set, entry.key, entry.key_length, from, to);
	return entry;
}

PG_FUNCTION_INFO_V1(orset_add);
Datum
orset_add(PG_FUNCTION_ARGS)
{
	NodeName node = node_name_argument(fcinfo, 2, "orset");
	EntryTable set;
	Entry entry;
	uint32 from;
	uint32 to;

	entry_table_argument(fcinfo, 0, &set);
	entry = orset_element(fcinfo, &set, &from, &to);
	PG_RETURN_POINTER(dot_store_put(&set, from, to, entry, node, "orset"));
}

PG_FUNCTION_INFO_V1(orset_remove);
Datum
orset_remove(PG_FUNCTION_ARGS)
{
	EntryTable set;
	uint32 from;
	uint32 to;

	entry_table_argument(fcinfo, 0, &set);
	orset_element(fcinfo, &set, &from, &to);
	PG_RETURN_POINTER(dot_store_drop(&set, from, to));
}

PG_FUNCTION_INFO_V1(orset_clear);
Datum
orset_clear(PG_FUNCTION_ARGS)
{
	EntryTable set;

	entry_table_argument(fcinfo, 0, &set);
	PG_RETURN_POINTER(dot_store_drop(&set, 0, set.nentries));
}

/* orset_agg(element, node); a partial state is the set of its rows. */
PG_FUNCTION_INFO_V1(orset_agg_transition);
Datum
orset_agg_transition(PG_FUNCTION_ARGS)
{
	MergeState *state = lattice_aggregate_state(fcinfo, &set_builder_lattice);

	if (!PG_ARGISNULL(1))
	{
		text *element = PG_GETARG_TEXT_PP(1);

		if (PG_ARGISNULL(2))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("node must not be null"),
					 errdetail("An element was given with no node to add it.")));
		set_builder_add(state, VARDATA_ANY(element), VARSIZE_ANY_EXHDR(element),
						node_name_argument(fcinfo, 2, "orset"));
	}
	return EOHPGetRWDatum(&state->eoh);
}

PG_FUNCTION_INFO_V1(orset_agg_combine);
Datum
orset_agg_combine(PG_FUNCTION_ARGS)
{
	return lattice_merge(fcinfo, &set_builder_lattice);
}

/*
 * Reading
 */

PG_FUNCTION_INFO_V1(orset_has);
Datum
orset_has(PG_FUNCTION_ARGS)
{
	EntryTable set;
	uint32 from;
	uint32 to;

	entry_table_argument(fcinfo, 0, &set);
	orset_element(fcinfo, &set, &from, &to);
	PG_RETURN_BOOL(to > from);
}

PG_FUNCTION_INFO_V1(orset_has_all);
Datum
orset_has_all(PG_FUNCTION_ARGS)
{
	EntryTable set;

	entry_table_argument(fcinfo, 0, &set);
	PG_RETURN_BOOL(entry_list_has_all(&set, PG_GETARG_ARRAYTYPE_P(1), "elements"));
}

PG_FUNCTION_INFO_V1(orset_has_any);
Datum
orset_has_any(PG_FUNCTION_ARGS)
{
	EntryTable set;

	entry_table_argument(fcinfo, 0, &set);
	PG_RETURN_BOOL(entry_list_has_any(&set, PG_GETARG_ARRAYTYPE_P(1), "elements"));
}

PG_FUNCTION_INFO_V1(orset_cardinality);
Datum
orset_cardinality(PG_FUNCTION_ARGS)
{
	EntryTable set;

	entry_table_argument(fcinfo, 0, &set);
	PG_RETURN_INT32((int32) entry_table_count_keys(&set));
}

PG_FUNCTION_INFO_V1(orset_elements);
Datum
orset_elements(PG_FUNCTION_ARGS)
{
	EntryTable set;

	entry_table_argument(fcinfo, 0, &set);
	return entry_list_keys(&set);
}

PG_FUNCTION_INFO_V1(orset_each);
Datum
orset_each(PG_FUNCTION_ARGS)
{
	EntryTable set;

	entry_table_argument(fcinfo, 0, &set);
	return entry_list_key_rows(fcinfo, &set);
}
