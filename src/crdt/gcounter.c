/*
 * gcounter.c
 *		Grow-only counters.
 *
 * Every node counts for itself, and the value is the sum, so replicas that
 * count at once lose nothing (G-Counter: Shapiro et al., "A comprehensive
 * study of convergent and commutative replicated data types", 2011, section
 * 3.1.2).
 *
 * Join: the greater count of each node.
 *
 * Stored bytes: a node table with one counter per node, see
 * core/node_table.c; the binary image is that of vclock.
 */
#include "core/compat.h"

#include "core/compare.h"
#include "core/node_table_io.h"
#include "core/node_table_state.h"
#include "utils/fmgrprotos.h"

static const NodeTableLattice gcounter_join = NODE_TABLE_LATTICE("gcounter merge", 1, NODE_JOIN);
static const NodeTableFace gcounter_face =
	NODE_TABLE_FACE("gcounter", 1,
					"Write a counter as a JSON object, such as {\"a\": 3, \"b\": 1}.");

PG_FUNCTION_INFO_V1(gcounter_in);
Datum
gcounter_in(PG_FUNCTION_ARGS)
{
	return json_face_in(fcinfo, &gcounter_face.base);
}

PG_FUNCTION_INFO_V1(gcounter_out);
Datum
gcounter_out(PG_FUNCTION_ARGS)
{
	return json_face_out(fcinfo, &gcounter_face.base);
}

PG_FUNCTION_INFO_V1(gcounter_recv);
Datum
gcounter_recv(PG_FUNCTION_ARGS)
{
	return json_face_recv(fcinfo, &gcounter_face.base);
}

PG_FUNCTION_INFO_V1(gcounter_send);
Datum
gcounter_send(PG_FUNCTION_ARGS)
{
	return json_face_send(fcinfo, &gcounter_face.base);
}

PG_FUNCTION_INFO_V1(gcounter_from_jsonb);
Datum
gcounter_from_jsonb(PG_FUNCTION_ARGS)
{
	return json_face_from_jsonb(fcinfo, &gcounter_face.base);
}

PG_FUNCTION_INFO_V1(gcounter_to_jsonb);
Datum
gcounter_to_jsonb(PG_FUNCTION_ARGS)
{
	return json_face_to_jsonb(fcinfo, &gcounter_face.base);
}

PG_FUNCTION_INFO_V1(gcounter_to_json);
Datum
gcounter_to_json(PG_FUNCTION_ARGS)
{
	return json_face_to_json(fcinfo, &gcounter_face.base);
}

/*
 * Counting
 */

PG_FUNCTION_INFO_V1(gcounter_increment);
Datum
gcounter_increment(PG_FUNCTION_ARGS)
{
	uint64 by = input_counter_argument(PG_GETARG_INT64(1), "amount", "gcounter");
	NodeTable counter;
	NodeName node;

	/* the operator needs no local node to change nothing */
	if (by == 0 && PG_NARGS() == 2)
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	node = node_name_argument(fcinfo, 2, "gcounter");
	if (by == 0)
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	node_table_open(&counter, PG_GETARG_VARLENA_PP(0), 1);
	PG_RETURN_POINTER(node_table_increment(&counter, node, 0, by, "gcounter"));
}

PG_FUNCTION_INFO_V1(gcounter_value);
Datum
gcounter_value(PG_FUNCTION_ARGS)
{
	NodeTable counter;

	node_table_open(&counter, PG_GETARG_VARLENA_PP(0), 1);
	return node_sum_numeric(node_table_sum(&counter));
}

PG_FUNCTION_INFO_V1(gcounter_to_bigint);
Datum
gcounter_to_bigint(PG_FUNCTION_ARGS)
{
	return DirectFunctionCall1(numeric_int8, gcounter_value(fcinfo));
}

PG_FUNCTION_INFO_V1(gcounter_get);
Datum
gcounter_get(PG_FUNCTION_ARGS)
{
	text *node = PG_GETARG_TEXT_PP(1);
	NodeTable counter;

	node_table_open(&counter, PG_GETARG_VARLENA_PP(0), 1);
	PG_RETURN_INT64(
		(int64) node_table_get(&counter, VARDATA_ANY(node), VARSIZE_ANY_EXHDR(node), 0));
}

/*
 * The lattice
 */

PG_FUNCTION_INFO_V1(gcounter_merge);
Datum
gcounter_merge(PG_FUNCTION_ARGS)
{
	return lattice_merge(fcinfo, &gcounter_join.base);
}

PG_FUNCTION_INFO_V1(gcounter_contained);
Datum
gcounter_contained(PG_FUNCTION_ARGS)
{
	return node_table_sql_contained(fcinfo, 1);
}

PG_FUNCTION_INFO_V1(gcounter_contains);
Datum
gcounter_contains(PG_FUNCTION_ARGS)
{
	return node_table_sql_contains(fcinfo, 1);
}

PG_FUNCTION_INFO_V1(gcounter_delta);
Datum
gcounter_delta(PG_FUNCTION_ARGS)
{
	return node_table_sql_delta(fcinfo, 1);
}

/*
 * The order for sorting, a linear extension of inclusion
 */

static bool
gcounter_eq_internal(FunctionCallInfo fcinfo)
{
	return lattice_equal(fcinfo);
}

static int
gcounter_cmp_internal(FunctionCallInfo fcinfo)
{
	return node_table_datum_compare(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), 1);
}

COMPARISON_FUNCTIONS(gcounter);

PG_FUNCTION_INFO_V1(gcounter_hash);
Datum
gcounter_hash(PG_FUNCTION_ARGS)
{
	return lattice_hash(fcinfo);
}

PG_FUNCTION_INFO_V1(gcounter_hash_extended);
Datum
gcounter_hash_extended(PG_FUNCTION_ARGS)
{
	return lattice_hash_extended(fcinfo);
}

PG_FUNCTION_INFO_V1(gcounter_sortsupport);
Datum
gcounter_sortsupport(PG_FUNCTION_ARGS)
{
	return node_table_sql_sortsupport(fcinfo, 1);
}
