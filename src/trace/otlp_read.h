/*
 * otlp_read.h
 *		Spans of OTLP/JSON.
 */
#ifndef DISTRIBUTED_OTLP_READ_H
#define DISTRIBUTED_OTLP_READ_H

#include "postgres.h"

#include "trace/otlp_value.h"
#include "trace/span_id.h"
#include "trace/trace_id.h"

/* Numbers of OTLP. */
#define OTLP_KIND_INTERNAL 1
#define OTLP_KIND_CONSUMER 5
#define OTLP_STATUS_ERROR  2

/* Bytes, without a NUL at their end; NULL if there are none. */
typedef struct OtlpBytes
{
	const char *data;
	int length;
} OtlpBytes;

/* What many spans have in common: a resource, or a scope. */
typedef struct OtlpGroup
{
	Jsonb *attributes;
	OtlpBytes order; /* of the keys of attributes */
	OtlpBytes name;  /* of a scope */
	OtlpBytes version;
	OtlpBytes schema_url;
	int64 dropped_attributes;
} OtlpGroup;

typedef struct OtlpSpan
{
	uint8 trace_id[TRACE_ID_BYTES];
	uint8 span_id[SPAN_ID_BYTES];
	uint8 parent_span_id[SPAN_ID_BYTES];
	bool has_parent;
	bool has_ended;
	int64 start;
	int64 end;
	int kind;        /* which of span_kind_labels, or -1 if unspecified */
	int otlp_kind;   /* number in OTLP */
	int status;      /* which of span_status_labels */
	int otlp_status; /* number in OTLP */
	OtlpBytes name;
	OtlpBytes status_message;
	OtlpBytes trace_state;
	int64 flags;
	int64 dropped_attributes;
	int64 dropped_events;
	int64 dropped_links;
	Jsonb *attributes;
	Jsonb *events;
	Jsonb *links;
	OtlpBytes attribute_order;
	OtlpBytes event_order; /* of the keys of all events' attributes */
	OtlpBytes link_order;
	const OtlpGroup *resource;
	const OtlpGroup *scope;
} OtlpSpan;

/* Called for each span, which is gone when it returns. */
typedef void (*OtlpConsume)(void *state, const OtlpSpan *span);

extern void otlp_read(const Jsonb *payload, bool hygiene, OtlpConsume consume, void *state);

extern bool otlp_status_is_known(int status);
extern int otlp_kind_default(int kind);
extern int otlp_status_default(int status);

#endif /* DISTRIBUTED_OTLP_READ_H */
