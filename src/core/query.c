/*
 * query.c
 *		SQL that the extension runs itself.
 *
 * The extension may live in any schema, also one that is not on the search
 * path, and may be moved; and what it runs must mean the same whatever the
 * caller's path is.  So every name of ours is written out with the schema in
 * which the calling function is found, operators as OPERATOR(schema.<<).
 *
 * Answers are read through a cursor, so that one of any size takes little
 * memory here; a set-returning function lets them flow into its tuplestore.
 * Queries run as the caller, who needs the usual privileges on the tables.
 *
 * The tables may be anybody's, and have columns of any type: what C code reads
 * is therefore cast to the type for which it is taken, or checked.
 */
#include "core/compat.h"

#include "catalog/dependency.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "common/hashfn.h"
#include "core/query.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

/* Rows that are fetched from a cursor at a time. */
#define QUERY_BATCH 1000

/* The schema of the extension: that of the function which is being called. */
Oid
extension_namespace(FunctionCallInfo fcinfo)
{
	return get_func_namespace(fcinfo->flinfo->fn_oid);
}

/* Its name, quoted where need be. */
const char *
extension_schema(FunctionCallInfo fcinfo)
{
	return quote_identifier(get_namespace_name(extension_namespace(fcinfo)));
}

/* One of the extension's types. */
Oid
extension_type(Oid extension_namespace, const char *name)
{
	Oid type = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum(name),
							   ObjectIdGetDatum(extension_namespace));

	if (!OidIsValid(type))
		elog(ERROR, "type \"%s\" of the extension is missing", name);
	return type;
}

/*
 * One of its tables.  Who owns the extension may take a table out of it, and put
 * anything of that name in its place: that is not ours, and C code that scans a
 * table would not survive a view.
 */
Oid
extension_table(Oid extension_namespace, const char *name)
{
	Oid table = get_relname_relid(name, extension_namespace);
	Oid extension = getExtensionOfObject(TypeRelationId,
										 extension_type(extension_namespace, "vclock"));

	if (!OidIsValid(table) || get_rel_relkind(table) != RELKIND_RELATION ||
		getExtensionOfObject(RelationRelationId, table) != extension)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" of the extension is missing", name),
				 errdetail("There is none of that name which is an ordinary table and belongs to "
						   "the extension."),
				 errhint("If it was taken out: ALTER EXTENSION %s ADD TABLE %s.%s.",
						 quote_identifier(get_extension_name(extension)),
						 quote_identifier(get_namespace_name(extension_namespace)), name)));
	return table;
}

/* One of its functions for triggers. */
Oid
extension_trigger_function(Oid extension_namespace, const char *name)
{
	Oid function = GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum(name),
								   PointerGetDatum(buildoidvector(NULL, 0)),
								   ObjectIdGetDatum(extension_namespace));

	if (!OidIsValid(function))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("function \"%s\" of the extension is missing", name),
				 errhint("The library is newer than what is installed in the database: ALTER "
						 "EXTENSION distributed UPDATE.")));
	return function;
}

/*
 * For long statements: until the matching query_path_leave, or an error, names
 * without a schema are the server's own.  Ours are still to be written out:
 * the extension's schema is not on the path, for others may create there what
 * would be a better match than the server's.
 */
int
query_path_enter(void)
{
	int level = NewGUCNestLevel();

	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	return level;
}

void
query_path_leave(int level)
{
	AtEOXact_GUC(true, level);
}

void
query_connect(void)
{
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
}

void
query_finish(void)
{
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
}

Oid
query_table_owner(Oid table)
{
	HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
	Oid owner;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table with OID %u does not exist", table)));
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

/*
 * To write a table that belongs to the extension: connect as its owner, until
 * query_finish_as_owner.  An error leaves to the transaction's end what that does.
 */
void
query_connect_as_owner(QueryCaller *caller, Oid table)
{
	GetUserIdAndSecContext(&caller->user, &caller->security);
	SetUserIdAndSecContext(query_table_owner(table),
						   caller->security | SECURITY_LOCAL_USERID_CHANGE);
	query_connect();
}

void
query_finish_as_owner(const QueryCaller *caller)
{
	query_finish();
	SetUserIdAndSecContext(caller->user, caller->security);
}

void
query_argument(QueryArguments *arguments, Oid type, Datum value, bool isnull)
{
	int which = arguments->count++;

	Assert(which < QUERY_MAX_ARGUMENTS);
	arguments->types[which] = type;
	arguments->values[which] = value;
	arguments->nulls[which] = isnull ? 'n' : ' ';
}

/* Refuse a row that lacks one of these columns, by their indexes. */
void
query_not_null(TupleDesc desc, const bool *nulls, const int *columns, int count)
{
	for (int i = 0; i < count; i++)
	{
		if (nulls[columns[i]])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("column \"%s\" must not be null",
							NameStr(TupleDescAttr(desc, columns[i])->attname))));
	}
}

/*
 * Run a query that reads, between query_connect and query_finish, and hand
 * over each row of its answer.  It sees what the caller's query sees.  The
 * current memory context stays what it is (SPI would leave its own behind).
 */
void
query_each(const char *sql, QueryArguments *arguments, QueryRow consume, void *state)
{
	static QueryArguments none;
	MemoryContext context = CurrentMemoryContext;
	Portal portal;

	if (arguments == NULL)
		arguments = &none;
	portal = SPI_cursor_open_with_args(NULL, sql, arguments->count, arguments->types,
									   arguments->values, arguments->nulls, true, 0);
	do
	{
		CHECK_FOR_INTERRUPTS();
		SPI_cursor_fetch(portal, true, QUERY_BATCH);
		for (uint64 i = 0; i < SPI_processed; i++)
			consume(state, SPI_tuptable->vals[i], SPI_tuptable->tupdesc);
		SPI_freetuptable(SPI_tuptable);
	} while (SPI_processed == QUERY_BATCH);
	SPI_cursor_close(portal);
	MemoryContextSwitchTo(context);
}

/*
 * Run a statement that may write, and sees what was written before; returns the
 * number of its rows, which are in SPI_tuptable.
 */
uint64
query_run(const char *sql, QueryArguments *arguments)
{
	int status = SPI_execute_with_args(sql, arguments->count, arguments->types, arguments->values,
									   arguments->nulls, false, 0);

	if (status < 0)
		elog(ERROR, "statement failed: %s", SPI_result_code_string(status));
	return SPI_processed;
}

/* A statement that this session has planned, and will run again. */
typedef struct KeptPlanKey
{
	Oid owner;
	uint32 hash; /* of the statement */
} KeptPlanKey;

typedef struct KeptPlan
{
	KeptPlanKey key;
	char *sql;
	SPIPlanPtr plan;
} KeptPlan;

/*
 * A statement's plan, made once per session; call it where all that the
 * statement names is known.  The owner is a table that it is about: should the
 * table get another name, so does the statement, and its plan is another one.
 */
SPIPlanPtr
query_plan(Oid owner, const char *sql, int nargs, Oid *types)
{
	static HTAB *plans = NULL;
	KeptPlanKey key;
	KeptPlan *kept;
	bool found;

	if (plans == NULL)
	{
		HASHCTL control;

		memset(&control, 0, sizeof(control));
		control.keysize = sizeof(KeptPlanKey);
		control.entrysize = sizeof(KeptPlan);
		plans = hash_create("distributed plans", 16, &control, HASH_ELEM | HASH_BLOBS);
	}
	key.owner = owner;
	key.hash = DatumGetUInt32(hash_any((const unsigned char *) sql, (int) strlen(sql)));
	kept = hash_search(plans, &key, HASH_ENTER, &found);
	if (!found)
	{
		kept->sql = NULL;
		kept->plan = NULL;
	}
	if (kept->plan == NULL || strcmp(kept->sql, sql) != 0)
	{
		SPIPlanPtr plan = SPI_prepare(sql, nargs, types);
		char *copy = MemoryContextStrdup(TopMemoryContext, sql);

		if (plan == NULL || SPI_keepplan(plan) != 0)
			elog(ERROR, "SPI_prepare returned %s", SPI_result_code_string(SPI_result));
		if (kept->plan)
		{
			SPI_freeplan(kept->plan);
			pfree(kept->sql);
		}
		kept->plan = plan;
		kept->sql = copy;
	}
	return kept->plan;
}

typedef struct QueriedRows
{
	RowSet *rows;
	bool checked; /* have the rows the right types? */
} QueriedRows;

static void
query_check_columns(TupleDesc wanted, TupleDesc found)
{
	if (found->natts != wanted->natts)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("wrong number of columns: %d, not %d", found->natts, wanted->natts)));
	for (int i = 0; i < wanted->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(found, i);
		Oid type = TupleDescAttr(wanted, i)->atttypid;

		if (column->atttypid != type)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column \"%s\" has type %s, not %s", NameStr(column->attname),
							format_type_be(column->atttypid), format_type_be(type))));
	}
}

static void
query_store_row(void *state, HeapTuple row, TupleDesc desc)
{
	QueriedRows *queried = state;

	if (!queried->checked)
		query_check_columns(queried->rows->desc, desc);
	queried->checked = true;
	tuplestore_puttuple(queried->rows->store, row);
}

/* The answer as rows of a set-returning function, whose columns it must have. */
void
query_rows(const char *sql, QueryArguments *arguments, RowSet *rows)
{
	QueriedRows queried = {rows, false};

	query_each(sql, arguments, query_store_row, &queried);
}
