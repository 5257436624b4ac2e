/*
 * query.h
 *		SQL that the extension runs itself.
 */
#ifndef DISTRIBUTED_QUERY_H
#define DISTRIBUTED_QUERY_H

#include "postgres.h"

#include "core/rows.h"
#include "executor/spi.h"
#include "fmgr.h"

#define QUERY_MAX_ARGUMENTS 16

/* Arguments $1, $2 and so on, in the order in which they were added. */
typedef struct QueryArguments
{
	int count;
	Oid types[QUERY_MAX_ARGUMENTS];
	Datum values[QUERY_MAX_ARGUMENTS];
	char nulls[QUERY_MAX_ARGUMENTS];
} QueryArguments;

/* Who called us, while we act as the owner of a table. */
typedef struct QueryCaller
{
	Oid user;
	int security;
} QueryCaller;

/* Called for each row of an answer, which is gone when it returns. */
typedef void (*QueryRow)(void *state, HeapTuple row, TupleDesc desc);

extern Oid extension_namespace(FunctionCallInfo fcinfo);
extern const char *extension_schema(FunctionCallInfo fcinfo);
extern Oid extension_type(Oid extension_namespace, const char *name);
extern Oid extension_table(Oid extension_namespace, const char *name);
extern Oid extension_trigger_function(Oid extension_namespace, const char *name);

extern int query_path_enter(void);
extern void query_path_leave(int level);
extern void query_connect(void);
extern void query_finish(void);
extern Oid query_table_owner(Oid table);
extern void query_connect_as_owner(QueryCaller *caller, Oid table);
extern void query_finish_as_owner(const QueryCaller *caller);
extern void query_argument(QueryArguments *arguments, Oid type, Datum value, bool isnull);
extern void query_not_null(TupleDesc desc, const bool *nulls, const int *columns, int count);
extern void query_each(const char *sql, QueryArguments *arguments, QueryRow consume, void *state);
extern uint64 query_run(const char *sql, QueryArguments *arguments);
extern SPIPlanPtr query_plan(Oid owner, const char *sql, int nargs, Oid *types);
extern void query_rows(const char *sql, QueryArguments *arguments, RowSet *rows);

#endif /* DISTRIBUTED_QUERY_H */
