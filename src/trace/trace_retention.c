/*
 * trace_retention.c
 *		Forgetting old traces.
 *
 * A trace goes as a whole.  Eviction first chooses, then locks the rows of the
 * chosen in the table traces, and looks for their spans only with a later
 * snapshot, so that it sees every span that was there.  A trace whose row is
 * locked is being added to, and is passed over; one that was added to since it
 * was chosen is no longer what was chosen.  Who adds to a trace while it goes
 * waits at its row, and then begins a new one (see trace_store.c).
 *
 * Who changes a span holds that, and then wants the row of its trace: the other
 * way round.  So eviction never waits for a span, but lets go the trace.
 *
 * The age of a trace is told by its own times, not by when it came here.
 */
#include "core/compat.h"

#include "catalog/pg_type.h"
#include "core/hybrid_time.h"
#include "core/wall_clock.h"
#include "miscadmin.h"
#include "trace/trace_schema.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

/* The end of its last span, as far as is known. */
#define LAST_TIME "coalesce(t.end_ns, t.start_ns)"

/*
 * The ids of the traces to go, whose rows are locked from here on, or 0 if there
 * are none.
 */
static Datum
evict_lock(const TraceStore *store, int64 most, int64 oldest)
{
	QueryArguments arguments = {0};
	Datum ids;
	bool isnull;

	query_argument(&arguments, INT8OID, Int64GetDatum(most), false);
	query_argument(&arguments, INT8OID, Int64GetDatum(oldest), false);
	query_run(
		psprintf("WITH ranked AS MATERIALIZED ("
				 "SELECT t.trace_id, t.last_updated, " LAST_TIME " < $2 AS aged, "
				 "count(*) OVER () AS total, row_number() OVER (ORDER BY " LAST_TIME
				 " < $2 DESC, t.is_complete DESC, " LAST_TIME
				 ", t.trace_id) AS place FROM %1$s t), "
				 "locked AS MATERIALIZED (SELECT t.trace_id FROM %1$s t JOIN ranked r "
				 "ON t.trace_id OPERATOR(%2$s.=) r.trace_id AND t.last_updated = r.last_updated "
				 "WHERE r.aged OR r.place <= r.total - $1 FOR UPDATE OF t SKIP LOCKED) "
				 "SELECT array_agg(l.trace_id::%2$s.trace_id) FROM locked l",
				 store->traces, store->extension),
		&arguments);
	ids = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	return isnull ? (Datum) 0 : ids;
}

/* Of these traces, whose rows are locked, those all of whose spans can be locked, too. */
static Datum
evict_lock_spans(const TraceStore *store, Datum ids, Oid ids_type)
{
	QueryArguments arguments = {0};
	Datum held;
	bool isnull;

	query_argument(&arguments, ids_type, ids, false);
	query_run(
		psprintf(
			"WITH locked AS MATERIALIZED (SELECT s.trace_id FROM %1$s s "
			"JOIN unnest($1) u (trace_id) ON s.trace_id OPERATOR(%2$s.=) u.trace_id "
			"FOR UPDATE OF s SKIP LOCKED), "
			"held AS (SELECT l.trace_id, count(*) AS spans FROM locked l GROUP BY l.trace_id), "
			"whole AS (SELECT s.trace_id, count(*) AS spans FROM %1$s s "
			"JOIN unnest($1) u (trace_id) ON s.trace_id OPERATOR(%2$s.=) u.trace_id GROUP BY s.trace_id) "
			"SELECT array_agg(u.trace_id) FROM unnest($1) u (trace_id) "
			"LEFT JOIN held ON held.trace_id OPERATOR(%2$s.=) u.trace_id "
			"LEFT JOIN whole ON whole.trace_id OPERATOR(%2$s.=) u.trace_id "
			"WHERE held.spans IS NOT DISTINCT FROM whole.spans",
			store->spans, store->extension),
		&arguments);
	held = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	return isnull ? (Datum) 0 : held;
}

static uint64
evict_delete(const TraceStore *store, const char *table, Datum ids, Oid ids_type)
{
	QueryArguments arguments = {0};

	query_argument(&arguments, ids_type, ids, false);
	return query_run(psprintf("DELETE FROM %s t USING unnest($1) u (trace_id) "
							  "WHERE t.trace_id OPERATOR(%s.=) u.trace_id",
							  table, store->extension),
					 &arguments);
}

/* What ended before this is too old. */
static int64
evict_oldest(const Interval *max_age)
{
	TimestampTz now = hybrid_time_to_timestamp(wall_clock_now());
	TimestampTz oldest = DatumGetTimestampTz(DirectFunctionCall2(timestamptz_mi_interval,
																 TimestampTzGetDatum(now),
																 IntervalPGetDatum(max_age)));

	if (oldest > now)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("max_age must not be negative")));
	return hybrid_time_from_timestamp(oldest);
}

PG_FUNCTION_INFO_V1(evict_traces);
Datum
evict_traces(PG_FUNCTION_ARGS)
{
	int64 most = PG_ARGISNULL(1) ? PG_INT64_MAX : PG_GETARG_INT64(1);
	int64 oldest = PG_INT64_MIN;
	uint64 evicted = 0;
	TraceStore store;
	Oid ids_type;
	Datum ids;
	int path;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the trace store must not be null")));
	if (most < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_traces must not be negative")));
	if (!PG_ARGISNULL(2))
		oldest = evict_oldest(PG_GETARG_INTERVAL_P(2));
	trace_store_open(&store, fcinfo, 0);
	ids_type = get_array_type(store.trace_id_type);
	query_connect();
	path = query_path_enter();
	ids = evict_lock(&store, most, oldest);
	if (ids)
		ids = evict_lock_spans(&store, ids, ids_type);
	if (ids)
	{
		evict_delete(&store, store.spans, ids, ids_type);
		evicted = evict_delete(&store, store.traces, ids, ids_type);
	}
	query_path_leave(path);
	query_finish();
	PG_RETURN_INT64((int64) evicted);
}

/*
 * Partitions
 */

PG_FUNCTION_INFO_V1(drop_trace_partitions);
Datum
drop_trace_partitions(PG_FUNCTION_ARGS)
{
	TimestampTz until = PG_GETARG_TIMESTAMPTZ(1);
	QueryArguments arguments = {0};
	TraceStore store;
	SPITupleTable *partitions;
	int32 dropped = 0;
	uint64 count;
	int path;

	if (TIMESTAMP_NOT_FINITE(until))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("partitions cannot be dropped up to infinity")));
	trace_store_open(&store, fcinfo, 0);
	query_connect();
	path = query_path_enter();
	query_argument(&arguments, OIDOID, ObjectIdGetDatum(store.spans_relid), false);
	query_argument(&arguments, INT8OID, Int64GetDatum(hybrid_time_from_timestamp(until)), false);
	/* the bound reads FOR VALUES FROM ('n') TO ('n'); the default partition has none */
	count = query_run(
		"SELECT c.oid::regclass::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid, "
		"substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO \\(''?(-?\\d+)''?\\)') AS upper "
		"WHERE i.inhparent = $1 AND upper::numeric <= $2 ORDER BY upper::numeric",
		&arguments);
	partitions = SPI_tuptable;
	for (uint64 i = 0; i < count; i++)
	{
		const char *name = SPI_getvalue(partitions->vals[i], partitions->tupdesc, 1);
		QueryArguments none = {0};

		CHECK_FOR_INTERRUPTS();
		/* nobody adds to it between the look and the drop */
		query_run(psprintf("LOCK TABLE %s IN SHARE MODE", name), &none);
		if (query_run(psprintf("SELECT FROM %s LIMIT 1", name), &none) > 0)
			continue;
		query_run(psprintf("DROP TABLE %s", name), &none);
		dropped++;
	}
	query_path_leave(path);
	query_finish();
	PG_RETURN_INT32(dropped);
}
