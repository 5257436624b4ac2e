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

#include "access/htup_details.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "core/compare.h"
#include "core/json_tree.h"
#include "core/node_table.h"
#include "core/node_table_io.h"
#include "core/node_table_state.h"
#include "core/wire.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#define VCLOCK_WIRE_VERSION 1
#define VCLOCK_HINT         "Write a vector clock as a JSON object, such as {\"a\": 1, \"b\": 2}."

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

static struct varlena *
vclock_read(char *text, struct Node *escontext)
{
	InputSource source = input_from_text("vclock", VCLOCK_HINT, escontext);
	JsonTree *json = json_tree_read(text, strlen(text), &source);

	return json ? node_table_from_json(json, 1, &source) : NULL;
}

static char *
vclock_write(const NodeTable *clock)
{
	StringInfoData buf;

	initStringInfo(&buf);
	node_table_to_json(&buf, clock);
	return buf.data;
}

PG_FUNCTION_INFO_V1(vclock_in);

Datum
vclock_in(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(vclock_read(PG_GETARG_CSTRING(0), SOFT_ERROR_CONTEXT(fcinfo)));
}

PG_FUNCTION_INFO_V1(vclock_out);

Datum
vclock_out(PG_FUNCTION_ARGS)
{
	NodeTable clock;

	vclock_argument(fcinfo, 0, &clock);
	PG_RETURN_CSTRING(vclock_write(&clock));
}

PG_FUNCTION_INFO_V1(vclock_recv);

Datum
vclock_recv(PG_FUNCTION_ARGS)
{
	StringInfo msg = (StringInfo) PG_GETARG_POINTER(0);
	InputSource source = input_from_binary("vclock");
	struct varlena *clock;

	wire_get_version(msg, &source, VCLOCK_WIRE_VERSION);
	clock = node_table_from_wire(msg, 1, &source);
	wire_end(msg, &source);
	PG_RETURN_POINTER(clock);
}

PG_FUNCTION_INFO_V1(vclock_send);

Datum
vclock_send(PG_FUNCTION_ARGS)
{
	StringInfoData buf;
	NodeTable clock;

	vclock_argument(fcinfo, 0, &clock);
	wire_begin(&buf, VCLOCK_WIRE_VERSION);
	node_table_to_wire(&buf, &clock);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

PG_FUNCTION_INFO_V1(vclock_from_jsonb);

Datum
vclock_from_jsonb(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(vclock_read(json_tree_from_jsonb(PG_GETARG_DATUM(0)), NULL));
}

PG_FUNCTION_INFO_V1(vclock_to_jsonb);

Datum
vclock_to_jsonb(PG_FUNCTION_ARGS)
{
	NodeTable clock;

	vclock_argument(fcinfo, 0, &clock);
	return json_tree_to_jsonb(vclock_write(&clock));
}

/*
 * Making and changing clocks
 */

/* An argument that counts events. */
static uint64
counter_argument(FunctionCallInfo fcinfo, int number)
{
	int64 counter = PG_GETARG_INT64(number);

	if (counter < 0)
	{
		InputSource source = input_from_arguments("vclock");

		input_out_of_range(&source, "The counter " INT64_FORMAT " is negative.", counter);
	}
	return (uint64) counter;
}

/* The clock with one more event of the node. */
static struct varlena *
vclock_tick_internal(const NodeTable *clock, NodeName node)
{
	uint64 counter = node_table_get(clock, node.name, node.length, 0);

	if (counter >= PG_INT64_MAX)
	{
		InputSource source = input_from_arguments("vclock");

		input_out_of_range(&source, "The counter of %s is already " INT64_FORMAT ".",
						   json_tree_quote(node.name, (int) node.length), PG_INT64_MAX);
	}
	return node_table_set(clock, node.name, node.length, 0, counter + 1);
}

PG_FUNCTION_INFO_V1(vclock_make);

Datum
vclock_make(PG_FUNCTION_ARGS)
{
	NodeName node = node_name_argument(fcinfo, 0, "vclock");
	uint64 counter = counter_argument(fcinfo, 1);
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
	PG_RETURN_POINTER(vclock_tick_internal(&clock, node_name_argument(fcinfo, 1, "vclock")));
}

PG_FUNCTION_INFO_V1(vclock_advance);

Datum
vclock_advance(PG_FUNCTION_ARGS)
{
	NodeName node = node_name_argument(fcinfo, 1, "vclock");
	uint64 counter = counter_argument(fcinfo, 2);
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
	PG_RETURN_POINTER(vclock_tick_internal(&merged, node_name_argument(fcinfo, 2, "vclock")));
}

PG_FUNCTION_INFO_V1(vclock_project);

Datum
vclock_project(PG_FUNCTION_ARGS)
{
	ArrayType *names = PG_GETARG_ARRAYTYPE_P(1);
	NodeTable clock;
	NodeEntries entries;
	Datum *elements;
	bool *nulls;
	int count;

	vclock_argument(fcinfo, 0, &clock);
	deconstruct_array(names, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &count);
	node_entries_init(&entries, count);
	for (int i = 0; i < count; i++)
	{
		text *name = (text *) DatumGetPointer(elements[i]);
		uint32 index;

		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("node names must not be null"),
					 errdetail("Element %d of the array is null.", i + 1)));
		if (node_table_find(&clock, VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name), &index))
			node_entries_add(&entries, VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name))->counters[0] =
				node_table_counter(&clock, index);
	}
	node_entries_sort(&entries, 1, NODE_DUPLICATES_JOIN, NULL);
	PG_RETURN_POINTER(node_table_write(&entries, 1, 0));
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
	Datum *names;

	vclock_argument(fcinfo, 0, &clock);
	names = palloc(sizeof(Datum) * Max(1, clock.nnodes));
	for (node_cursor_open(&cursor, &clock); !node_cursor_done(&cursor); node_cursor_next(&cursor))
		names[cursor.index] = PointerGetDatum(
			cstring_to_text_with_len(cursor.name, node_cursor_length(&cursor)));
	PG_RETURN_ARRAYTYPE_P(
		construct_array(names, (int) clock.nnodes, TEXTOID, -1, false, TYPALIGN_INT));
}

/* Where the next call of each() goes on. */
typedef struct VclockEach
{
	NodeTable clock;
	NodeCursor cursor;
} VclockEach;

PG_FUNCTION_INFO_V1(vclock_each);

Datum
vclock_each(PG_FUNCTION_ARGS)
{
	FuncCallContext *context;
	VclockEach *each;
	Datum values[2];
	bool nulls[2] = {false, false};
	HeapTuple tuple;

	if (SRF_IS_FIRSTCALL())
	{
		MemoryContext old;
		TupleDesc desc;

		context = SRF_FIRSTCALL_INIT();
		old = MemoryContextSwitchTo(context->multi_call_memory_ctx);
		if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
			elog(ERROR, "return type must be a row type");
		context->tuple_desc = BlessTupleDesc(desc);
		each = palloc(sizeof(VclockEach));
		node_table_open(&each->clock, PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(0)), 1);
		node_cursor_open(&each->cursor, &each->clock);
		context->user_fctx = each;
		MemoryContextSwitchTo(old);
	}

	context = SRF_PERCALL_SETUP();
	each = context->user_fctx;
	if (node_cursor_done(&each->cursor))
		SRF_RETURN_DONE(context);
	values[0] = PointerGetDatum(
		cstring_to_text_with_len(each->cursor.name, node_cursor_length(&each->cursor)));
	values[1] = Int64GetDatum((int64) node_table_counter(&each->clock, each->cursor.index));
	node_cursor_next(&each->cursor);
	tuple = heap_form_tuple(context->tuple_desc, values, nulls);
	SRF_RETURN_NEXT(context, HeapTupleGetDatum(tuple));
}

/*
 * Causal order
 */

static PartialOrder
vclock_order(FunctionCallInfo fcinfo, PartialOrder until)
{
	NodeTable a;
	NodeTable b;

	vclock_argument(fcinfo, 0, &a);
	vclock_argument(fcinfo, 1, &b);
	return node_table_order_until(&a, &b, until);
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
	PG_RETURN_BOOL((vclock_order(fcinfo, ORDER_AFTER) & ORDER_AFTER) == 0);
}

PG_FUNCTION_INFO_V1(vclock_contains);

Datum
vclock_contains(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL((vclock_order(fcinfo, ORDER_BEFORE) & ORDER_BEFORE) == 0);
}

/* OIDs of the labels of causal_order, by PartialOrder; kept for the query. */
typedef struct CausalOrderLabels
{
	Oid label[4];
} CausalOrderLabels;

PG_FUNCTION_INFO_V1(vclock_causal_order);

Datum
vclock_causal_order(PG_FUNCTION_ARGS)
{
	static const char *const names[4] = {[ORDER_EQUAL] = "equal",
										 [ORDER_BEFORE] = "before",
										 [ORDER_AFTER] = "after",
										 [ORDER_CONCURRENT] = "concurrent"};
	CausalOrderLabels *labels = fcinfo->flinfo->fn_extra;

	if (labels == NULL)
	{
		Oid type = get_func_rettype(fcinfo->flinfo->fn_oid);

		labels = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(CausalOrderLabels));
		for (int order = 0; order < 4; order++)
		{
			labels->label[order] = GetSysCacheOid2(ENUMTYPOIDNAME, Anum_pg_enum_oid,
												   ObjectIdGetDatum(type),
												   CStringGetDatum(names[order]));
			if (!OidIsValid(labels->label[order]))
				elog(ERROR, "enum causal_order has no label \"%s\"", names[order]);
		}
		fcinfo->flinfo->fn_extra = labels;
	}
	PG_RETURN_OID(labels->label[vclock_order(fcinfo, ORDER_CONCURRENT)]);
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
	NodeTable clock;
	NodeTable seen;

	vclock_argument(fcinfo, 0, &clock);
	vclock_argument(fcinfo, 1, &seen);
	PG_RETURN_POINTER(node_table_delta(&clock, &seen));
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
	struct varlena *left = PG_GETARG_VARLENA_PP(0);
	struct varlena *right = PG_GETARG_VARLENA_PP(1);
	NodeTable a;
	NodeTable b;
	int order;

	node_table_open(&a, left, 1);
	node_table_open(&b, right, 1);
	order = node_table_compare(&a, &b);
	/* btree calls this in a context that lives as long as the scan */
	PG_FREE_IF_COPY(left, 0);
	PG_FREE_IF_COPY(right, 1);
	return order;
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

/*
 * Sorting: the abbreviated key is the sum of counters, which comes first in
 * the order, or the greatest key where the sum does not fit.
 */
static int
vclock_sort_compare(Datum x, Datum y, SortSupport ssup)
{
	struct varlena *left = PG_DETOAST_DATUM_PACKED(x);
	struct varlena *right = PG_DETOAST_DATUM_PACKED(y);
	NodeTable a;
	NodeTable b;
	int order;

	node_table_open(&a, left, 1);
	node_table_open(&b, right, 1);
	order = node_table_compare(&a, &b);
	/* a sort runs in one memory context; do not let detoasted values pile up */
	if ((Pointer) left != DatumGetPointer(x))
		pfree(left);
	if ((Pointer) right != DatumGetPointer(y))
		pfree(right);
	return order;
}

static Datum
vclock_abbreviate(Datum original, SortSupport ssup)
{
	struct varlena *flat = PG_DETOAST_DATUM_PACKED(original);
	NodeTable clock;
	Datum key;

	node_table_open(&clock, flat, 1);
	key = node_sum_sort_key(node_table_sum(&clock));
	if ((Pointer) flat != DatumGetPointer(original))
		pfree(flat);
	return key;
}

PG_FUNCTION_INFO_V1(vclock_sortsupport);

Datum
vclock_sortsupport(PG_FUNCTION_ARGS)
{
	sort_key_install((SortSupport) PG_GETARG_POINTER(0), vclock_sort_compare, vclock_abbreviate);
	PG_RETURN_VOID();
}
