/*
 * vclock.c
 *		Vector clocks.
 *
 * A vector clock counts, for every node, how many of its events are known: an
 * event stamped with its node's clock happened before another exactly if its
 * clock is less (Fidge, "Timestamps in message-passing systems that preserve
 * the partial ordering", 1988; Mattern, "Virtual time and global states of
 * distributed systems", 1989).  A node that is absent counts 0.
 *
 * Join: the greater counter of each node; meet: the lesser.
 *
 * Stored bytes: a node table with one counter per node, see
 * core/node_table.c.  Binary image, version 1:
 *
 *		int8		version, 1
 *		int32		number of nodes
 *		each node:	int32 length, name in the client's encoding, int64 counter
 */
#include "core/compat.h"

#include "core/causal_order.h"
#include "core/compare.h"
#include "core/json_face.h"
#include "core/node_table.h"
#include "core/node_table_io.h"
#include "core/node_table_state.h"
#include "core/rows.h"
#include "utils/builtins.h"

static const NodeTableLattice vclock_join = NODE_TABLE_LATTICE("vclock merge", 1, NODE_JOIN);
static const NodeTableLattice vclock_meet = NODE_TABLE_LATTICE("vclock meet", 1, NODE_MEET);

/* A clock argument, opened where it lies. */
static inline void
vclock_argument(FunctionCallInfo fcinfo, int number, NodeTable *clock)
{
	node_table_open(clock, PG_GETARG_VARLENA_PP(number), 1);
}

/*
 * Input and output
 */

static const NodeTableFace vclock_face =
	NODE_TABLE_FACE("vclock", 1,
					"Write a vector clock as a JSON object, such as {\"a\": 1, \"b\": 2}.");

PG_FUNCTION_INFO_V1(vclock_in);
Datum
vclock_in(PG_FUNCTION_ARGS)
{
	return json_face_in(fcinfo, &vclock_face.base);
}

PG_FUNCTION_INFO_V1(vclock_out);
Datum
vclock_out(PG_FUNCTION_ARGS)
{
	return json_face_out(fcinfo, &vclock_face.base);
}

PG_FUNCTION_INFO_V1(vclock_recv);
Datum
vclock_recv(PG_FUNCTION_ARGS)
{
	return json_face_recv(fcinfo, &vclock_face.base);
}

PG_FUNCTION_INFO_V1(vclock_send);
Datum
vclock_send(PG_FUNCTION_ARGS)
{
	return json_face_send(fcinfo, &vclock_face.base);
}

PG_FUNCTION_INFO_V1(vclock_from_jsonb);
Datum
vclock_from_jsonb(PG_FUNCTION_ARGS)
{
	return json_face_from_jsonb(fcinfo, &vclock_face.base);
}

PG_FUNCTION_INFO_V1(vclock_to_jsonb);
Datum
vclock_to_jsonb(PG_FUNCTION_ARGS)
{
	return json_face_to_jsonb(fcinfo, &vclock_face.base);
}

PG_FUNCTION_INFO_V1(vclock_to_json);
Datum
vclock_to_json(PG_FUNCTION_ARGS)
{
	return json_face_to_json(fcinfo, &vclock_face.base);
}

/*
 * Making and changing clocks
 */

PG_FUNCTION_INFO_V1(vclock_make);
Datum
vclock_make(PG_FUNCTION_ARGS)
{
	NodeName node = node_name_argument(fcinfo, 0, "vclock");
	uint64 counter = input_counter_argument(PG_GETARG_INT64(1), "counter", "vclock");
	NodeEntries entries;

	node_entries_init(&entries, 1);
	if (counter > 0)
		node_entries_add(&entries, node.name, node.length)->counters[0] = counter;
	PG_RETURN_POINTER(node_table_write(&entries, 1, 0));
}

PG_FUNCTION_INFO_V1(vclock_tick);
Datum
vclock_tick(PG_FUNCTION_ARGS)
{
	NodeTable clock;

	vclock_argument(fcinfo, 0, &clock);
	PG_RETURN_POINTER(
		node_table_increment(&clock, node_name_argument(fcinfo, 1, "vclock"), 0, 1, "vclock"));
}

PG_FUNCTION_INFO_V1(vclock_advance);
Datum
vclock_advance(PG_FUNCTION_ARGS)
{
	NodeName node = node_name_argument(fcinfo, 1, "vclock");
	uint64 counter = input_counter_argument(PG_GETARG_INT64(2), "counter", "vclock");
	NodeTable clock;

	vclock_argument(fcinfo, 0, &clock);
	if (counter <= node_table_get(&clock, node.name, node.length, 0))
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	PG_RETURN_POINTER(node_table_set(&clock, node.name, node.length, 0, counter));
}

PG_FUNCTION_INFO_V1(vclock_receive);
Datum
vclock_receive(PG_FUNCTION_ARGS)
{
	NodeTable local;
	NodeTable remote;
	NodeTable merged;

	vclock_argument(fcinfo, 0, &local);
	vclock_argument(fcinfo, 1, &remote);
	node_table_open(&merged, node_table_combine(&local, &remote, NODE_JOIN), 1);
	PG_RETURN_POINTER(
		node_table_increment(&merged, node_name_argument(fcinfo, 2, "vclock"), 0, 1, "vclock"));
}

PG_FUNCTION_INFO_V1(vclock_project);
Datum
vclock_project(PG_FUNCTION_ARGS)
{
	NodeTable clock;
	NodeTable wanted;
	NodeEntries entries;
	Datum *names;
	int count;

	vclock_argument(fcinfo, 0, &clock);
	names = text_array_items(PG_GETARG_ARRAYTYPE_P(1), "node names", &count);
	node_entries_init(&entries, count);
	for (int i = 0; i < count; i++)
	{
		text *name = (text *) DatumGetPointer(names[i]);
		Size length = VARSIZE_ANY_EXHDR(name);

		/* a name that no node can have is not in the clock either */
		if (length > 0 && length <= NODE_NAME_MAX)
			node_entries_add(&entries, VARDATA_ANY(name), length)->counters[0] = 1;
	}
	node_entries_sort(&entries, 1, NODE_DUPLICATES_JOIN, NULL);
	node_table_open(&wanted, node_table_write(&entries, 1, 0), 1);
	PG_RETURN_POINTER(node_table_restrict(&clock, &wanted));
}

/*
 * Reading clocks
 */

PG_FUNCTION_INFO_V1(vclock_get);
Datum
vclock_get(PG_FUNCTION_ARGS)
{
	text *node = PG_GETARG_TEXT_PP(1);
	NodeTable clock;

	vclock_argument(fcinfo, 0, &clock);
	PG_RETURN_INT64((int64) node_table_get(&clock, VARDATA_ANY(node), VARSIZE_ANY_EXHDR(node), 0));
}

PG_FUNCTION_INFO_V1(vclock_node_count);
Datum
vclock_node_count(PG_FUNCTION_ARGS)
{
	NodeTable clock;

	vclock_argument(fcinfo, 0, &clock);
	PG_RETURN_INT32((int32) clock.nnodes);
}

PG_FUNCTION_INFO_V1(vclock_is_zero);
Datum
vclock_is_zero(PG_FUNCTION_ARGS)
{
	NodeTable clock;

	vclock_argument(fcinfo, 0, &clock);
	PG_RETURN_BOOL(clock.nnodes == 0);
}

PG_FUNCTION_INFO_V1(vclock_total);
Datum
vclock_total(PG_FUNCTION_ARGS)
{
	NodeTable clock;

	vclock_argument(fcinfo, 0, &clock);
	return node_sum_numeric(node_table_sum(&clock));
}

PG_FUNCTION_INFO_V1(vclock_nodes);
Datum
vclock_nodes(PG_FUNCTION_ARGS)
{
	NodeTable clock;
	NodeCursor cursor;
	TextList names;

	vclock_argument(fcinfo, 0, &clock);
	text_list_init(&names, clock.nnodes);
	for (node_cursor_open(&cursor, &clock); !node_cursor_done(&cursor); node_cursor_next(&cursor))
		text_list_add(&names, cursor.name, node_cursor_length(&cursor));
	return text_list_array(&names);
}

PG_FUNCTION_INFO_V1(vclock_each);
Datum
vclock_each(PG_FUNCTION_ARGS)
{
	NodeTable clock;
	NodeCursor cursor;
	RowSet rows;

	vclock_argument(fcinfo, 0, &clock);
	row_set_open(&rows, fcinfo);
	for (node_cursor_open(&cursor, &clock); !node_cursor_done(&cursor); node_cursor_next(&cursor))
	{
		Datum values[2];
		bool nulls[2] = {false, false};

		values[0] = PointerGetDatum(
			cstring_to_text_with_len(cursor.name, node_cursor_length(&cursor)));
		values[1] = Int64GetDatum((int64) node_table_counter(&clock, cursor.index));
		row_set_add(&rows, values, nulls);
	}
	return (Datum) 0;
}

/*
 * Causal order
 */

static PartialOrder
vclock_order(FunctionCallInfo fcinfo, PartialOrder until)
{
	return node_table_datum_order(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), 1, until);
}

PG_FUNCTION_INFO_V1(vclock_before);
Datum
vclock_before(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(vclock_order(fcinfo, ORDER_AFTER) == ORDER_BEFORE);
}

PG_FUNCTION_INFO_V1(vclock_after);
Datum
vclock_after(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(vclock_order(fcinfo, ORDER_BEFORE) == ORDER_AFTER);
}

PG_FUNCTION_INFO_V1(vclock_concurrent);
Datum
vclock_concurrent(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(vclock_order(fcinfo, ORDER_CONCURRENT) == ORDER_CONCURRENT);
}

PG_FUNCTION_INFO_V1(vclock_contained);
Datum
vclock_contained(PG_FUNCTION_ARGS)
{
	return node_table_sql_contained(fcinfo, 1);
}

PG_FUNCTION_INFO_V1(vclock_contains);
Datum
vclock_contains(PG_FUNCTION_ARGS)
{
	return node_table_sql_contains(fcinfo, 1);
}

PG_FUNCTION_INFO_V1(vclock_causal_order);
Datum
vclock_causal_order(PG_FUNCTION_ARGS)
{
	return causal_order_result(fcinfo, vclock_order(fcinfo, ORDER_CONCURRENT));
}

/*
 * The lattice
 */

PG_FUNCTION_INFO_V1(vclock_merge);
Datum
vclock_merge(PG_FUNCTION_ARGS)
{
	return lattice_merge(fcinfo, &vclock_join.base);
}

PG_FUNCTION_INFO_V1(vclock_meet_with);
Datum
vclock_meet_with(PG_FUNCTION_ARGS)
{
	return lattice_merge(fcinfo, &vclock_meet.base);
}

/* A vector clock is its own causal context. */
PG_FUNCTION_INFO_V1(vclock_context);
Datum
vclock_context(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

PG_FUNCTION_INFO_V1(vclock_delta);
Datum
vclock_delta(PG_FUNCTION_ARGS)
{
	return node_table_sql_delta(fcinfo, 1);
}

/*
 * The order for sorting: total, and a linear extension of the causal one
 */

static bool
vclock_eq_internal(FunctionCallInfo fcinfo)
{
	return lattice_equal(fcinfo);
}

static int
vclock_cmp_internal(FunctionCallInfo fcinfo)
{
	return node_table_datum_compare(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), 1);
}

COMPARISON_FUNCTIONS(vclock);

PG_FUNCTION_INFO_V1(vclock_hash);
Datum
vclock_hash(PG_FUNCTION_ARGS)
{
	return lattice_hash(fcinfo);
}

PG_FUNCTION_INFO_V1(vclock_hash_extended);
Datum
vclock_hash_extended(PG_FUNCTION_ARGS)
{
	return lattice_hash_extended(fcinfo);
}

PG_FUNCTION_INFO_V1(vclock_sortsupport);
Datum
vclock_sortsupport(PG_FUNCTION_ARGS)
{
	return node_table_sql_sortsupport(fcinfo, 1);
}
