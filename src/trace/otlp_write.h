/*
 * otlp_write.h
 *		Spans as OTLP/JSON.
 */
#ifndef DISTRIBUTED_OTLP_WRITE_H
#define DISTRIBUTED_OTLP_WRITE_H

#include "postgres.h"

#include "trace/otlp_read.h"

typedef struct OtlpWriter OtlpWriter;

extern OtlpWriter *otlp_writer_create(void);
/* Spans are copied, and written in this order. */
extern void otlp_writer_add(OtlpWriter *writer, const OtlpSpan *span);
extern Jsonb *otlp_writer_finish(OtlpWriter *writer);

#endif /* DISTRIBUTED_OTLP_WRITE_H */
