/*
 * logical_time.c
 *		A time of any of the logical clocks: a tagged union.
 *
 * For columns and functions that take whatever clock a node keeps.  Whether one
 * event caused another only vector clocks can tell (Mattern, "Virtual time and
 * global states of distributed systems", 1989): a scalar clock orders all
 * events, related or not.  So two times compare causally if both are vectors,
 * and are concurrent otherwise, as far as anybody knows.
 *
 * Stored bytes, behind the varlena header: the kind, 1 byte (0 lamport,
 * 1 vector, 2 hybrid), then
 *
 *		lamport		uint64, the counter
 *		vector		a node table with one counter per node (core/node_table.c)
 *		hybrid		int64 nanoseconds, uint32 logical counter
 *
 * Binary image, version 1:
 *
 *		int8		version, 1
 *		int8		kind
 *		then		what the image of lamport, vclock or hlc has behind its version
 */
#include "core/compat.h"

#include "core/causal_order.h"
#include "core/compare.h"
#include "core/json_face.h"
#include "core/lattice.h"
#include "core/node_table_io.h"
#include "core/wire.h"
#include "time/hlc.h"
#include "time/logical_time.h"
#include "utils/memutils.h"

const char *const logical_kind_labels[LOGICAL_KINDS] = {"lamport", "vector", "hybrid"};

/*
 * The stored form
 */

static struct varlena *
logical_time_build(LogicalKind kind, const void *bytes, Size size)
{
	Size total = VARHDRSZ + 1 + size;
	struct varlena *stored;

	if (!AllocSizeIsValid(total))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("value of type %s would be too large", "logical_time")));
	stored = palloc(total);
	SET_VARSIZE(stored, total);
	*VARDATA(stored) = (char) kind;
	memcpy(VARDATA(stored) + 1, bytes, size);
	return stored;
}

struct varlena *
logical_time_from_lamport(uint64 counter)
{
	return logical_time_build(LOGICAL_LAMPORT, &counter, sizeof(counter));
}

struct varlena *
logical_time_from_vector(const struct varlena *clock)
{
	return logical_time_build(LOGICAL_VECTOR, VARDATA_ANY(clock), VARSIZE_ANY_EXHDR(clock));
}

struct varlena *
logical_time_from_hybrid(HybridTime time)
{
	char bytes[HYBRID_TIME_BYTES];

	hybrid_time_store(bytes, time);
	return logical_time_build(LOGICAL_HYBRID, bytes, sizeof(bytes));
}

void
logical_time_open(LogicalTime *time, const struct varlena *stored)
{
	const char *bytes = VARDATA_ANY(stored) + 1;
	Size size = VARSIZE_ANY_EXHDR(stored) - 1;

	time->kind = (LogicalKind) *VARDATA_ANY(stored);
	switch (time->kind)
	{
		case LOGICAL_LAMPORT:
			memcpy(&time->lamport, bytes, sizeof(time->lamport));
			return;
		case LOGICAL_VECTOR:
			node_table_open_image(&time->vector, bytes, size, 1);
			return;
		case LOGICAL_HYBRID:
			time->hybrid = hybrid_time_load(bytes);
			return;
	}
	elog(ERROR, "stored logical time of kind %d", (int) time->kind);
}

/* The vector clock of a time that is one. */
static struct varlena *
logical_time_to_vector(const struct varlena *stored)
{
	Size size = VARSIZE_ANY_EXHDR(stored) - 1;
	struct varlena *clock = palloc(VARHDRSZ + size);

	SET_VARSIZE(clock, VARHDRSZ + size);
	memcpy(VARDATA(clock), VARDATA_ANY(stored) + 1, size);
	return clock;
}

static inline void
logical_time_argument(FunctionCallInfo fcinfo, int number, LogicalTime *time)
{
	logical_time_open(time, PG_GETARG_VARLENA_PP(number));
}

/*
 * Input and output
 */

static struct varlena *
logical_time_read(const JsonFace *face, const JsonTree *json, const InputSource *source)
{
	const JsonTree *members[LOGICAL_KINDS];
	const JsonTree *value = NULL;
	LogicalKind kind = LOGICAL_LAMPORT;

	if (!json_tree_members(json, source, "A logical time", logical_kind_labels, LOGICAL_KINDS,
						   members))
		return NULL;
	for (int i = 0; i < LOGICAL_KINDS; i++)
	{
		if (members[i] == NULL)
			continue;
		if (value)
		{
			input_malformed(source, "A logical time is of one kind, not both %s and %s.",
							logical_kind_labels[kind], logical_kind_labels[i]);
			return NULL;
		}
		value = members[i];
		kind = (LogicalKind) i;
	}
	if (value == NULL)
	{
		input_malformed(source, "The kind of the logical time is missing.");
		return NULL;
	}
	switch (kind)
	{
		case LOGICAL_LAMPORT:
		{
			uint64 counter = 0;

			if (value->kind != JSON_TREE_NUMBER)
			{
				input_malformed(source, "The Lamport timestamp is %s, not a number.",
								json_tree_kind_name(value->kind));
				return NULL;
			}
			if (!input_counter_fault(source, input_counter(value->text, &counter),
									 "The Lamport timestamp", value->text))
				return NULL;
			return logical_time_from_lamport(counter);
		}
		case LOGICAL_VECTOR:
		{
			struct varlena *clock = node_table_from_json(value, 1, source);

			return clock ? logical_time_from_vector(clock) : NULL;
		}
		case LOGICAL_HYBRID:
		{
			HybridTime time;

			if (value->kind != JSON_TREE_STRING)
			{
				input_malformed(source, "The hybrid timestamp is %s, not a string.",
								json_tree_kind_name(value->kind));
				return NULL;
			}
			if (!hybrid_time_read(value->text, source, &time))
				return NULL;
			return logical_time_from_hybrid(time);
		}
	}
	return NULL;
}

static void
logical_time_write(const JsonFace *face, StringInfo buf, const struct varlena *value)
{
	char text[HYBRID_TIME_TEXT_SIZE];
	LogicalTime time;

	logical_time_open(&time, value);
	appendStringInfo(buf, "{\"%s\": ", logical_kind_labels[time.kind]);
	switch (time.kind)
	{
		case LOGICAL_LAMPORT:
			appendStringInfo(buf, UINT64_FORMAT, time.lamport);
			break;
		case LOGICAL_VECTOR:
			node_table_to_json(buf, &time.vector);
			break;
		case LOGICAL_HYBRID:
			hybrid_time_write(time.hybrid, text);
			appendStringInfo(buf, "\"%s\"", text);
			break;
	}
	appendStringInfoChar(buf, '}');
}

static const NodeTableFace vector_face = NODE_TABLE_FACE("logical_time", 1, NULL);

static struct varlena *
logical_time_receive(const JsonFace *face, StringInfo msg, int version, const InputSource *source)
{
	int kind = wire_get_byte(msg, source, "the kind");

	switch (kind)
	{
		case LOGICAL_LAMPORT:
			return logical_time_from_lamport(wire_get_counter(msg, source, "the counter"));
		case LOGICAL_VECTOR:
			return logical_time_from_vector(
				node_table_face_receive(&vector_face.base, msg, version, source));
		case LOGICAL_HYBRID:
		{
			HybridTime time;

			time.nanoseconds = (int64) wire_get_uint64(msg, source, "the nanoseconds");
			time.logical = wire_get_uint32(msg, source, "the logical counter");
			return logical_time_from_hybrid(time);
		}
	}
	input_malformed(source, "There is no kind %d of logical time.", kind);
	return NULL;
}

static void
logical_time_send_image(const JsonFace *face, StringInfo buf, const struct varlena *value)
{
	LogicalTime time;

	logical_time_open(&time, value);
	pq_sendbyte(buf, time.kind);
	switch (time.kind)
	{
		case LOGICAL_LAMPORT:
			pq_sendint64(buf, time.lamport);
			break;
		case LOGICAL_VECTOR:
			node_table_face_send(&vector_face.base, buf, logical_time_to_vector(value));
			break;
		case LOGICAL_HYBRID:
			pq_sendint64(buf, time.hybrid.nanoseconds);
			pq_sendint32(buf, time.hybrid.logical);
			break;
	}
}

static const JsonFace logical_time_face = {
	.type_name = "logical_time",
	.hint = "Write a logical time as {\"lamport\": 5}, {\"vector\": {\"a\": 1}} or "
			"{\"hybrid\": \"2026-11-22T13:00:00.123456789Z/7\"}.",
	.wire_version = 1,
	.read = logical_time_read,
	.write = logical_time_write,
	.receive = logical_time_receive,
	.send = logical_time_send_image,
};

PG_FUNCTION_INFO_V1(logical_time_in);
Datum
logical_time_in(PG_FUNCTION_ARGS)
{
	return json_face_in(fcinfo, &logical_time_face);
}

PG_FUNCTION_INFO_V1(logical_time_out);
Datum
logical_time_out(PG_FUNCTION_ARGS)
{
	return json_face_out(fcinfo, &logical_time_face);
}

PG_FUNCTION_INFO_V1(logical_time_recv);
Datum
logical_time_recv(PG_FUNCTION_ARGS)
{
	return json_face_recv(fcinfo, &logical_time_face);
}

PG_FUNCTION_INFO_V1(logical_time_send);
Datum
logical_time_send(PG_FUNCTION_ARGS)
{
	return json_face_send(fcinfo, &logical_time_face);
}

PG_FUNCTION_INFO_V1(logical_time_from_jsonb);
Datum
logical_time_from_jsonb(PG_FUNCTION_ARGS)
{
	return json_face_from_jsonb(fcinfo, &logical_time_face);
}

PG_FUNCTION_INFO_V1(logical_time_to_jsonb);
Datum
logical_time_to_jsonb(PG_FUNCTION_ARGS)
{
	return json_face_to_jsonb(fcinfo, &logical_time_face);
}

PG_FUNCTION_INFO_V1(logical_time_to_json);
Datum
logical_time_to_json(PG_FUNCTION_ARGS)
{
	return json_face_to_json(fcinfo, &logical_time_face);
}

/*
 * Casts from and to the times it may be
 */

PG_FUNCTION_INFO_V1(logical_time_lamport);
Datum
logical_time_lamport(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(logical_time_from_lamport((uint64) PG_GETARG_INT64(0)));
}

PG_FUNCTION_INFO_V1(logical_time_vclock);
Datum
logical_time_vclock(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(logical_time_from_vector(PG_GETARG_VARLENA_PP(0)));
}

PG_FUNCTION_INFO_V1(logical_time_hlc);
Datum
logical_time_hlc(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(logical_time_from_hybrid(hlc_argument(fcinfo, 0)));
}

/* The argument, which must be of that kind. */
static const struct varlena *
logical_time_of_kind(FunctionCallInfo fcinfo, LogicalKind kind, LogicalTime *time)
{
	const struct varlena *stored = PG_GETARG_VARLENA_PP(0);

	logical_time_open(time, stored);
	if (time->kind != kind)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("logical time is not of kind %s", logical_kind_labels[kind]),
				 errdetail("It is of kind %s.", logical_kind_labels[time->kind]),
				 errhint("Ask kind() before casting, in CASE for example.")));
	return stored;
}

PG_FUNCTION_INFO_V1(logical_time_as_lamport);
Datum
logical_time_as_lamport(PG_FUNCTION_ARGS)
{
	LogicalTime time;

	logical_time_of_kind(fcinfo, LOGICAL_LAMPORT, &time);
	PG_RETURN_INT64((int64) time.lamport);
}

PG_FUNCTION_INFO_V1(logical_time_as_vclock);
Datum
logical_time_as_vclock(PG_FUNCTION_ARGS)
{
	LogicalTime time;

	PG_RETURN_POINTER(logical_time_to_vector(logical_time_of_kind(fcinfo, LOGICAL_VECTOR, &time)));
}

PG_FUNCTION_INFO_V1(logical_time_as_hlc);
Datum
logical_time_as_hlc(PG_FUNCTION_ARGS)
{
	LogicalTime time;

	logical_time_of_kind(fcinfo, LOGICAL_HYBRID, &time);
	return hlc_result(time.hybrid);
}

/*
 * Kind and causal order
 */

PG_FUNCTION_INFO_V1(logical_time_kind);
Datum
logical_time_kind(PG_FUNCTION_ARGS)
{
	LogicalTime time;

	logical_time_argument(fcinfo, 0, &time);
	return enum_label_result(fcinfo, logical_kind_labels, LOGICAL_KINDS, time.kind);
}

PG_FUNCTION_INFO_V1(logical_time_causal_order);
Datum
logical_time_causal_order(PG_FUNCTION_ARGS)
{
	LogicalTime a;
	LogicalTime b;

	logical_time_argument(fcinfo, 0, &a);
	logical_time_argument(fcinfo, 1, &b);
	return causal_order_result(fcinfo,
							   a.kind == LOGICAL_VECTOR && b.kind == LOGICAL_VECTOR
								   ? node_table_order(&a.vector, &b.vector)
								   : ORDER_CONCURRENT);
}

/*
 * The order for sorting: by kind, then that of the kind, which has causes
 * before effects
 */

static int
logical_time_datum_compare(Datum x, Datum y, SortSupport ssup)
{
	struct varlena *x_stored = PG_DETOAST_DATUM_PACKED(x);
	struct varlena *y_stored = PG_DETOAST_DATUM_PACKED(y);
	LogicalTime a;
	LogicalTime b;
	int order = 0;

	logical_time_open(&a, x_stored);
	logical_time_open(&b, y_stored);
	if (a.kind != b.kind)
		order = a.kind < b.kind ? -1 : 1;
	else if (a.kind == LOGICAL_LAMPORT)
		order = (a.lamport > b.lamport) - (a.lamport < b.lamport);
	else if (a.kind == LOGICAL_VECTOR)
		order = node_table_compare(&a.vector, &b.vector);
	else
		order = hybrid_time_compare(a.hybrid, b.hybrid);
	if ((Pointer) x_stored != DatumGetPointer(x))
		pfree(x_stored);
	if ((Pointer) y_stored != DatumGetPointer(y))
		pfree(y_stored);
	return order;
}

static int
logical_time_cmp_internal(FunctionCallInfo fcinfo)
{
	return logical_time_datum_compare(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), NULL);
}

static bool
logical_time_eq_internal(FunctionCallInfo fcinfo)
{
	return lattice_equal(fcinfo);
}

COMPARISON_FUNCTIONS(logical_time);

/* Two bits of kind, and the upper bits of what is compared first. */
static Datum
logical_time_abbreviate(Datum original, SortSupport ssup)
{
	struct varlena *stored = PG_DETOAST_DATUM_PACKED(original);
	uint64 key = 0;
	LogicalTime time;

	logical_time_open(&time, stored);
	switch (time.kind)
	{
		case LOGICAL_LAMPORT:
			key = time.lamport;
			break;
		case LOGICAL_VECTOR:
		{
			NodeSum sum = node_table_sum(&time.vector);

			key = sum.high == 0 ? sum.low : PG_UINT64_MAX;
			break;
		}
		case LOGICAL_HYBRID:
			key = (uint64) time.hybrid.nanoseconds ^ UINT64CONST(0x8000000000000000);
			break;
	}
	key = (uint64) time.kind << 62 | key >> 2;
	if ((Pointer) stored != DatumGetPointer(original))
		pfree(stored);
	return sort_key(key);
}

PG_FUNCTION_INFO_V1(logical_time_sortsupport);
Datum
logical_time_sortsupport(PG_FUNCTION_ARGS)
{
	sort_key_install((SortSupport) PG_GETARG_POINTER(0), logical_time_datum_compare,
					 logical_time_abbreviate);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(logical_time_hash);
Datum
logical_time_hash(PG_FUNCTION_ARGS)
{
	return lattice_hash(fcinfo);
}

PG_FUNCTION_INFO_V1(logical_time_hash_extended);
Datum
logical_time_hash_extended(PG_FUNCTION_ARGS)
{
	return lattice_hash_extended(fcinfo);
}
