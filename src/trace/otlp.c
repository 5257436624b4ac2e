/*
 * otlp.c
 *		OpenTelemetry's traces into a store, and out of it.
 *
 * A payload is read as rows of the table spans (otlp_read), and rows are
 * written as a payload (otlp_write).  Ingestion hands the rows to three
 * statements, whose plans a session keeps: one locks the traces, one inserts the
 * spans that the store lacks, one, if there are others, lets spans that have
 * ended take the place of the same that had not.
 *
 * What OTLP has and the other columns do not hold is in key_order: for the
 * attributes of resource, scope, span, events and links the length of what
 * otlp_value.c says of their keys, and that; then the number of the status, if
 * it does not follow from status.
 */
#include "core/compat.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "core/rows.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "trace/flat_value.h"
#include "trace/otlp_read.h"
#include "trace/otlp_write.h"
#include "trace/span_forest.h"
#include "trace/trace_schema.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"

/* Columns of a row, in their order. */
typedef enum SpanColumn
{
	SPAN_TRACE_ID,
	SPAN_SPAN_ID,
	SPAN_PARENT_SPAN_ID,
	SPAN_START,
	SPAN_END,
	SPAN_KIND,
	SPAN_STATUS,
	SPAN_OTLP_KIND,
	SPAN_NAME,
	SPAN_STATUS_MESSAGE,
	SPAN_ATTRIBUTES,
	SPAN_EVENTS,
	SPAN_LINKS,
	SPAN_TRACE_STATE,
	SPAN_FLAGS,
	SPAN_RESOURCE,
	SPAN_SCOPE_NAME,
	SPAN_SCOPE_VERSION,
	SPAN_SCOPE_ATTRIBUTES,
	SPAN_DROPPED_ATTRIBUTES,
	SPAN_DROPPED_EVENTS,
	SPAN_DROPPED_LINKS,
	SPAN_SCOPE_DROPPED_ATTRIBUTES,
	SPAN_RESOURCE_DROPPED_ATTRIBUTES,
	SPAN_SCOPE_SCHEMA_URL,
	SPAN_RESOURCE_SCHEMA_URL,
	SPAN_KEY_ORDER,
	SPAN_COLUMNS
} SpanColumn;

typedef struct ColumnType
{
	const char *name;
	Oid type; /* or InvalidOid for one of the extension's */
	const char *type_name;
} ColumnType;

static const ColumnType span_columns[SPAN_COLUMNS] = {
	{"trace_id", InvalidOid, "trace_id"},
	{"span_id", InvalidOid, "span_id"},
	{"parent_span_id", InvalidOid, "span_id"},
	{"start_ns", INT8OID, NULL},
	{"end_ns", INT8OID, NULL},
	{"kind", InvalidOid, "span_kind"},
	{"status", InvalidOid, "span_status"},
	{"otlp_kind", INT2OID, NULL},
	{"name", TEXTOID, NULL},
	{"status_message", TEXTOID, NULL},
	{"attributes", JSONBOID, NULL},
	{"events", JSONBOID, NULL},
	{"links", JSONBOID, NULL},
	{"trace_state", TEXTOID, NULL},
	{"flags", INT8OID, NULL},
	{"resource", JSONBOID, NULL},
	{"scope_name", TEXTOID, NULL},
	{"scope_version", TEXTOID, NULL},
	{"scope_attributes", JSONBOID, NULL},
	{"dropped_attributes_count", INT8OID, NULL},
	{"dropped_events_count", INT8OID, NULL},
	{"dropped_links_count", INT8OID, NULL},
	{"scope_dropped_attributes_count", INT8OID, NULL},
	{"resource_dropped_attributes_count", INT8OID, NULL},
	{"scope_schema_url", TEXTOID, NULL},
	{"resource_schema_url", TEXTOID, NULL},
	{"key_order", BYTEAOID, NULL},
};

/* The columns, each after a prefix such as "s.". */
static const char *
otlp_column_list(const char *prefix)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < SPAN_COLUMNS; i++)
		appendStringInfo(&list, "%s%s%s", i > 0 ? ", " : "", prefix, span_columns[i].name);
	return list.data;
}

/*
 * Spans as rows
 */

typedef struct SpanRows
{
	RowSet rows;
	Oid *kinds; /* values of the enums */
	Oid *statuses;
	StringInfoData key_order;
	Datum values[SPAN_COLUMNS];
	bool nulls[SPAN_COLUMNS];
} SpanRows;

/* Make ready for rows that are already described. */
static void
span_rows_init(SpanRows *out)
{
	out->kinds = palloc(sizeof(Oid) * (Size) span_kind_count);
	span_forest_labels(TupleDescAttr(out->rows.desc, SPAN_KIND)->atttypid, span_kind_labels,
					   span_kind_count, out->kinds);
	out->statuses = palloc(sizeof(Oid) * (Size) span_status_count);
	span_forest_labels(TupleDescAttr(out->rows.desc, SPAN_STATUS)->atttypid, span_status_labels,
					   span_status_count, out->statuses);
	initStringInfo(&out->key_order);
}

static void
span_row_set(SpanRows *out, SpanColumn column, Datum value)
{
	out->values[column] = value;
	out->nulls[column] = false;
}

static void
span_row_text(SpanRows *out, SpanColumn column, OtlpBytes text)
{
	if (text.length > 0)
		span_row_set(out, column,
					 PointerGetDatum(cstring_to_text_with_len(text.data, text.length)));
}

static void
span_row_number(SpanRows *out, SpanColumn column, int64 number)
{
	if (number != 0)
		span_row_set(out, column, Int64GetDatum(number));
}

static void
span_row_key_order(SpanRows *out, const OtlpSpan *span)
{
	const OtlpBytes parts[] = {span->resource->order, span->scope->order, span->attribute_order,
							   span->event_order, span->link_order};
	bool has_status = span->otlp_status != otlp_status_default(span->status);
	StringInfo order = &out->key_order;
	int used = 0;

	for (int i = 0; i < (int) lengthof(parts); i++)
	{
		if (parts[i].length > 0 || has_status)
			used = i + 1;
	}
	if (used == 0)
		return;
	resetStringInfo(order);
	appendBinaryStringInfo(order, (const char *) &used, VARHDRSZ);
	for (int i = 0; i < used; i++)
	{
		otlp_order_append(order, (uint64) parts[i].length);
		if (parts[i].length > 0)
			appendBinaryStringInfo(order, parts[i].data, parts[i].length);
	}
	if (has_status)
		otlp_order_append(order, (uint64) span->otlp_status);
	SET_VARSIZE(order->data, order->len);
	span_row_set(out, SPAN_KEY_ORDER, PointerGetDatum(order->data));
}

static void
span_row_add(SpanRows *out, const OtlpSpan *span)
{
	memset(out->nulls, true, sizeof(out->nulls));
	span_row_set(out, SPAN_TRACE_ID, PointerGetDatum(span->trace_id));
	span_row_set(out, SPAN_SPAN_ID, UInt64GetDatum(span_id_load(span->span_id)));
	if (span->has_parent)
		span_row_set(out, SPAN_PARENT_SPAN_ID, UInt64GetDatum(span_id_load(span->parent_span_id)));
	span_row_set(out, SPAN_START, Int64GetDatum(span->start));
	if (span->has_ended)
		span_row_set(out, SPAN_END, Int64GetDatum(span->end));
	if (span->kind >= 0)
		span_row_set(out, SPAN_KIND, ObjectIdGetDatum(out->kinds[span->kind]));
	span_row_set(out, SPAN_STATUS, ObjectIdGetDatum(out->statuses[span->status]));
	if (span->otlp_kind != otlp_kind_default(span->kind))
		span_row_set(out, SPAN_OTLP_KIND, Int16GetDatum((int16) span->otlp_kind));
	span_row_set(out, SPAN_NAME,
				 PointerGetDatum(cstring_to_text_with_len(span->name.data, span->name.length)));
	span_row_text(out, SPAN_STATUS_MESSAGE, span->status_message);
	span_row_set(out, SPAN_ATTRIBUTES, JsonbPGetDatum(span->attributes));
	span_row_set(out, SPAN_EVENTS, JsonbPGetDatum(span->events));
	span_row_set(out, SPAN_LINKS, JsonbPGetDatum(span->links));
	span_row_text(out, SPAN_TRACE_STATE, span->trace_state);
	span_row_number(out, SPAN_FLAGS, span->flags);
	span_row_set(out, SPAN_RESOURCE, JsonbPGetDatum(span->resource->attributes));
	span_row_text(out, SPAN_SCOPE_NAME, span->scope->name);
	span_row_text(out, SPAN_SCOPE_VERSION, span->scope->version);
	span_row_set(out, SPAN_SCOPE_ATTRIBUTES, JsonbPGetDatum(span->scope->attributes));
	span_row_number(out, SPAN_DROPPED_ATTRIBUTES, span->dropped_attributes);
	span_row_number(out, SPAN_DROPPED_EVENTS, span->dropped_events);
	span_row_number(out, SPAN_DROPPED_LINKS, span->dropped_links);
	span_row_number(out, SPAN_SCOPE_DROPPED_ATTRIBUTES, span->scope->dropped_attributes);
	span_row_number(out, SPAN_RESOURCE_DROPPED_ATTRIBUTES, span->resource->dropped_attributes);
	span_row_text(out, SPAN_SCOPE_SCHEMA_URL, span->scope->schema_url);
	span_row_text(out, SPAN_RESOURCE_SCHEMA_URL, span->resource->schema_url);
	span_row_key_order(out, span);
	row_set_add(&out->rows, out->values, out->nulls);
}

static void
otlp_add_row(void *state, const OtlpSpan *span)
{
	span_row_add(state, span);
}

PG_FUNCTION_INFO_V1(otlp_spans);
Datum
otlp_spans(PG_FUNCTION_ARGS)
{
	SpanRows out;

	row_set_open(&out.rows, fcinfo);
	span_rows_init(&out);
	otlp_read(PG_GETARG_JSONB_P(0), PG_GETARG_BOOL(1), otlp_add_row, &out);
	return (Datum) 0;
}

/*
 * Into a store
 */

/* A span of the payload, of which there may be several: the one that counts. */
typedef struct SpanKey
{
	uint8 trace_id[TRACE_ID_BYTES];
	uint8 span_id[SPAN_ID_BYTES];
} SpanKey;

typedef struct SpanWinner
{
	SpanKey key;
	uint64 number; /* in the payload, from 1 */
	bool has_ended;
} SpanWinner;

typedef struct Ingestion
{
	SpanRows out;
	HTAB *winners;
	uint64 number;
	uint64 rows;
	bool complete; /* are all winners known? */
	bool revised;  /* has one of them been another before? */
} Ingestion;

/*
 * Of several spans with the same ids the first that has ended counts, or else
 * the first.  Rarely that is not the first one: then the payload is read twice.
 */
static void
otlp_ingest_span(void *state, const OtlpSpan *span)
{
	Ingestion *ingestion = state;
	SpanWinner *winner;
	SpanKey key;
	bool found;

	memcpy(key.trace_id, span->trace_id, TRACE_ID_BYTES);
	memcpy(key.span_id, span->span_id, SPAN_ID_BYTES);
	ingestion->number++;
	winner = hash_search(ingestion->winners, &key, HASH_ENTER, &found);
	if (!found)
	{
		winner->number = ingestion->number;
		winner->has_ended = span->has_ended;
	}
	else if (!ingestion->complete && span->has_ended && !winner->has_ended)
	{
		winner->number = ingestion->number;
		winner->has_ended = true;
		ingestion->revised = true;
		return;
	}
	if (winner->number == ingestion->number)
	{
		span_row_add(&ingestion->out, span);
		ingestion->rows++;
	}
}

static void
otlp_ingest_read(Ingestion *ingestion, Oid extension, const Jsonb *payload, bool hygiene)
{
	TupleDesc desc = CreateTemplateTupleDesc(SPAN_COLUMNS);
	HASHCTL control;

	for (int i = 0; i < SPAN_COLUMNS; i++)
	{
		const ColumnType *column = &span_columns[i];

		TupleDescInitEntry(desc, (AttrNumber) (i + 1), column->name,
						   OidIsValid(column->type) ? column->type
													: extension_type(extension, column->type_name),
						   -1, 0);
	}
	memset(ingestion, 0, sizeof(Ingestion));
	ingestion->out.rows.desc = desc;
	ingestion->out.rows.store = tuplestore_begin_heap(false, false, work_mem);
	span_rows_init(&ingestion->out);
	memset(&control, 0, sizeof(control));
	control.keysize = sizeof(SpanKey);
	control.entrysize = sizeof(SpanWinner);
	control.hcxt = CurrentMemoryContext;
	ingestion->winners = hash_create("OTLP spans", 1024, &control,
									 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	otlp_read(payload, hygiene, otlp_ingest_span, ingestion);
	if (ingestion->revised)
	{
		tuplestore_clear(ingestion->out.rows.store);
		ingestion->complete = true;
		ingestion->number = 0;
		ingestion->rows = 0;
		otlp_read(payload, hygiene, otlp_ingest_span, ingestion);
	}
}

/* The rows, as the statements below call them. */
#define INGESTED "ingested_spans"

static uint64
otlp_ingest_run(const TraceStore *store, const char *sql)
{
	int status = SPI_execute_plan(query_plan(store->spans_relid, sql, 0, NULL), NULL, NULL, false,
								  0);

	if (status < 0)
		elog(ERROR, "SPI_execute_plan returned %s", SPI_result_code_string(status));
	return SPI_processed;
}

static bool
otlp_store_hygiene(const TraceStore *store)
{
	bool isnull = true;
	Datum hygiene = (Datum) 0;

	otlp_ingest_run(store, psprintf("SELECT hygiene::pg_catalog.bool FROM %s", store->options));
	if (SPI_processed > 0)
		hygiene = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	return isnull || DatumGetBool(hygiene);
}

/* Find the few by index, whatever the planner thought of tables that were small once. */
static int
otlp_index_only_enter(void)
{
	static const char *const off[] = {"enable_seqscan", "enable_hashjoin", "enable_mergejoin"};
	int level = NewGUCNestLevel();

	for (int i = 0; i < (int) lengthof(off); i++)
		(void) set_config_option(off[i], "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true,
								 0, false);
	return level;
}

/*
 * Lock the traces of all spans, in the order of their ids, also those that are
 * new; are all of them?  So two sessions that send the same spans, each in an
 * order of its own, come one after the other, and so do those that end a span,
 * or evict its trace.
 */
static bool
otlp_ingest_lock(const TraceStore *store)
{
	bool isnull;

	(void) otlp_ingest_run(
		store,
		psprintf(
			"WITH g AS MATERIALIZED (SELECT s.trace_id, pg_catalog.min(s.start_ns) AS start_ns "
			"FROM " INGESTED " s GROUP BY s.trace_id), "
			"i AS (INSERT INTO %s AS t (trace_id, first_seen, last_updated, start_ns, "
			"span_count, root_ended, is_symbolic, is_decoded) SELECT g.trace_id, "
			"pg_catalog.clock_timestamp(), pg_catalog.clock_timestamp(), g.start_ns, 0, "
			"false, false, false FROM g ORDER BY g.trace_id ON CONFLICT (trace_id) DO UPDATE "
			/* the row is locked all the same */
			"SET span_count = t.span_count WHERE false RETURNING 1) "
			"SELECT (SELECT pg_catalog.count(*) FROM g) OPERATOR(pg_catalog.=) "
			"(SELECT pg_catalog.count(*) FROM i)",
			store->traces));
	return DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
}

/*
 * Insert the spans that the store lacks; how many.  Of traces that are new, and
 * locked, it lacks all.
 */
static uint64
otlp_ingest_insert(const TraceStore *store, bool all_new)
{
	const char *columns = otlp_column_list("");
	uint64 stored;
	int level;

	if (all_new)
		return otlp_ingest_run(store,
							   psprintf("INSERT INTO %s (%s) SELECT %s FROM " INGESTED,
										store->spans, columns, columns));
	if (get_rel_relkind(store->spans_relid) != RELKIND_PARTITIONED_TABLE)
		return otlp_ingest_run(store,
							   psprintf("INSERT INTO %s (%s) SELECT %s FROM " INGESTED
										" ON CONFLICT (trace_id, span_id) DO NOTHING",
										store->spans, columns, columns));
	/*
	 * There, ids are unique together with the start only.  No partition has to
	 * be searched for traces that are new.
	 */
	level = otlp_index_only_enter();
	stored = otlp_ingest_run(
		store,
		psprintf(
			"INSERT INTO %s (%s) SELECT %s FROM " INGESTED " s WHERE NOT EXISTS "
			"(SELECT FROM %s t WHERE t.trace_id OPERATOR(%s.=) s.trace_id "
			"AND t.span_count OPERATOR(pg_catalog.>) 0 AND EXISTS (SELECT FROM %s o WHERE o.trace_id OPERATOR(%s.=) s.trace_id "
			"AND o.span_id OPERATOR(%s.=) s.span_id "
			"AND o.start_ns OPERATOR(pg_catalog.>=) t.start_ns)) "
			"ON CONFLICT (trace_id, span_id, start_ns) DO NOTHING",
			store->spans, columns, otlp_column_list("s."), store->traces, store->extension,
			store->spans, store->extension, store->extension));
	AtEOXact_GUC(true, level);
	return stored;
}

/* Let spans that have ended take the place of those that had not; how many. */
static uint64
otlp_ingest_update(const TraceStore *store)
{
	int level = otlp_index_only_enter();
	uint64 updated = otlp_ingest_run(store,
									 psprintf("UPDATE %1$s o SET (%3$s) = ROW(%4$s) FROM " INGESTED
											  " s WHERE o.trace_id OPERATOR(%2$s.=) s.trace_id "
											  "AND o.span_id OPERATOR(%2$s.=) s.span_id "
											  "AND o.end_ns IS NULL AND s.end_ns IS NOT NULL",
											  store->spans, store->extension, otlp_column_list(""),
											  otlp_column_list("s.")));

	AtEOXact_GUC(true, level);
	return updated;
}

PG_FUNCTION_INFO_V1(ingest_otlp);
Datum
ingest_otlp(PG_FUNCTION_ARGS)
{
	Jsonb *payload = PG_GETARG_JSONB_P(1);
	EphemeralNamedRelationData relation;
	Ingestion ingestion;
	TraceStore store;
	TupleDesc desc;
	Datum values[4];
	bool nulls[4] = {false};
	uint64 stored = 0;
	uint64 updated = 0;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	trace_store_open(&store, fcinfo, 0);
	query_connect();
	otlp_ingest_read(&ingestion, extension_namespace(fcinfo), payload, otlp_store_hygiene(&store));
	if (ingestion.rows > 0)
	{
		memset(&relation, 0, sizeof(relation));
		relation.md.name = INGESTED;
		relation.md.reliddesc = InvalidOid;
		relation.md.tupdesc = ingestion.out.rows.desc;
		relation.md.enrtype = ENR_NAMED_TUPLESTORE;
		relation.md.enrtuples = (double) ingestion.rows;
		relation.reldata = ingestion.out.rows.store;
		if (SPI_register_relation(&relation) < 0)
			elog(ERROR, "SPI_register_relation failed");
		stored = otlp_ingest_insert(&store, otlp_ingest_lock(&store));
		if (stored < ingestion.rows)
			updated = otlp_ingest_update(&store);
	}
	tuplestore_end(ingestion.out.rows.store);
	query_finish();
	values[0] = Int64GetDatum((int64) ingestion.number);
	values[1] = Int64GetDatum((int64) stored);
	values[2] = Int64GetDatum((int64) updated);
	values[3] = Int64GetDatum((int64) (ingestion.number - stored - updated));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/*
 * Out of it
 */

typedef struct RowReader
{
	OtlpWriter *writer;
	Datum values[SPAN_COLUMNS];
	bool nulls[SPAN_COLUMNS];
	bool found;
} RowReader;

static OtlpBytes
otlp_row_bytes(const RowReader *row, SpanColumn column)
{
	OtlpBytes bytes = {NULL, 0};

	if (!row->nulls[column])
	{
		text *value = DatumGetTextPP(row->values[column]);

		bytes.data = VARDATA_ANY(value);
		bytes.length = (int) VARSIZE_ANY_EXHDR(value);
	}
	return bytes;
}

static int64
otlp_row_number(const RowReader *row, SpanColumn column)
{
	return row->nulls[column] ? 0 : DatumGetInt64(row->values[column]);
}

static Jsonb *
otlp_row_json(const RowReader *row, SpanColumn column, bool object)
{
	return flat_column(row->values[column], object, span_columns[column].name);
}

/* Which of the labels a column has, or -1. */
static int
otlp_row_label(const RowReader *row, SpanColumn column, const char *const *labels, int count)
{
	OtlpBytes label = otlp_row_bytes(row, column);

	for (int i = 0; i < count; i++)
	{
		if (label.length == (int) strlen(labels[i]) &&
			memcmp(label.data, labels[i], (Size) label.length) == 0)
			return i;
	}
	return -1;
}

/* The next part of key_order. */
static OtlpBytes
otlp_order_part(OtlpOrderCursor *order)
{
	OtlpBytes part = {NULL, 0};
	uint64 length;

	if (!otlp_order_next(order, &length))
		return part;
	if (length > (uint64) (order->end - order->next))
	{
		order->next = order->end;
		return part;
	}
	part.data = (const char *) order->next;
	part.length = (int) length;
	order->next += length;
	return part;
}

static void
otlp_write_row(void *state, HeapTuple tuple, TupleDesc desc)
{
	static const int required[] = {SPAN_TRACE_ID, SPAN_SPAN_ID,  SPAN_ATTRIBUTES,      SPAN_EVENTS,
								   SPAN_LINKS,    SPAN_RESOURCE, SPAN_SCOPE_ATTRIBUTES};
	RowReader *row = state;
	OtlpBytes key_order;
	OtlpOrderCursor order;
	OtlpGroup resource;
	OtlpGroup scope;
	OtlpSpan span;
	uint64 number;

	heap_deform_tuple(tuple, desc, row->values, row->nulls);
	query_not_null(desc, row->nulls, required, lengthof(required));
	memset(&span, 0, sizeof(span));
	memset(&resource, 0, sizeof(resource));
	memset(&scope, 0, sizeof(scope));
	key_order = otlp_row_bytes(row, SPAN_KEY_ORDER);
	order.next = (const uint8 *) key_order.data;
	order.end = order.next + key_order.length;
	resource.order = otlp_order_part(&order);
	scope.order = otlp_order_part(&order);
	span.attribute_order = otlp_order_part(&order);
	span.event_order = otlp_order_part(&order);
	span.link_order = otlp_order_part(&order);

	memcpy(span.trace_id, DatumGetPointer(row->values[SPAN_TRACE_ID]), TRACE_ID_BYTES);
	span_id_store(span.span_id, DatumGetUInt64(row->values[SPAN_SPAN_ID]));
	span.has_parent = !row->nulls[SPAN_PARENT_SPAN_ID];
	if (span.has_parent)
		span_id_store(span.parent_span_id, DatumGetUInt64(row->values[SPAN_PARENT_SPAN_ID]));
	span.start = otlp_row_number(row, SPAN_START);
	span.has_ended = !row->nulls[SPAN_END];
	span.end = otlp_row_number(row, SPAN_END);
	span.kind = otlp_row_label(row, SPAN_KIND, span_kind_labels, span_kind_count);
	span.otlp_kind = row->nulls[SPAN_OTLP_KIND] ? otlp_kind_default(span.kind)
												: DatumGetInt16(row->values[SPAN_OTLP_KIND]);
	span.status = Max(otlp_row_label(row, SPAN_STATUS, span_status_labels, span_status_count), 0);
	span.otlp_status = otlp_order_next(&order, &number) && number <= OTLP_STATUS_ERROR &&
			!otlp_status_is_known(span.status)
		? (int) number
		: otlp_status_default(span.status);
	span.name = otlp_row_bytes(row, SPAN_NAME);
	span.status_message = otlp_row_bytes(row, SPAN_STATUS_MESSAGE);
	span.attributes = otlp_row_json(row, SPAN_ATTRIBUTES, true);
	span.events = otlp_row_json(row, SPAN_EVENTS, false);
	span.links = otlp_row_json(row, SPAN_LINKS, false);
	span.trace_state = otlp_row_bytes(row, SPAN_TRACE_STATE);
	span.flags = otlp_row_number(row, SPAN_FLAGS);
	span.dropped_attributes = otlp_row_number(row, SPAN_DROPPED_ATTRIBUTES);
	span.dropped_events = otlp_row_number(row, SPAN_DROPPED_EVENTS);
	span.dropped_links = otlp_row_number(row, SPAN_DROPPED_LINKS);
	resource.attributes = otlp_row_json(row, SPAN_RESOURCE, true);
	resource.dropped_attributes = otlp_row_number(row, SPAN_RESOURCE_DROPPED_ATTRIBUTES);
	resource.schema_url = otlp_row_bytes(row, SPAN_RESOURCE_SCHEMA_URL);
	scope.attributes = otlp_row_json(row, SPAN_SCOPE_ATTRIBUTES, true);
	scope.name = otlp_row_bytes(row, SPAN_SCOPE_NAME);
	scope.version = otlp_row_bytes(row, SPAN_SCOPE_VERSION);
	scope.dropped_attributes = otlp_row_number(row, SPAN_SCOPE_DROPPED_ATTRIBUTES);
	scope.schema_url = otlp_row_bytes(row, SPAN_SCOPE_SCHEMA_URL);
	span.resource = &resource;
	span.scope = &scope;
	otlp_writer_add(row->writer, &span);
	row->found = true;
}

/* As what a column is read: the labels of enums, the others as they are. */
static const char *
otlp_column_type(Oid extension, int which)
{
	const ColumnType *column = &span_columns[which];

	if (which == SPAN_KIND || which == SPAN_STATUS)
		return "pg_catalog.text";
	return format_type_be_qualified(
		OidIsValid(column->type) ? column->type : extension_type(extension, column->type_name));
}

PG_FUNCTION_INFO_V1(to_otlp);
Datum
to_otlp(PG_FUNCTION_ARGS)
{
	MemoryContext result_context = CurrentMemoryContext;
	Datum trace_id = PG_GETARG_DATUM(1);
	QueryArguments arguments = {0};
	StringInfoData columns;
	TraceStore store;
	RowReader row;
	Jsonb *payload;

	trace_store_open(&store, fcinfo, 0);
	initStringInfo(&columns);
	for (int i = 0; i < SPAN_COLUMNS; i++)
		appendStringInfo(&columns, "%ss.%s::%s", i > 0 ? ", " : "", span_columns[i].name,
						 otlp_column_type(extension_namespace(fcinfo), i));
	row.found = false;
	row.writer = otlp_writer_create();
	query_connect();
	query_argument(&arguments, store.trace_id_type, trace_id, false);
	MemoryContextSwitchTo(result_context);
	query_each(psprintf("SELECT %s FROM %s s WHERE s.trace_id OPERATOR(%s.=) $1 "
						"ORDER BY s.arrival, s.span_id",
						columns.data, store.spans, store.extension),
			   &arguments, otlp_write_row, &row);
	query_finish();
	if (!row.found)
		trace_store_no_trace(&store, trace_id);
	payload = otlp_writer_finish(row.writer);
	PG_RETURN_JSONB_P(payload);
}

static void
otlp_add_span(void *state, const OtlpSpan *span)
{
	otlp_writer_add(state, span);
}

PG_FUNCTION_INFO_V1(otlp_canonical);
Datum
otlp_canonical(PG_FUNCTION_ARGS)
{
	OtlpWriter *writer = otlp_writer_create();

	otlp_read(PG_GETARG_JSONB_P(0), false, otlp_add_span, writer);
	PG_RETURN_JSONB_P(otlp_writer_finish(writer));
}
