/*
 * trace_schema.h
 *		A schema that is a trace store.
 */
#ifndef DISTRIBUTED_TRACE_SCHEMA_H
#define DISTRIBUTED_TRACE_SCHEMA_H

#include "postgres.h"

#include "core/query.h"
#include "fmgr.h"

/* Names are quoted where need be, and written out with their schema. */
typedef struct TraceStore
{
	const char *name;      /* as the user has it */
	const char *schema;    /* the same, quoted */
	const char *extension; /* schema of the extension */
	const char *spans;     /* one row per span */
	const char *traces;    /* one row per trace */
	const char *options;   /* one row */
	Oid namespace;
	Oid spans_relid;
	Oid trace_id_type;
	Oid span_id_type;
} TraceStore;

extern void trace_store_open(TraceStore *store, FunctionCallInfo fcinfo, int argument);
pg_noreturn extern void trace_store_no_trace(const TraceStore *store, Datum trace_id);

#endif /* DISTRIBUTED_TRACE_SCHEMA_H */
