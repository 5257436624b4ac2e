/*
 * find_traces.c
 *		Finding traces by their spans, as Jaeger's storage does.
 *
 * All conditions hold for one span.  Newest come first, so what is asked for is
 * nearly always near the end of the index on the service and the start: first
 * only the newest spans are looked at.  If these do not hold enough traces, an
 * index on tags or operations leads to the spans that come into question: they
 * should not be many, or the newest ones would have held more of them.  So
 * neither the rare tag nor the frequent one takes long, and that does not hang
 * on statistics.
 *
 * Source: Jaeger, internal/storage/v2/api/tracestore (what is asked for) and
 * internal/storage/v2/memory (what matches).
 */
#include "core/compat.h"

#include "catalog/pg_type.h"
#include "common/int.h"
#include "core/rows.h"
#include "trace/span_tags.h"
#include "trace/trace_schema.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

/* Of the newest spans, so many are looked at first: for each trace, and at least. */
#define FIND_WINDOW_EACH  20
#define FIND_WINDOW_LEAST 1000
/* If that is not enough, so many times as many, */
#define FIND_WINDOW_GROW 8
/* but no more than this, or than this where an index leads to all spans that fit. */
#define FIND_WINDOW_MOST           100000
#define FIND_WINDOW_MOST_SELECTIVE 20000

/* 1970-01-01 00:00:00 UTC */
#define FIND_EPOCH (INT64CONST(1) * (UNIX_EPOCH_JDATE - POSTGRES_EPOCH_JDATE) * USECS_PER_DAY)

/* As the index has it; sql/trace/find_traces.sql creates it. */
#define FIND_TAGS_EXPRESSION \
	"%s.span_tags(s.attributes, s.events, s.links, s.scope_name, s.scope_version, " \
	"s.scope_attributes, s.resource, s.service_name, s.status = 'error')"

/* Bytes of the key of a long name: of its beginning, and all. */
#define NAME_KEY_BEGINNING 224
#define SHA256_BYTES       32
#define NAME_KEY_BYTES     (NAME_KEY_BEGINNING + SHA256_BYTES)

/*
 * The key of a name is the name, or if this has as many bytes as the key of a
 * long name, its beginning and its SHA-256.  So two names have the same key only
 * if they are the same, and a key is short enough for any index.  The order of
 * keys is that of bytes, in every database.
 */
PG_FUNCTION_INFO_V1(span_name_key);
Datum
span_name_key(PG_FUNCTION_ARGS)
{
	text *name = PG_GETARG_TEXT_PP(0);
	bytea *hash;
	bytea *key;

	if (VARSIZE_ANY_EXHDR(name) < NAME_KEY_BYTES)
		PG_RETURN_BYTEA_P(name);
	hash = DatumGetByteaPP(DirectFunctionCall1(sha256_bytea, PointerGetDatum(name)));
	key = palloc(VARHDRSZ + NAME_KEY_BYTES);
	SET_VARSIZE(key, VARHDRSZ + NAME_KEY_BYTES);
	memcpy(VARDATA(key), VARDATA_ANY(name), NAME_KEY_BEGINNING);
	memcpy(VARDATA(key) + NAME_KEY_BEGINNING, VARDATA_ANY(hash), SHA256_BYTES);
	PG_RETURN_BYTEA_P(key);
}

/* What is asked for. */
typedef struct FindQuery
{
	TraceStore store;
	text *service;
	text *operation;
	Jsonb *tags;
	StringInfoData range;   /* condition on service and start */
	StringInfoData fits;    /* the others */
	StringInfoData indexed; /* what the index on tags can tell of them */
	bool selective;         /* can an index find the spans? */
	bool limited;
	int32 limit;
	QueryArguments arguments; /* service, operation, tags */
} FindQuery;

/* A text argument; null if it is empty, which is no condition. */
static text *
find_text_argument(FunctionCallInfo fcinfo, int argument)
{
	text *value = PG_ARGISNULL(argument) ? NULL : PG_GETARG_TEXT_PP(argument);

	return value && VARSIZE_ANY_EXHDR(value) > 0 ? value : NULL;
}

/* The nanoseconds of an interval, as many as fit; a month has 30 days here. */
static int64
find_interval_nanoseconds(const Interval *interval)
{
	int64 days = (int64) interval->month * DAYS_PER_MONTH + interval->day;
	int64 nanoseconds;

	if (pg_mul_s64_overflow(days, USECS_PER_DAY, &nanoseconds) ||
		pg_add_s64_overflow(nanoseconds, interval->time, &nanoseconds) ||
		pg_mul_s64_overflow(nanoseconds, INT64CONST(1000), &nanoseconds))
		return days > 0 || (days == 0 && interval->time > 0) ? PG_INT64_MAX : PG_INT64_MIN;
	return nanoseconds;
}

/* A condition on the start, if the argument is a time. */
static void
find_add_start(FindQuery *query, FunctionCallInfo fcinfo, int argument, bool lower)
{
	TimestampTz time;
	int64 nanoseconds;

	if (PG_ARGISNULL(argument))
		return;
	time = PG_GETARG_TIMESTAMPTZ(argument);
	/* times that nanoseconds do not reach are as good as infinite */
	if (TIMESTAMP_NOT_FINITE(time) || pg_sub_s64_overflow(time, FIND_EPOCH, &nanoseconds) ||
		pg_mul_s64_overflow(nanoseconds, INT64CONST(1000), &nanoseconds))
	{
		if ((time < FIND_EPOCH) != lower)
			appendStringInfoString(&query->range, " AND false");
		return;
	}
	appendStringInfo(&query->range, " AND s.start_ns %s '" INT64_FORMAT "'::int8",
					 lower ? ">=" : "<=", nanoseconds);
}

/* A condition on the duration, unless the argument is zero. */
static void
find_add_duration(FindQuery *query, FunctionCallInfo fcinfo, int argument, const char *operator)
{
	int64 nanoseconds;

	if (PG_ARGISNULL(argument))
		return;
	nanoseconds = find_interval_nanoseconds(PG_GETARG_INTERVAL_P(argument));
	if (nanoseconds != 0)
		appendStringInfo(&query->fits,
						 " AND %s.nanoseconds_between(s.start_ns, s.end_ns) %s '" INT64_FORMAT
						 "'::int8",
						 query->store.extension, operator, nanoseconds);
}

/* The query that the arguments of find_traces or find_spans ask. */
static void
find_query_read(FindQuery *query, FunctionCallInfo fcinfo)
{
	memset(query, 0, sizeof(FindQuery));
	trace_store_open(&query->store, fcinfo, 0);
	query->service = find_text_argument(fcinfo, 1);
	query->operation = find_text_argument(fcinfo, 2);
	query->tags = PG_ARGISNULL(3) ? NULL : PG_GETARG_JSONB_P(3);
	query->limited = !PG_ARGISNULL(8);
	query->limit = query->limited ? PG_GETARG_INT32(8) : 0;
	if (query->limited && query->limit < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the number of traces or spans to find must be at least 1"),
				 errdetail("It is %d.", query->limit), errhint("Give null to find all.")));
	if (query->tags)
		span_tags_check(query->tags);
	if (query->tags && JB_ROOT_COUNT(query->tags) == 0)
		query->tags = NULL;
	query_argument(&query->arguments, TEXTOID, PointerGetDatum(query->service),
				   query->service == NULL);
	query_argument(&query->arguments, TEXTOID, PointerGetDatum(query->operation),
				   query->operation == NULL);
	query_argument(&query->arguments, JSONBOID, PointerGetDatum(query->tags), query->tags == NULL);

	initStringInfo(&query->range);
	initStringInfo(&query->fits);
	initStringInfo(&query->indexed);
	appendStringInfoString(&query->range, "true");
	appendStringInfoString(&query->fits, "true");
	if (query->service)
		appendStringInfo(&query->range,
						 " AND %1$s.span_name_key(s.service_name) = %1$s.span_name_key($1)",
						 query->store.extension);
	find_add_start(query, fcinfo, 4, true);
	find_add_start(query, fcinfo, 5, false);
	find_add_duration(query, fcinfo, 6, ">=");
	find_add_duration(query, fcinfo, 7, "<=");
	if (query->operation)
	{
		appendStringInfo(&query->fits, " AND %1$s.span_name_key(s.name) = %1$s.span_name_key($2)",
						 query->store.extension);
		query->selective = query->service != NULL;
	}
	if (query->tags)
	{
		appendStringInfo(&query->fits,
						 " AND %s.span_has_tags(s.attributes, s.events, s.links, s.scope_name, "
						 "s.scope_version, s.scope_attributes, s.resource, s.kind::text, "
						 "s.status::text, s.status_message, $3)",
						 query->store.extension);
		if (span_tags_index_conditions(&query->indexed,
									   psprintf(FIND_TAGS_EXPRESSION, query->store.extension),
									   query->tags, query->service))
			query->selective = true;
	}
}

/* Until the GUC nest level is left. */
static void
find_turn_off(const char *setting)
{
	(void) set_config_option(setting, "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
							 false);
}

/*
 * Names as in query_path_enter, and no plan that reads a whole table: where all
 * is asked for there is little, or what comes first is enough.
 */
static int
find_path_enter(void)
{
	int level = query_path_enter();

	find_turn_off("enable_seqscan");
	find_turn_off("jit");
	return level;
}

/*
 * For what wants the first few in the order of an index: no plan that reads all
 * spans of a service, of which there seem to be few before the first ANALYZE.
 */
static int
find_order_enter(void)
{
	int level = NewGUCNestLevel();

	find_turn_off("enable_bitmapscan");
	find_turn_off("enable_sort");
	return level;
}

static const char *
find_limit(const FindQuery *query)
{
	return query->limited ? psprintf("%d", query->limit) : "ALL";
}

/*
 * Traces
 */

/* What a statement has found. */
typedef struct Found
{
	MemoryContext context;
	int64 seen;
	ArrayType *traces;
} Found;

static void
find_keep(void *state, HeapTuple row, TupleDesc desc)
{
	Found *found = state;
	MemoryContext old = MemoryContextSwitchTo(found->context);
	bool isnull;

	found->seen = DatumGetInt64(SPI_getbinval(row, desc, 1, &isnull));
	found->traces = DatumGetArrayTypePCopy(SPI_getbinval(row, desc, 2, &isnull));
	MemoryContextSwitchTo(old);
}

/* Of the spans in "w" that fit: the traces that have the newest. */
#define FIND_NEWEST \
	"f AS (SELECT w.trace_id, max(w.start_ns) AS newest FROM w WHERE w.fits GROUP BY w.trace_id " \
	"ORDER BY newest DESC, w.trace_id LIMIT %s) " \
	"SELECT (SELECT count(*) FROM w), ARRAY(SELECT f.trace_id::%s.trace_id FROM f " \
	"ORDER BY f.newest DESC, f.trace_id)"

static int
find_count(const Found *found)
{
	return ArrayGetNItems(ARR_NDIM(found->traces), ARR_DIMS(found->traces));
}

/* Look at the newest so many spans; true if that is enough. */
static bool
find_in_window(FindQuery *query, int64 window, Found *found)
{
	int level = find_order_enter();

	query_each(
		psprintf("WITH w AS MATERIALIZED (SELECT s.trace_id, s.start_ns, (%s) AS fits "
				 "FROM %s s WHERE %s ORDER BY s.start_ns DESC, s.trace_id LIMIT " INT64_FORMAT
				 "), " FIND_NEWEST,
				 query->fits.data, query->store.spans, query->range.data, window, find_limit(query),
				 query->store.extension),
		&query->arguments, find_keep, found);
	AtEOXact_GUC(true, level);
	return found->seen < window || find_count(found) >= query->limit;
}

/* How many spans to look at after so many; more than FIND_WINDOW_MOST if it is not worth it. */
static int64
find_next_window(const FindQuery *query, int64 window, const Found *found)
{
	int64 next = window * FIND_WINDOW_GROW;

	if (!query->selective)
		return next;
	/* twice as many as should hold enough, going by those that were looked at */
	next = find_count(found) == 0 ? PG_INT64_MAX : window * 2 * query->limit / find_count(found);
	return next > FIND_WINDOW_MOST_SELECTIVE ? PG_INT64_MAX : next;
}

static void
find_anywhere(FindQuery *query, Found *found)
{
	query_each(psprintf("WITH w AS MATERIALIZED (SELECT s.trace_id, s.start_ns, true AS fits "
						"FROM %s s WHERE %s%s AND %s), " FIND_NEWEST,
						query->store.spans, query->range.data, query->indexed.data,
						query->fits.data, find_limit(query), query->store.extension),
			   &query->arguments, find_keep, found);
}

PG_FUNCTION_INFO_V1(find_traces);
Datum
find_traces(PG_FUNCTION_ARGS)
{
	QueryArguments traces = {0};
	Found found = {CurrentMemoryContext, 0, NULL};
	bool done = false;
	FindQuery query;
	RowSet rows;
	int path;

	row_set_open(&rows, fcinfo);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	find_query_read(&query, fcinfo);
	query_connect();
	path = find_path_enter();
	if (query.limited)
	{
		int64 window = Max(FIND_WINDOW_LEAST, (int64) query.limit * FIND_WINDOW_EACH);

		while (!done && window <= FIND_WINDOW_MOST)
		{
			done = find_in_window(&query, window, &found);
			window = find_next_window(&query, window, &found);
		}
	}
	if (!done)
		find_anywhere(&query, &found);
	query_argument(&traces, get_array_type(query.store.trace_id_type),
				   PointerGetDatum(found.traces), false);
	query_rows(
		psprintf("SELECT t.trace_id, a.* FROM unnest($1) WITH ORDINALITY t (trace_id, place) "
				 "CROSS JOIN LATERAL (SELECT min(s.start_ns), max(s.end_ns), count(*), "
				 "count(*) FILTER (WHERE s.status = 'error'), "
				 "array_agg(DISTINCT s.service_name ORDER BY s.service_name), "
				 "(array_agg(s.service_name ORDER BY s.parent_span_id IS NOT NULL, "
				 "s.start_ns, s.span_id))[1], "
				 "(array_agg(s.name ORDER BY s.parent_span_id IS NOT NULL, "
				 "s.start_ns, s.span_id))[1] "
				 "FROM %s s WHERE s.trace_id OPERATOR(%s.=) t.trace_id) a ORDER BY t.place",
				 query.store.spans, query.store.extension),
		&traces, &rows);
	query_path_leave(path);
	query_finish();
	return (Datum) 0;
}

/*
 * Spans
 */

PG_FUNCTION_INFO_V1(find_spans);
Datum
find_spans(PG_FUNCTION_ARGS)
{
	FindQuery query;
	RowSet rows;
	int path;

	row_set_open(&rows, fcinfo);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	find_query_read(&query, fcinfo);
	query_connect();
	path = find_path_enter();
	query_rows(
		psprintf("SELECT s.trace_id, s.span_id, s.start_ns, s.end_ns, s.service_name, s.name, "
				 "s.kind, s.status FROM %s s WHERE %s%s AND %s "
				 "ORDER BY s.start_ns DESC, s.trace_id, s.span_id LIMIT %s",
				 query.store.spans, query.range.data, query.indexed.data, query.fits.data,
				 find_limit(&query)),
		&query.arguments, &rows);
	query_path_leave(path);
	query_finish();
	return (Datum) 0;
}

/*
 * What there is: from one to the next, by the index on keys of service, name and
 * kind
 */

#define KEY_OF_SERVICE "%2$s.span_name_key(s.service_name)"
#define KEY_OF_NAME    "%2$s.span_name_key(s.name)"
#define OF_SERVICE     KEY_OF_SERVICE " = %2$s.span_name_key($1)"

PG_FUNCTION_INFO_V1(services);
Datum
services(PG_FUNCTION_ARGS)
{
	TraceStore store;
	RowSet rows;
	int path;

	trace_store_open(&store, fcinfo, 0);
	row_set_open(&rows, fcinfo);
	query_connect();
	path = find_path_enter();
	(void) find_order_enter();
	query_rows(psprintf("WITH RECURSIVE v (service) AS ("
						"(SELECT s.service_name FROM %1$s s ORDER BY " KEY_OF_SERVICE " LIMIT 1) "
						"UNION ALL SELECT (SELECT s.service_name FROM %1$s s "
						"WHERE " KEY_OF_SERVICE " > %2$s.span_name_key(v.service) "
						"ORDER BY " KEY_OF_SERVICE " LIMIT 1) FROM v WHERE v.service IS NOT NULL) "
						"SELECT v.service FROM v WHERE v.service IS NOT NULL ORDER BY v.service",
						store.spans, store.extension),
			   NULL, &rows);
	query_path_leave(path);
	query_finish();
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(operations);
Datum
operations(PG_FUNCTION_ARGS)
{
	QueryArguments arguments = {0};
	TraceStore store;
	RowSet rows;
	int path;

	trace_store_open(&store, fcinfo, 0);
	row_set_open(&rows, fcinfo);
	query_argument(&arguments, TEXTOID, PG_GETARG_DATUM(1), false);
	query_connect();
	path = find_path_enter();
	(void) find_order_enter();
	query_rows(
		psprintf(
			"WITH RECURSIVE o (name) AS ("
			"(SELECT s.name FROM %1$s s WHERE " OF_SERVICE " ORDER BY " KEY_OF_NAME " LIMIT 1) "
			"UNION ALL SELECT (SELECT s.name FROM %1$s s WHERE " OF_SERVICE " AND " KEY_OF_NAME
			" > %2$s.span_name_key(o.name) ORDER BY " KEY_OF_NAME
			" LIMIT 1) FROM o WHERE o.name IS NOT NULL) "
			"SELECT o.name, k.kind FROM o "
			"CROSS JOIN unnest(enum_range(NULL::%2$s.span_kind) || NULL::%2$s.span_kind) k (kind) "
			"WHERE o.name IS NOT NULL AND CASE WHEN k.kind IS NULL "
			/* no EXISTS, for which the planner may read all such spans of the service */
			"THEN (SELECT true FROM %1$s s WHERE " OF_SERVICE " AND " KEY_OF_NAME
			" = %2$s.span_name_key(o.name) AND s.kind IS NULL LIMIT 1) "
			"ELSE (SELECT true FROM %1$s s WHERE " OF_SERVICE " AND " KEY_OF_NAME
			" = %2$s.span_name_key(o.name) AND s.kind = k.kind LIMIT 1) END ORDER BY o.name, k.kind",
			store.spans, store.extension),
		&arguments, &rows);
	query_path_leave(path);
	query_finish();
	return (Datum) 0;
}
