/*
 * merge_intent.c
 *		Statements of our own on merged tables.
 *
 * The trigger on a merged table has to know which statements are ours, and what
 * they are for.  A variable of the session says so while one runs.  Whatever
 * ends it, an error too, puts back what was there before: an error that is
 * caught, as in a block with EXCEPTION, passes here first.
 *
 * They run as the table's owner, as those of foreign keys do: who may delete
 * rows need not be one who may update them.
 */
#include "core/compat.h"

#include "core/query.h"
#include "miscadmin.h"
#include "replication/merge_intent.h"

MergeUnderway merge_underway = {INTENT_NONE, InvalidOid, NULL};

/*
 * Run a kept plan between query_connect and query_finish; returns how many rows it
 * wrote.  "arrival" is for INTENT_ARRIVE and
 * INTENT_PURGE.
 */
uint64
merge_intent_run(MergeIntent intent, Relation table, SPIPlanPtr plan, Datum *values,
				 const char *nulls, MergeArrival *arrival)
{
	MergeUnderway before = merge_underway;
	Oid user;
	int security;
	int status;

	GetUserIdAndSecContext(&user, &security);
	PG_TRY();
	{
		merge_underway.intent = intent;
		merge_underway.table = RelationGetRelid(table);
		merge_underway.arrival = arrival;
		SetUserIdAndSecContext(table->rd_rel->relowner,
							   security | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
		status = SPI_execute_plan(plan, values, nulls, false, 0);
		SetUserIdAndSecContext(user, security);
	}
	PG_CATCH();
	{
		/* the user is put back by whoever ends the (sub)transaction */
		merge_underway = before;
		PG_RE_THROW();
	}
	PG_END_TRY();
	merge_underway = before;
	if (status < 0)
		elog(ERROR, "statement on \"%s\" failed: %s", RelationGetRelationName(table),
			 SPI_result_code_string(status));
	return SPI_processed;
}

/* The same for a statement that is run once, and has no arguments. */
uint64
merge_intent_run_sql(MergeIntent intent, Relation table, const char *sql)
{
	SPIPlanPtr plan = SPI_prepare(sql, 0, NULL);

	if (plan == NULL)
		elog(ERROR, "SPI_prepare returned %s", SPI_result_code_string(SPI_result));
	return merge_intent_run(intent, table, plan, NULL, NULL, NULL);
}
