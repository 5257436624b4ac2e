/*
 * pncounter.c
 *		Counters that go up and down.
 *
 * Every node counts its increments and its decrements, each of which only
 * grows; the value is the difference of their sums (PN-Counter: Shapiro et
 * al., "A comprehensive study of convergent and commutative replicated data
 * types", 2011, section 3.1.3).
 *
 * Join: the greater of both counts of each node.
 *
 * Stored bytes: a node table with two counters per node, see
 * core/node_table.c.  Binary image, version 1:
 *
 *		int8		version, 1
 *		int32		number of nodes
 *		each node:	int32 length, name in the client's encoding, int64
 *					increments, int64 decrements
 */
#include "core/compat.h"

#include "core/compare.h"
#include "core/node_table_io.h"
#include "core/node_table_state.h"
#include "utils/fmgrprotos.h"

static const NodeTableLattice pncounter_join = NODE_TABLE_LATTICE("pncounter merge", 2, NODE_JOIN);
static const NodeTableFace pncounter_face = NODE_TABLE_FACE(
	"pncounter", 2,
	"Write a counter as a JSON object of increments and decrements, such as {\"a\": [5, 2]}.");

PG_FUNCTION_INFO_V1(pncounter_in);
Datum
pncounter_in(PG_FUNCTION_ARGS)
{
	return json_face_in(fcinfo, &pncounter_face.base);
}

PG_FUNCTION_INFO_V1(pncounter_out);
Datum
pncounter_out(PG_FUNCTION_ARGS)
{
	return json_face_out(fcinfo, &pncounter_face.base);
}

PG_FUNCTION_INFO_V1(pncounter_recv);
Datum
pncounter_recv(PG_FUNCTION_ARGS)
{
	return json_face_recv(fcinfo, &pncounter_face.base);
}

PG_FUNCTION_INFO_V1(pncounter_send);
Datum
pncounter_send(PG_FUNCTION_ARGS)
{
	return json_face_send(fcinfo, &pncounter_face.base);
}

PG_FUNCTION_INFO_V1(pncounter_from_jsonb);
Datum
pncounter_from_jsonb(PG_FUNCTION_ARGS)
{
	return json_face_from_jsonb(fcinfo, &pncounter_face.base);
}

PG_FUNCTION_INFO_V1(pncounter_to_jsonb);
Datum
pncounter_to_jsonb(PG_FUNCTION_ARGS)
{
	return json_face_to_jsonb(fcinfo, &pncounter_face.base);
}

PG_FUNCTION_INFO_V1(pncounter_to_json);
Datum
pncounter_to_json(PG_FUNCTION_ARGS)
{
	return json_face_to_json(fcinfo, &pncounter_face.base);
}

/*
 * Counting
 */

/* Count on one side: 0 counts up, 1 down. */
static Datum
pncounter_grow(FunctionCallInfo fcinfo, int side)
{
	uint64 by = input_counter_argument(PG_GETARG_INT64(1), "amount", "pncounter");
	NodeTable counter;
	NodeName node;

	/* an operator needs no local node to change nothing */
	if (by == 0 && PG_NARGS() == 2)
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	node = node_name_argument(fcinfo, 2, "pncounter");
	if (by == 0)
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	node_table_open(&counter, PG_GETARG_VARLENA_PP(0), 2);
	PG_RETURN_POINTER(node_table_increment(&counter, node, side, by, "pncounter"));
}

PG_FUNCTION_INFO_V1(pncounter_increment);
Datum
pncounter_increment(PG_FUNCTION_ARGS)
{
	return pncounter_grow(fcinfo, 0);
}

PG_FUNCTION_INFO_V1(pncounter_decrement);
Datum
pncounter_decrement(PG_FUNCTION_ARGS)
{
	return pncounter_grow(fcinfo, 1);
}

/* How far apart the two sides are; *up tells which one is ahead. */
static NodeSum
pncounter_distance(const NodeTable *counter, bool *up)
{
	NodeTable increments = node_table_column(counter, 0);
	NodeTable decrements = node_table_column(counter, 1);
	NodeSum plus = node_table_sum(&increments);
	NodeSum minus = node_table_sum(&decrements);

	*up = node_sum_compare(plus, minus) >= 0;
	return *up ? node_sum_subtract(plus, minus) : node_sum_subtract(minus, plus);
}

/*
 * Take back what has been observed, by counting as far the other way: changes
 * that this replica has not seen keep their effect.
 */
PG_FUNCTION_INFO_V1(pncounter_reset);
Datum
pncounter_reset(PG_FUNCTION_ARGS)
{
	NodeName node = node_name_argument(fcinfo, 1, "pncounter");
	NodeTable counter;
	NodeSum distance;
	bool up;

	node_table_open(&counter, PG_GETARG_VARLENA_PP(0), 2);
	distance = pncounter_distance(&counter, &up);
	if (distance.high == 0 && distance.low == 0)
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	if (distance.high > 0)
	{
		InputSource source = input_from_arguments("pncounter");

		input_out_of_range(&source, "The value is too far from 0 for one node to count it back.");
	}
	PG_RETURN_POINTER(node_table_increment(&counter, node, up ? 1 : 0, distance.low, "pncounter"));
}

PG_FUNCTION_INFO_V1(pncounter_value);
Datum
pncounter_value(PG_FUNCTION_ARGS)
{
	NodeTable counter;
	bool up;
	Datum value;

	node_table_open(&counter, PG_GETARG_VARLENA_PP(0), 2);
	value = node_sum_numeric(pncounter_distance(&counter, &up));
	return up ? value : DirectFunctionCall1(numeric_uminus, value);
}

PG_FUNCTION_INFO_V1(pncounter_to_bigint);
Datum
pncounter_to_bigint(PG_FUNCTION_ARGS)
{
	return DirectFunctionCall1(numeric_int8, pncounter_value(fcinfo));
}

/* What one node contributes: its increments less its decrements. */
PG_FUNCTION_INFO_V1(pncounter_get);
Datum
pncounter_get(PG_FUNCTION_ARGS)
{
	text *node = PG_GETARG_TEXT_PP(1);
	NodeTable counter;
	uint32 index;

	node_table_open(&counter, PG_GETARG_VARLENA_PP(0), 2);
	if (!node_table_find(&counter, VARDATA_ANY(node), VARSIZE_ANY_EXHDR(node), &index))
		PG_RETURN_INT64(0);
	/* both are at most 2^63-1, so the difference fits */
	PG_RETURN_INT64((int64) node_table_counter(&counter, node_table_slot(&counter, index, 0)) -
					(int64) node_table_counter(&counter, node_table_slot(&counter, index, 1)));
}

/*
 * The lattice
 */

PG_FUNCTION_INFO_V1(pncounter_merge);
Datum
pncounter_merge(PG_FUNCTION_ARGS)
{
	return lattice_merge(fcinfo, &pncounter_join.base);
}

PG_FUNCTION_INFO_V1(pncounter_contained);
Datum
pncounter_contained(PG_FUNCTION_ARGS)
{
	return node_table_sql_contained(fcinfo, 2);
}

PG_FUNCTION_INFO_V1(pncounter_contains);
Datum
pncounter_contains(PG_FUNCTION_ARGS)
{
	return node_table_sql_contains(fcinfo, 2);
}

PG_FUNCTION_INFO_V1(pncounter_delta);
Datum
pncounter_delta(PG_FUNCTION_ARGS)
{
	return node_table_sql_delta(fcinfo, 2);
}

/*
 * The order for sorting, a linear extension of inclusion
 */

static bool
pncounter_eq_internal(FunctionCallInfo fcinfo)
{
	return lattice_equal(fcinfo);
}

static int
pncounter_cmp_internal(FunctionCallInfo fcinfo)
{
	return node_table_datum_compare(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), 2);
}

COMPARISON_FUNCTIONS(pncounter);

PG_FUNCTION_INFO_V1(pncounter_hash);
Datum
pncounter_hash(PG_FUNCTION_ARGS)
{
	return lattice_hash(fcinfo);
}

PG_FUNCTION_INFO_V1(pncounter_hash_extended);
Datum
pncounter_hash_extended(PG_FUNCTION_ARGS)
{
	return lattice_hash_extended(fcinfo);
}

PG_FUNCTION_INFO_V1(pncounter_sortsupport);
Datum
pncounter_sortsupport(PG_FUNCTION_ARGS)
{
	return node_table_sql_sortsupport(fcinfo, 2);
}
