/*
 * saga_explain.c
 *		What is wrong with a saga, in words.
 *
 * For whoever is woken by it: which constraint, which obligations, and who
 * said what.  Names are quoted as JSON strings, for they may be anything.  A
 * list names only its first few items and says how many there are besides, so
 * a sentence stays a sentence however large the saga is.
 */
#include "core/compat.h"

#include "core/json_tree.h"
#include "lattice/saga_explain.h"

/* A list names no more than this. */
#define LIST_MAX 3

static const char *
state_label(uint8 state)
{
	return lattice_state_lattice.labels[state];
}

/* As in "is committed". */
static const char *
state_phrase(uint8 state)
{
	return state == OBLIGATION_CONFLICT ? "in conflict" : state_label(state);
}

static void
append_name(StringInfo buf, SagaName name)
{
	json_tree_append_string(buf, name.bytes, (int) name.length);
}

/* The beginning of a list's next item; false if the list is long enough. */
static bool
append_item(StringInfo buf, uint32 *items)
{
	if ((*items)++ >= LIST_MAX)
		return false;
	if (*items > 1)
		appendStringInfoString(buf, ", ");
	return true;
}

/* The end of a list that had so many items. */
static void
append_rest(StringInfo buf, uint32 items)
{
	if (items > LIST_MAX)
		appendStringInfo(buf, " and %u more", items - LIST_MAX);
}

/* The witnesses that reported one state. */
static void
append_reporters(StringInfo buf, const SagaView *view, const SagaObligation *obligation,
				 uint8 state)
{
	uint32 items = 0;

	for (uint32 i = obligation->from; i < obligation->to; i++)
	{
		if (saga_view_state(view, i) == state && append_item(buf, &items))
			append_name(buf, view->nodes[saga_view_node(view, i)]);
	}
	append_rest(buf, items);
}

static bool
is_reported(const SagaView *view, const SagaObligation *obligation, uint8 state)
{
	for (uint32 i = obligation->from; i < obligation->to; i++)
	{
		if (saga_view_state(view, i) == state)
			return true;
	}
	return false;
}

/* A settled obligation and who says so: "ship" is aborted (by "b") */
static void
append_settled(StringInfo buf, const SagaView *view, const SagaObligation *obligation)
{
	append_name(buf, obligation->name);
	appendStringInfo(buf, " is %s (", state_phrase(obligation->merged));
	if (obligation->merged == OBLIGATION_CONFLICT)
	{
		const char *separator = "";

		/* a conflict that nobody reported is one between those who did not agree */
		for (uint8 state = OBLIGATION_COMMITTED; state <= OBLIGATION_CONFLICT; state++)
		{
			if (!is_reported(view, obligation, state))
				continue;
			appendStringInfo(buf, "%s%s by ", separator, state_label(state));
			append_reporters(buf, view, obligation, state);
			separator = "; ";
		}
	}
	else
	{
		appendStringInfoString(buf, "by ");
		append_reporters(buf, view, obligation, obligation->merged);
	}
	appendStringInfoChar(buf, ')');
}

static uint32
count_merged(const SagaCase *saga, uint8 state)
{
	uint32 count = 0;

	for (uint32 i = 0; i < saga->constraint->nobligations; i++)
		count += saga->obligations[i].merged == state;
	return count;
}

/* All obligations that are settled in one state. */
static void
append_all_settled(StringInfo buf, const SagaCase *saga, const SagaView *view, uint8 state)
{
	uint32 items = 0;

	for (uint32 i = 0; i < saga->constraint->nobligations; i++)
	{
		const SagaObligation *obligation = &saga->obligations[i];

		if (obligation->merged == state && append_item(buf, &items))
			append_settled(buf, view, obligation);
	}
	append_rest(buf, items);
	if (items > LIST_MAX)
		appendStringInfo(buf, " %s %s", items == LIST_MAX + 1 ? "is" : "are", state_phrase(state));
}

/* Those that have another, each with it: "pay" (reserved), "ship" (unknown) */
static void
append_others(StringInfo buf, const SagaCase *saga, uint8 state)
{
	uint32 items = 0;

	for (uint32 i = 0; i < saga->constraint->nobligations; i++)
	{
		const SagaObligation *obligation = &saga->obligations[i];

		if (obligation->merged == state || !append_item(buf, &items))
			continue;
		append_name(buf, obligation->name);
		appendStringInfo(buf, " (%s)", state_label(obligation->merged));
	}
	append_rest(buf, items);
	appendStringInfoString(buf, items == 1 ? " is" : " are");
}

/* What a witness has not reported of a state that all obligations have. */
static void
append_missing(StringInfo buf, const SagaCase *saga)
{
	uint32 items = 0;

	for (uint32 i = 0; i < saga->constraint->nobligations; i++)
	{
		const SagaObligation *obligation = &saga->obligations[i];

		if (obligation->state == obligation->merged || !append_item(buf, &items))
			continue;
		append_name(buf, obligation->name);
		appendStringInfo(buf, " %s", state_label(obligation->merged));
		if (obligation->reported)
			appendStringInfo(buf, " (it reported %s)", state_label(obligation->state));
	}
	append_rest(buf, items);
}

static void
explain_phantom(StringInfo buf, SagaCase *saga, SagaView *view)
{
	uint32 witnesses = saga_case_count_witnesses(saga, view);
	uint32 named = 0;
	uint32 node;

	if (saga->outcome == OBLIGATION_CONFLICT)
	{
		append_all_settled(buf, saga, view, saga->outcome);
		appendStringInfoString(buf,
							   ", which no node has reported of every obligation: it exists in "
							   "the merge");
		return;
	}
	if (count_merged(saga, saga->outcome) < saga->constraint->nobligations)
	{
		append_all_settled(buf, saga, view, saga->outcome);
		appendStringInfoString(buf, ", but ");
		append_others(buf, saga, saga->outcome);
		appendStringInfo(buf, " not settled so far, so no node has reported all of them %s",
						 state_label(saga->outcome));
		return;
	}
	appendStringInfo(buf,
					 "every obligation is %s in the merge, but no node has reported all of them: ",
					 state_label(saga->outcome));
	saga_case_rewind(saga);
	while (named < LIST_MAX && saga_case_next_witness(saga, view, &node))
	{
		if (named++ > 0)
			appendStringInfoString(buf, "; ");
		append_name(buf, view->nodes[node]);
		appendStringInfoString(buf, " has not reported ");
		append_missing(buf, saga);
	}
	if (witnesses > named)
		appendStringInfo(buf, "; nor %s %u more", witnesses == named + 1 ? "has" : "have",
						 witnesses - named);
}

static void
explain_violation(StringInfo buf, const SagaCase *saga, const SagaView *view)
{
	switch (saga->constraint->kind)
	{
		case SAGA_ALL_OR_NOTHING:
		{
			const char *separator = "all or nothing, but ";

			for (uint8 state = OBLIGATION_COMMITTED; state <= OBLIGATION_CONFLICT; state++)
			{
				if (count_merged(saga, state) == 0)
					continue;
				appendStringInfoString(buf, separator);
				append_all_settled(buf, saga, view, state);
				separator = " and ";
			}
			break;
		}
		case SAGA_MUTUAL_EXCLUSION:
			appendStringInfoString(buf, "at most one may be committed, but ");
			append_all_settled(buf, saga, view, OBLIGATION_COMMITTED);
			break;
		case SAGA_IMPLIES:
			append_settled(buf, view, &saga->obligations[0]);
			appendStringInfoString(buf, " and implies all the others, but ");
			append_others(buf, saga, OBLIGATION_COMMITTED);
			appendStringInfoString(buf, " not committed");
			break;
	}
}

/* What was found under a constraint. */
void
saga_explain_case(StringInfo buf, SagaCase *saga, SagaView *view)
{
	appendStringInfoString(buf, "constraint ");
	append_name(buf, saga->constraint->name);
	appendStringInfoString(buf, ": ");
	if (saga->finding == SAGA_PHANTOM)
		explain_phantom(buf, saga, view);
	else
		explain_violation(buf, saga, view);
}

/* Two witnesses that do not agree, by their entries. */
void
saga_explain_conflict(StringInfo buf, const SagaView *view, SagaName obligation, uint32 entry_a,
					  uint32 entry_b)
{
	appendStringInfoString(buf, "obligation ");
	append_name(buf, obligation);
	appendStringInfoString(buf, ": node ");
	append_name(buf, view->nodes[saga_view_node(view, entry_a)]);
	appendStringInfo(buf, " reported %s, node ", state_label(saga_view_state(view, entry_a)));
	append_name(buf, view->nodes[saga_view_node(view, entry_b)]);
	appendStringInfo(buf, " reported %s", state_label(saga_view_state(view, entry_b)));
}

/* A witness that does not agree with itself. */
void
saga_explain_contradiction(StringInfo buf, const SagaView *view, SagaName obligation, uint32 entry)
{
	appendStringInfoString(buf, "obligation ");
	append_name(buf, obligation);
	appendStringInfoString(buf, ": node ");
	append_name(buf, view->nodes[saga_view_node(view, entry)]);
	appendStringInfoString(buf, ", the only witness, reported states that join to conflict");
}
