/*
 * merge_intent.h
 *		What a statement of our own does to a merged table, for the trigger on it.
 */
#ifndef DISTRIBUTED_MERGE_INTENT_H
#define DISTRIBUTED_MERGE_INTENT_H

#include "postgres.h"

#include "executor/spi.h"
#include "utils/rel.h"

typedef enum MergeIntent
{
	INTENT_NONE,   /* a write that is not ours */
	INTENT_ARRIVE, /* INSERT .. ON CONFLICT DO UPDATE of a row that has arrived */
	INTENT_REMOVE, /* UPDATE of rows that are to be removed */
	INTENT_PASS,   /* whatever it does, it does to the rows as they are */
	INTENT_PURGE,  /* DELETE of rows that everyone knows to be removed */
	INTENT_STAMP,  /* UPDATE of rows whose plain columns have no stamps yet */
	INTENT_FOLLOW  /* UPDATE of rows whose plain columns may lack what stamps tell */
} MergeIntent;

/* What a statement of our own is told of its rows: what became of one that has arrived. */
typedef struct MergeArrival
{
	bool offered;  /* has it come to the trigger again, by the statement of our own? */
	bool met;      /* was there one of its key? */
	bool conflict; /* and had that something which this one lacks? */
	bool changed;  /* was it changed? */

	uint64 last_dot; /* not of one that arrives: the greatest dot in rows that are purged */
} MergeArrival;

/*
 * The intent that is under way, and the table to which it applies.  Other
 * triggers may write to the table while it is: what is meant for one row ends
 * with that row.
 */
typedef struct MergeUnderway
{
	MergeIntent intent;
	Oid table;
	MergeArrival *arrival;
} MergeUnderway;

extern MergeUnderway merge_underway;

extern uint64 merge_intent_run(MergeIntent intent, Relation table, SPIPlanPtr plan, Datum *values,
							   const char *nulls, MergeArrival *arrival);
extern uint64 merge_intent_run_sql(MergeIntent intent, Relation table, const char *sql);

#endif /* DISTRIBUTED_MERGE_INTENT_H */
