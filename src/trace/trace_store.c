/*
 * trace_store.c
 *		Making trace stores, and keeping their traces.
 *
 * A store is a schema of ordinary tables, which belong to whoever makes it and
 * are dumped and restored like any others.  What is in it stands, as SQL, in
 * script functions (see trace_store_scripts), so that the definitions can be
 * read as SQL, with @store@ for the schema.
 *
 * The spans hold everything.  The table traces has a row for each trace, which
 * triggers on spans keep, whoever writes spans and by whatever command: when a
 * trace came, and whether it is over.  All that a new span can change there
 * only grows, so the order in which spans come makes no difference.  The row is
 * what eviction and ingestion agree on: who adds to a trace holds its row until
 * the transaction ends, so eviction skips it; who evicts a trace holds its row,
 * too, so what is added comes after, as a trace that is new.  Who wants several
 * rows locks traces first, in the order of their ids, and then spans.
 */
#include "core/compat.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "core/hybrid_time.h"
#include "miscadmin.h"
#include "trace/trace_schema.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

/* What a new store gets, in this order. */
static const char *const trace_store_scripts[] = {
	"trace_store_tables",
	"find_traces_indexes",
	"trace_record_views",
	"grafana_views",
};

/* Partitions that one call makes, at most. */
#define TRACE_PARTITIONS_MOST 10000

/*
 * Creating a store
 */

typedef struct Replacement
{
	const char *token;
	const char *text;
} Replacement;

/* The script with its tokens replaced; what replaces them is not looked at again. */
static char *
trace_store_fill_in(const char *script, const Replacement *replacements, int count)
{
	StringInfoData out;

	initStringInfo(&out);
	while (*script)
	{
		int which = 0;

		while (which < count &&
			   strncmp(script, replacements[which].token, strlen(replacements[which].token)) != 0)
			which++;
		if (which < count)
		{
			appendStringInfoString(&out, replacements[which].text);
			script += strlen(replacements[which].token);
		}
		else
			appendStringInfoChar(&out, *script++);
	}
	return out.data;
}

static void
trace_store_run(const char *sql)
{
	int status = SPI_execute(sql, false, 0);

	if (status < 0)
		elog(ERROR, "script failed: %s", SPI_result_code_string(status));
}

static void
trace_store_run_script(const char *function, const char *schema, const char *extension,
					   bool partitioned)
{
	const Replacement replacements[] = {
		{"@store@", schema},
		{"@extension@", extension},
		{"@partition_key@", partitioned ? ", start_ns" : ""},
		{"@partition_by@", partitioned ? " PARTITION BY RANGE (start_ns)" : ""},
	};
	const char *script;

	trace_store_run(psprintf("SELECT %s.%s()", extension, function));
	script = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	trace_store_run(trace_store_fill_in(script, replacements, lengthof(replacements)));
}

static bool
trace_store_is_positive(Interval *width)
{
	Interval zero;

	memset(&zero, 0, sizeof(zero));
	return DatumGetBool(
		DirectFunctionCall2(interval_gt, IntervalPGetDatum(width), IntervalPGetDatum(&zero)));
}

PG_FUNCTION_INFO_V1(create_trace_store);
Datum
create_trace_store(PG_FUNCTION_ARGS)
{
	bool partitioned = !PG_ARGISNULL(1);
	QueryArguments arguments = {0};
	const char *name;
	const char *schema;
	Oid namespace;
	int path;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("schema and hygiene of a trace store must not be null")));
	if (partitioned && !trace_store_is_positive(PG_GETARG_INTERVAL_P(1)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("partition_width must be greater than zero")));
	name = NameStr(*PG_GETARG_NAME(0));
	schema = quote_identifier(name);
	query_connect();
	path = query_path_enter();
	namespace = get_namespace_oid(name, true);
	if (!OidIsValid(namespace))
		trace_store_run(psprintf("CREATE SCHEMA %s", schema));
	else if (OidIsValid(get_relname_relid("spans", namespace)))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_TABLE),
				 errmsg("there is already a table \"spans\" in schema \"%s\"", name),
				 errhint("Choose another schema for the trace store.")));
	for (int i = 0; i < (int) lengthof(trace_store_scripts); i++)
		trace_store_run_script(trace_store_scripts[i], schema, extension_schema(fcinfo),
							   partitioned);
	if (partitioned)
		trace_store_run(psprintf("CREATE TABLE %s.spans_default PARTITION OF %s.spans DEFAULT",
								 schema, schema));
	query_argument(&arguments, INTERVALOID, PG_GETARG_DATUM(1), PG_ARGISNULL(1));
	query_argument(&arguments, BOOLOID, PG_GETARG_DATUM(2), false);
	query_run(psprintf("UPDATE %s.options SET partition_width = $1, hygiene = $2", schema),
			  &arguments);
	query_path_leave(path);
	query_finish();
	PG_RETURN_OID(get_relname_relid("spans", get_namespace_oid(name, false)));
}

/*
 * Partitions
 */

static TimestampTz
trace_store_bin(const TraceStore *store, TimestampTz time, Interval **width)
{
	Datum bin;
	bool isnull;
	QueryArguments arguments = {0};

	query_argument(&arguments, TIMESTAMPTZOID, TimestampTzGetDatum(time), false);
	/* whole multiples of the width since 1970; months begin at the first */
	query_run(psprintf("SELECT o.partition_width::interval, "
					   "CASE WHEN extract(months FROM o.partition_width) + 12 * extract(years FROM "
					   "o.partition_width) > 0 "
					   "THEN date_trunc('month', $1 AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' "
					   "ELSE to_timestamp(floor(extract(epoch FROM $1) / extract(epoch FROM "
					   "o.partition_width)) * extract(epoch FROM o.partition_width)) END "
					   "FROM %s o",
					   store->options),
			  &arguments);
	*width = NULL;
	if (SPI_processed == 0)
		return time;
	bin = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	if (isnull)
		return time;
	*width = DatumGetIntervalP(bin);
	return DatumGetTimestampTz(
		SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull));
}

PG_FUNCTION_INFO_V1(create_trace_partitions);
Datum
create_trace_partitions(PG_FUNCTION_ARGS)
{
	TimestampTz until = PG_GETARG_TIMESTAMPTZ(2);
	TimestampTz from = PG_GETARG_TIMESTAMPTZ(1);
	TraceStore store;
	Interval *width;
	int path;
	int32 made = 0;

	if (TIMESTAMP_NOT_FINITE(from) || TIMESTAMP_NOT_FINITE(until))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("partitions cannot be made up to infinity")));
	trace_store_open(&store, fcinfo, 0);
	query_connect();
	path = query_path_enter();
	from = trace_store_bin(&store, from, &width);
	if (width == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("trace store \"%s\" has no partitions", store.name),
				 errhint("Name a partition_width when you create a trace store.")));
	for (int i = 0; from < until; i++)
	{
		/* days and months of UTC, whatever the session's time zone */
		TimestampTz next = DatumGetTimestampTz(DirectFunctionCall2(timestamp_pl_interval,
																   TimestampTzGetDatum(from),
																   IntervalPGetDatum(width)));
		int64 lower = hybrid_time_from_timestamp(from);
		const char *name = psprintf("spans_" INT64_FORMAT, lower / INT64CONST(1000000000));

		if (i == TRACE_PARTITIONS_MOST || next <= from)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("too many partitions: more than %d", TRACE_PARTITIONS_MOST)));
		CHECK_FOR_INTERRUPTS();
		if (!OidIsValid(get_relname_relid(name, store.namespace)))
		{
			trace_store_run(psprintf("CREATE TABLE %s.%s PARTITION OF %s "
									 "FOR VALUES FROM (" INT64_FORMAT ") TO (" INT64_FORMAT ")",
									 store.schema, name, store.spans, lower,
									 hybrid_time_from_timestamp(next)));
			made++;
		}
		from = next;
	}
	query_path_leave(path);
	query_finish();
	PG_RETURN_INT32(made);
}

/*
 * Keeping the traces
 */

static const char note_sql[] =
	"INSERT INTO %1$s AS t (trace_id, first_seen, last_updated, start_ns, end_ns, span_count, "
	"root_ended, is_symbolic, is_decoded) "
	"SELECT s.trace_id, pg_catalog.clock_timestamp(), pg_catalog.clock_timestamp(), "
	"pg_catalog.min(s.start_ns), pg_catalog.max(s.end_ns), %2$s, "
	"pg_catalog.bool_or(s.parent_span_id IS NULL AND s.end_ns IS NOT NULL), "
	"pg_catalog.bool_or(s.kind IS NOT NULL AND s.kind OPERATOR(pg_catalog.>=) "
	"'encode'::%3$s.span_kind), "
	"pg_catalog.bool_or(s.kind IS NOT NULL AND s.kind OPERATOR(pg_catalog.=) "
	"'decode'::%3$s.span_kind AND s.end_ns IS NOT NULL AND (s.status OPERATOR(pg_catalog.=) "
	"'ok'::%3$s.span_status OR s.status OPERATOR(pg_catalog.=) 'error'::%3$s.span_status)) "
	/* always in the same order, so that two sessions never wait for each other */
	"FROM changed s GROUP BY s.trace_id ORDER BY s.trace_id "
	"ON CONFLICT (trace_id) DO UPDATE SET last_updated = "
	"greatest(t.last_updated, excluded.last_updated), "
	"start_ns = least(t.start_ns, excluded.start_ns), "
	"end_ns = greatest(t.end_ns, excluded.end_ns), "
	"span_count = t.span_count OPERATOR(pg_catalog.+) excluded.span_count, "
	"root_ended = t.root_ended OR excluded.root_ended, "
	"is_symbolic = t.is_symbolic OR excluded.is_symbolic, "
	"is_decoded = t.is_decoded OR excluded.is_decoded";

PG_FUNCTION_INFO_V1(trace_store_note);
Datum
trace_store_note(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	const char *traces;
	const char *sql;
	int status;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"trace_store_note\" was not called as a trigger")));
	if (!TRIGGER_FIRED_AFTER(trigger->tg_event) || TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		trigger->tg_trigger->tgnewtable == NULL ||
		strcmp(trigger->tg_trigger->tgnewtable, "changed") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("trigger \"%s\" cannot keep the traces of a store",
						trigger->tg_trigger->tgname),
				 errhint("Create it AFTER INSERT or UPDATE, REFERENCING NEW TABLE AS changed, "
						 "FOR EACH STATEMENT.")));
	traces = quote_qualified_identifier(get_namespace_name(
											RelationGetNamespace(trigger->tg_relation)),
										"traces");
	sql = psprintf(note_sql, traces,
				   TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ? "pg_catalog.count(*)" : "0",
				   extension_schema(fcinfo));
	query_connect();
	if (SPI_register_trigger_data(trigger) < 0)
		elog(ERROR, "SPI_register_trigger_data failed");
	status = SPI_execute_plan(query_plan(RelationGetRelid(trigger->tg_relation), sql, 0, NULL),
							  NULL, NULL, false, 0);
	if (status < 0)
		elog(ERROR, "SPI_execute_plan returned %s", SPI_result_code_string(status));
	query_finish();
	PG_RETURN_POINTER(NULL);
}
