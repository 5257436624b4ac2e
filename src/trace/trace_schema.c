/*
 * trace_schema.c
 *		A schema that is a trace store.
 *
 * create_trace_store makes it: sql/trace/trace_store.sql tells what is in it.
 * A store is named by its schema, as a name, in which case matters and nothing
 * is quoted.
 */
#include "core/compat.h"

#include "catalog/namespace.h"
#include "trace/hex_id.h"
#include "trace/trace_id.h"
#include "trace/trace_schema.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#define TRACE_STORE_HINT "create_trace_store makes one."

/* Describe the store that an argument names to a function that is being called. */
void
trace_store_open(TraceStore *store, FunctionCallInfo fcinfo, int argument)
{
	const char *name = pstrdup(NameStr(*PG_GETARG_NAME(argument)));
	Oid extension = extension_namespace(fcinfo);

	store->name = name;
	store->namespace = get_namespace_oid(name, true);
	if (!OidIsValid(store->namespace))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_SCHEMA), errmsg("there is no trace store \"%s\"", name),
				 errdetail("There is no schema of this name."), errhint(TRACE_STORE_HINT)));
	store->spans_relid = get_relname_relid("spans", store->namespace);
	if (!OidIsValid(store->spans_relid) ||
		!OidIsValid(get_relname_relid("traces", store->namespace)) ||
		!OidIsValid(get_relname_relid("options", store->namespace)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE), errmsg("there is no trace store \"%s\"", name),
				 errdetail("The schema lacks the tables spans, traces and options."),
				 errhint(TRACE_STORE_HINT)));
	store->schema = quote_identifier(name);
	store->extension = extension_schema(fcinfo);
	store->spans = psprintf("%s.spans", store->schema);
	store->traces = psprintf("%s.traces", store->schema);
	store->options = psprintf("%s.options", store->schema);
	store->trace_id_type = extension_type(extension, "trace_id");
	store->span_id_type = extension_type(extension, "span_id");
}

/* The store lacks a trace that it is asked for. */
void
trace_store_no_trace(const TraceStore *store, Datum trace_id)
{
	ereport(ERROR,
			(errcode(ERRCODE_NO_DATA_FOUND),
			 errmsg("there is no such trace in store \"%s\"", store->name),
			 errdetail("It has no span of trace %s.",
					   hex_id_write((const uint8 *) DatumGetPointer(trace_id), TRACE_ID_BYTES))));
}
