/*
 * log_table.h
 *		A table that is a causal log.
 */
#ifndef DISTRIBUTED_LOG_TABLE_H
#define DISTRIBUTED_LOG_TABLE_H

#include "postgres.h"

#include "core/query.h"
#include "fmgr.h"

/* A log, as the SQL that reads it needs it; all names are quoted. */
typedef struct LogTable
{
	Oid relid;
	const char *name;   /* of the table, with its schema */
	const char *schema; /* of the extension */
	Oid clock_type;     /* vclock */
	Oid hlc_type;       /* hlc */

	/* Expressions over a row of the log with the alias l, typed as named. */
	const char *at;         /* hlc, null where the log has none */
	const char *event;      /* jsonb, null where the log has none */
	const char *event_text; /* text: what a string says, other events as JSON */

	bool has_at;
	bool has_event;
	bool has_key;  /* a btree index begins with (origin, seq) */
	double tuples; /* rows of the log, as far as is known; -1: unknown */
} LogTable;

extern void log_table_open(LogTable *log, FunctionCallInfo fcinfo, Oid relid);
pg_noreturn extern void log_table_no_event(const LogTable *log, const char *origin, int64 seq);

#endif /* DISTRIBUTED_LOG_TABLE_H */
