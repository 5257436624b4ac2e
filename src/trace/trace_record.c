/*
 * trace_record.c
 *		What became of a trace: where it came through, how many symbols arrived,
 *		how long that took, whether it went well.
 *
 * The views trace_records and trace_summaries of a store say it (see
 * sql/trace/trace_record.sql); here are the functions that ask them for one
 * trace, and the durations that they count in.
 */
#include "core/compat.h"

#include "common/int.h"
#include "core/rows.h"
#include "trace/trace_schema.h"
#include "utils/timestamp.h"

/*
 * A duration.  Spans may lie further apart than a bigint can count; that they
 * do is a fault of who sent them, and no reason to fail.
 */
PG_FUNCTION_INFO_V1(nanoseconds_between);
Datum
nanoseconds_between(PG_FUNCTION_ARGS)
{
	int64 from = PG_GETARG_INT64(0);
	int64 to = PG_GETARG_INT64(1);
	int64 duration;

	if (pg_sub_s64_overflow(to, from, &duration))
		duration = to < from ? PG_INT64_MIN : PG_INT64_MAX;
	PG_RETURN_INT64(duration);
}

PG_FUNCTION_INFO_V1(nanoseconds_interval);
Datum
nanoseconds_interval(PG_FUNCTION_ARGS)
{
	Interval *interval = palloc0(sizeof(Interval));

	interval->time = PG_GETARG_INT64(0) / 1000;
	PG_RETURN_INTERVAL_P(interval);
}

/* The row of a trace in a view of its store. */
static Datum
trace_record_row(FunctionCallInfo fcinfo, const char *view)
{
	QueryArguments arguments = {0};
	TraceStore store;
	RowSet rows;

	trace_store_open(&store, fcinfo, 0);
	row_set_open(&rows, fcinfo);
	query_argument(&arguments, store.trace_id_type, PG_GETARG_DATUM(1), false);
	query_connect();
	query_rows(psprintf("SELECT * FROM %s.%s v WHERE v.trace_id OPERATOR(%s.=) $1", store.schema,
						view, store.extension),
			   &arguments, &rows);
	query_finish();
	if (tuplestore_tuple_count(rows.store) == 0)
		trace_store_no_trace(&store, PG_GETARG_DATUM(1));
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(trace_record);
Datum
trace_record(PG_FUNCTION_ARGS)
{
	return trace_record_row(fcinfo, "trace_records");
}

PG_FUNCTION_INFO_V1(trace_summary);
Datum
trace_summary(PG_FUNCTION_ARGS)
{
	return trace_record_row(fcinfo, "trace_summaries");
}
