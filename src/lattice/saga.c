/*
 * saga.c
 *		Sagas: steps that belong together, and where no single truth fits what
 *		was reported of them.
 *
 * A saga is a long transaction cut into steps, each of which commits or is
 * undone on its own.  Several nodes watch; their reports are merged, which
 * never fails, so somebody has to look whether the merge makes sense:
 *
 *		pairwise_conflict	two nodes contradict each other about one obligation
 *		phantom				what belongs together has one outcome in the merge, but
 *							no one node saw all of it: each pair of nodes may agree,
 *							and yet the whole is in nobody's view
 *		violation			the merge itself breaks a constraint
 *
 * Seen as a sheaf, nodes are the opens of a cover and their reports local
 * sections: conflicts are sections that differ where they overlap, phantoms
 * are sections that agree there and of which none is the global one.
 *
 * Sources: H. Garcia-Molina, K. Salem, "Sagas", 1987; J. Goguen, "Sheaf
 * semantics for concurrent interacting objects", 1992.
 */
#include "core/compat.h"

#include "core/json_tree.h"
#include "core/rows.h"
#include "lattice/saga_explain.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* A row of consistency_report. */
enum
{
	REPORT_FINDING,
	REPORT_CONSTRAINT,
	REPORT_OBLIGATION,
	REPORT_NODE_A,
	REPORT_STATE_A,
	REPORT_NODE_B,
	REPORT_STATE_B,
	REPORT_MERGED,
	REPORT_EXPLANATION,
	REPORT_COLUMNS
};

/* The rows of check_sagas, and the one that is being made. */
typedef struct SagaReport
{
	RowSet rows;
	MemoryContext scratch; /* of that row, and of what led to it */
	Datum values[REPORT_COLUMNS];
	bool nulls[REPORT_COLUMNS];
} SagaReport;

static Datum
name_datum(SagaName name)
{
	return PointerGetDatum(cstring_to_text_with_len(name.bytes, (int) name.length));
}

static void
report_begin(SagaReport *report, const char *finding)
{
	memset(report->nulls, true, sizeof(report->nulls));
	report->values[REPORT_FINDING] = CStringGetTextDatum(finding);
	report->nulls[REPORT_FINDING] = false;
}

static void
report_name(SagaReport *report, int column, SagaName name)
{
	report->values[column] = name_datum(name);
	report->nulls[column] = false;
}

static void
report_state(SagaReport *report, int column, uint8 state)
{
	report->values[column] = UInt8GetDatum(state);
	report->nulls[column] = false;
}

static void
report_end(SagaReport *report, const StringInfoData *explanation)
{
	SagaName text = {explanation->data, (uint32) explanation->len};

	report_name(report, REPORT_EXPLANATION, text);
	row_set_add(&report->rows, report->values, report->nulls);
}

/*
 * Conflicts of two nodes
 */

/* One row: two entries of an obligation, or just one. */
static void
report_conflict(SagaReport *report, const SagaView *view, SagaName obligation, uint32 entry_a,
				const uint32 *entry_b)
{
	MemoryContext old = MemoryContextSwitchTo(report->scratch);
	StringInfoData explanation;

	initStringInfo(&explanation);
	report_begin(report, "pairwise_conflict");
	report_name(report, REPORT_OBLIGATION, obligation);
	report_name(report, REPORT_NODE_A, view->nodes[saga_view_node(view, entry_a)]);
	report_state(report, REPORT_STATE_A, saga_view_state(view, entry_a));
	if (entry_b)
	{
		report_name(report, REPORT_NODE_B, view->nodes[saga_view_node(view, *entry_b)]);
		report_state(report, REPORT_STATE_B, saga_view_state(view, *entry_b));
		saga_explain_conflict(&explanation, view, obligation, entry_a, *entry_b);
	}
	else
		saga_explain_contradiction(&explanation, view, obligation, entry_a);
	report_state(report, REPORT_MERGED, OBLIGATION_CONFLICT);
	report_end(report, &explanation);
	MemoryContextSwitchTo(old);
	MemoryContextReset(report->scratch);
}

/*
 * All pairs of an obligation's entries that are in conflict.  For each state
 * there is a list of the entries that contradict it, so no pair is looked at in
 * vain.
 */
static void
report_pairs(SagaReport *report, const SagaView *view, const Obligation *obligation)
{
	SagaName name = {obligation->name, obligation->length};
	uint32 from = obligation->from;
	uint32 to = obligation->to;
	uint8 nstates = lattice_state_lattice.nstates;
	uint32 *rivals[FINITE_LATTICE_MAX];
	uint32 nrivals[FINITE_LATTICE_MAX] = {0};
	uint32 passed[FINITE_LATTICE_MAX] = {0};

	if (to - from == 1)
	{
		report_conflict(report, view, name, from, NULL);
		return;
	}
	for (uint8 state = 0; state < nstates; state++)
		rivals[state] = MemoryContextAllocHuge(CurrentMemoryContext,
											   sizeof(uint32) * (Size) (to - from));
	for (uint32 entry = from; entry < to; entry++)
	{
		uint8 said = saga_view_state(view, entry);

		for (uint8 state = 0; state < nstates; state++)
		{
			uint8 joined = finite_lattice_join(&lattice_state_lattice, state, said);

			if (finite_lattice_is_conflict(&lattice_state_lattice, joined))
				rivals[state][nrivals[state]++] = entry;
		}
	}
	for (uint32 entry = from; entry < to; entry++)
	{
		uint8 state = saga_view_state(view, entry);

		CHECK_FOR_INTERRUPTS();
		while (passed[state] < nrivals[state] && rivals[state][passed[state]] <= entry)
			passed[state]++;
		for (uint32 i = passed[state]; i < nrivals[state]; i++)
			report_conflict(report, view, name, entry, &rivals[state][i]);
	}
	for (uint8 state = 0; state < nstates; state++)
		pfree(rivals[state]);
}

/* The conflicts of every obligation, whether or not a constraint names it. */
static void
report_conflicts(SagaReport *report, const SagaView *view)
{
	EntryCursor cursor;
	Obligation obligation;

	for (entry_cursor_open(&cursor, &view->reports); obligation_next(&cursor, &obligation);)
	{
		if (finite_lattice_is_conflict(&lattice_state_lattice, obligation.state))
			report_pairs(report, view, &obligation);
	}
}

/*
 * Constraints
 */

/* The row of a constraint, if there is anything to say. */
static void
report_case(SagaReport *report, SagaCase *saga, SagaView *view)
{
	StringInfoData explanation;
	bool phantom = saga->finding == SAGA_PHANTOM;

	if (saga->finding == SAGA_FINE)
		return;
	report_begin(report, phantom ? "phantom" : "violation");
	report_name(report, REPORT_CONSTRAINT, saga->constraint->name);
	switch (saga->constraint->kind)
	{
		case SAGA_ALL_OR_NOTHING:
			if (phantom)
				report_state(report, REPORT_MERGED, saga->outcome);
			break;
		case SAGA_IMPLIES:
			report_name(report, REPORT_OBLIGATION, saga->obligations[0].name);
			report_state(report, REPORT_MERGED, OBLIGATION_COMMITTED);
			break;
		case SAGA_MUTUAL_EXCLUSION:
			report_state(report, REPORT_MERGED, OBLIGATION_COMMITTED);
			break;
	}
	initStringInfo(&explanation);
	saga_explain_case(&explanation, saga, view);
	report_end(report, &explanation);
}

PG_FUNCTION_INFO_V1(check_sagas);
Datum
check_sagas(PG_FUNCTION_ARGS)
{
	SagaView view;
	uint32 count;
	SagaConstraint *constraints = saga_constraints_read(PG_GETARG_ARRAYTYPE_P(1), &count);
	SagaReport report;

	saga_view_open(&view, PG_GETARG_VARLENA_PP(0));
	row_set_open(&report.rows, fcinfo);
	report.scratch = AllocSetContextCreate(CurrentMemoryContext, "distributed saga report",
										   ALLOCSET_DEFAULT_SIZES);
	report_conflicts(&report, &view);
	for (uint32 i = 0; i < count; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(report.scratch);
		SagaCase saga;

		saga_case_open(&saga, &view, &constraints[i]);
		report_case(&report, &saga, &view);
		MemoryContextSwitchTo(old);
		MemoryContextReset(report.scratch);
	}
	MemoryContextDelete(report.scratch);
	return (Datum) 0;
}

/*
 * Summary
 */

static const char *const progress_labels[] = {
	[SAGA_OPEN] = "open",       [SAGA_COMMITTED] = "committed",
	[SAGA_ABORTED] = "aborted", [SAGA_CONTRADICTED] = "conflict",
	[SAGA_UNSEEN] = "phantom",
};

/* The key of an object's next member. */
static void
append_key(StringInfo buf, SagaName name, bool *first)
{
	if (!*first)
		appendStringInfoChar(buf, ',');
	*first = false;
	json_tree_append_string(buf, name.bytes, (int) name.length);
	appendStringInfoChar(buf, ':');
}

/*
 * What a witness still has to see, as the member of an object; nothing if it
 * has seen all.
 */
static void
append_witness(StringInfo buf, const SagaCase *saga, SagaName node, bool *first)
{
	bool complete = true;

	for (uint32 i = 0; i < saga->constraint->nobligations; i++)
	{
		const SagaObligation *obligation = &saga->obligations[i];
		uint8 due = saga_is_terminal(obligation->merged) ? obligation->merged : saga->outcome;

		if (due != OBLIGATION_UNKNOWN && obligation->reported && obligation->state == due)
			continue;
		if (complete)
		{
			append_key(buf, node, first);
			appendStringInfoChar(buf, '{');
		}
		append_key(buf, obligation->name, &complete);
		if (due == OBLIGATION_UNKNOWN)
			appendStringInfoString(buf, "null");
		else
			appendStringInfo(buf, "\"%s\"", lattice_state_lattice.labels[due]);
	}
	if (!complete)
		appendStringInfoChar(buf, '}');
}

/* Which witness lacks what. */
static Datum
missing_reports(SagaCase *saga, const SagaView *view, SagaProgress progress)
{
	StringInfoData buf;
	uint32 node;
	bool first = true;

	initStringInfo(&buf);
	appendStringInfoChar(&buf, '{');
	if (progress == SAGA_OPEN || progress == SAGA_UNSEEN)
	{
		saga_case_rewind(saga);
		while (saga_case_next_witness(saga, view, &node))
			append_witness(&buf, saga, view->nodes[node], &first);
	}
	appendStringInfoChar(&buf, '}');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(buf.data));
}

PG_FUNCTION_INFO_V1(saga_summary);
Datum
saga_summary(PG_FUNCTION_ARGS)
{
	SagaView view;
	uint32 count;
	SagaConstraint *constraints = saga_constraints_read(PG_GETARG_ARRAYTYPE_P(1), &count);
	RowSet rows;
	MemoryContext scratch;

	saga_view_open(&view, PG_GETARG_VARLENA_PP(0));
	row_set_open(&rows, fcinfo);
	scratch = AllocSetContextCreate(CurrentMemoryContext, "distributed saga summary",
									ALLOCSET_DEFAULT_SIZES);
	for (uint32 i = 0; i < count; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(scratch);
		SagaCase saga;
		SagaProgress progress;
		Datum values[4];
		bool nulls[4] = {false, false, false, false};

		saga_case_open(&saga, &view, &constraints[i]);
		progress = saga_case_progress(&saga, &view);
		values[0] = name_datum(saga.constraint->name);
		values[1] = CStringGetTextDatum(saga_kind_label(saga.constraint->kind));
		values[2] = CStringGetTextDatum(progress_labels[progress]);
		values[3] = missing_reports(&saga, &view, progress);
		row_set_add(&rows, values, nulls);
		MemoryContextSwitchTo(old);
		MemoryContextReset(scratch);
	}
	MemoryContextDelete(scratch);
	return (Datum) 0;
}
