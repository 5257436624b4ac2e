/*
 * trace_svg.c
 *		Pictures of traces.
 *
 * The forest of a trace's spans says how they hang together; what a picture
 * tells beside that (events, and what titles say) is read only for the spans
 * that it shows.
 */
#include "core/compat.h"

#include "catalog/pg_type.h"
#include "trace/trace_timeline.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

static const char detail_sql[] =
	"SELECT s.span_id::%2$s.span_id, s.status_message::text, nullif(s.attributes, '{}')::text FROM %1$s s "
	"WHERE s.trace_id OPERATOR(%2$s.=) $1 AND s.span_id OPERATOR(%2$s.=) ANY ($2)";

/* whoever writes spans by hand may call anything an event */
static const char event_sql[] =
	"SELECT s.span_id::%2$s.span_id, e.time_ns, e.name FROM %1$s s CROSS JOIN LATERAL ("
	"SELECT CASE WHEN jsonb_typeof(v -> 'time_ns') = 'number' THEN "
	"least(greatest((v -> 'time_ns')::numeric, -9223372036854775808), 9223372036854775807)::bigint "
	"ELSE s.start_ns::bigint END AS time_ns, coalesce(v ->> 'name', '') AS name "
	"FROM jsonb_array_elements(s.events) v) e "
	"WHERE s.trace_id OPERATOR(%2$s.=) $1 AND s.span_id OPERATOR(%2$s.=) ANY ($2) AND s.events <> '[]' "
	"ORDER BY s.span_id, e.time_ns, e.name COLLATE \"C\"";

/* The row of a span that was read. */
static TraceRow *
trace_svg_row(TraceRows *rows, HeapTuple row, TupleDesc desc)
{
	bool isnull;
	uint64 id = (uint64) DatumGetInt64(SPI_getbinval(row, desc, 1, &isnull));
	uint32 span = span_forest_find(rows->forest, id);
	uint32 which = span == NO_SPAN ? NO_ROW : rows->row_of[span];

	return which == NO_ROW ? NULL : &rows->rows[which];
}

/* A text that was read, kept where the rows are; or NULL. */
static const char *
trace_svg_text(const TraceRows *rows, HeapTuple row, TupleDesc desc, int column)
{
	MemoryContext context = MemoryContextSwitchTo(GetMemoryChunkContext(rows->rows));
	bool isnull;
	Datum value = SPI_getbinval(row, desc, column, &isnull);
	const char *kept = isnull ? NULL : TextDatumGetCString(value);

	MemoryContextSwitchTo(context);
	return kept;
}

static void
trace_svg_add_detail(void *state, HeapTuple tuple, TupleDesc desc)
{
	TraceRow *row = trace_svg_row(state, tuple, desc);

	if (row == NULL)
		return;
	row->status_message = trace_svg_text(state, tuple, desc, 2);
	row->attributes = trace_svg_text(state, tuple, desc, 3);
}

static void
trace_svg_add_event(void *state, HeapTuple tuple, TupleDesc desc)
{
	TraceRow *row = trace_svg_row(state, tuple, desc);
	TraceEvent *event;
	bool isnull;

	if (row == NULL)
		return;
	/* room for 1, 2, 4, 8... */
	if (row->nevents == 0)
		row->events = MemoryContextAlloc(GetMemoryChunkContext(((TraceRows *) state)->rows),
										 sizeof(TraceEvent));
	else if ((row->nevents & (row->nevents - 1)) == 0)
		row->events = repalloc_huge(row->events, sizeof(TraceEvent) * 2 * (Size) row->nevents);
	event = &row->events[row->nevents++];
	event->time = DatumGetInt64(SPI_getbinval(tuple, desc, 2, &isnull));
	event->name = trace_svg_text(state, tuple, desc, 3);
}

/* Read what rows tell beside the forest. */
static void
trace_svg_read_rows(TraceRows *rows, const TraceStore *store)
{
	QueryArguments arguments = {0};
	Datum *ids = palloc(sizeof(Datum) * ((Size) rows->nrows + 1));
	Oid type = store->span_id_type;
	int16 length;
	bool byvalue;
	char align;

	get_typlenbyvalalign(type, &length, &byvalue, &align);
	for (uint32 i = 0; i < rows->nrows; i++)
		ids[i] = Int64GetDatum((int64) rows->forest->spans[rows->rows[i].span].span_id);
	query_argument(&arguments, store->trace_id_type, rows->forest->trace_id, false);
	query_argument(&arguments, get_array_type(type),
				   PointerGetDatum(
					   construct_array(ids, (int) rows->nrows, type, length, byvalue, align)),
				   false);
	query_each(psprintf(detail_sql, store->spans, store->extension), &arguments,
			   trace_svg_add_detail, rows);
	query_each(psprintf(event_sql, store->spans, store->extension), &arguments, trace_svg_add_event,
			   rows);
}

PG_FUNCTION_INFO_V1(trace_svg);
Datum
trace_svg(PG_FUNCTION_ARGS)
{
	MemoryContext context = CurrentMemoryContext;
	int32 most = PG_GETARG_INT32(2);
	TraceStore store;
	SpanForest forest;
	TraceRows rows;
	StringInfoData out;
	int path;

	if (most < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("max_spans must be at least 1"),
				 errdetail("It is %d.", most)));
	trace_store_open(&store, fcinfo, 0);
	query_connect();
	MemoryContextSwitchTo(context);
	path = query_path_enter();
	span_forest_read(&forest, &store, PG_GETARG_DATUM(1));
	trace_rows_choose(&rows, &forest, (uint32) most);
	trace_svg_read_rows(&rows, &store);
	query_path_leave(path);
	query_finish();
	initStringInfo(&out);
	trace_timeline_draw(&out, &rows);
	/* without the end of its last line, which clients write themselves */
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len - 1));
}
