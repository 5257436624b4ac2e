/*
 * saga_case.c
 *		A constraint laid on what is known of its obligations.
 *
 * The lattice is read where it lies.  Whether there is a witness that has seen
 * all of a state is counted in an array over the nodes of the lattice, of
 * which only those are touched that reported on the constraint's obligations:
 * the cost of a constraint is that of finding its obligations and going
 * through their entries, however many nodes there are.
 */
#include "core/compat.h"

#include "lattice/saga_case.h"
#include "miscadmin.h"

void
saga_view_open(SagaView *view, const struct varlena *lattice)
{
	NodeCursor node;
	Size nnodes;

	entry_table_open(&view->reports, lattice);
	nnodes = view->reports.nodes.nnodes;
	view->nodes = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(SagaName) * (nnodes + 1));
	view->tally = MemoryContextAllocExtended(CurrentMemoryContext,
											 sizeof(WitnessTally) * (nnodes + 1),
											 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	view->turn = 0;
	for (node_cursor_open(&node, &view->reports.nodes); !node_cursor_done(&node);
		 node_cursor_next(&node))
	{
		view->nodes[node.index].bytes = node.name;
		view->nodes[node.index].length = node_cursor_length(&node);
	}
}

/* The entries of an obligation, and what they join to. */
static void
saga_obligation_open(SagaObligation *obligation, const SagaView *view, SagaName name)
{
	obligation->name = name;
	obligation->merged = OBLIGATION_UNKNOWN;
	entry_table_find(&view->reports, name.bytes, name.length, &obligation->from, &obligation->to);
	for (uint32 i = obligation->from; i < obligation->to; i++)
		obligation->merged = finite_lattice_join(&lattice_state_lattice, obligation->merged,
												 saga_view_state(view, i));
}

/* Count one more entry of a witness; how many there are of it at this turn. */
static uint32
saga_view_count(SagaView *view, uint32 entry)
{
	WitnessTally *tally = &view->tally[saga_view_node(view, entry)];

	if (tally->turn != view->turn)
	{
		tally->turn = view->turn;
		tally->count = 0;
	}
	return ++tally->count;
}

/* Has one witness reported the merged state of each of the first obligations? */
static bool
saga_case_witnessed(const SagaCase *saga, SagaView *view, uint32 count)
{
	view->turn++;
	for (uint32 i = 0; i < count; i++)
	{
		const SagaObligation *obligation = &saga->obligations[i];

		CHECK_FOR_INTERRUPTS();
		for (uint32 entry = obligation->from; entry < obligation->to; entry++)
		{
			if (saga_view_state(view, entry) == obligation->merged &&
				saga_view_count(view, entry) == count)
				return true;
		}
	}
	return false;
}

static uint32
saga_case_count(const SagaCase *saga, uint8 merged)
{
	uint32 count = 0;

	for (uint32 i = 0; i < saga->constraint->nobligations; i++)
		count += saga->obligations[i].merged == merged;
	return count;
}

static SagaFinding
check_all_or_nothing(SagaCase *saga, SagaView *view)
{
	uint32 count = saga->constraint->nobligations;

	for (uint32 i = 0; i < count; i++)
	{
		uint8 merged = saga->obligations[i].merged;

		if (!saga_is_terminal(merged))
			continue;
		if (saga->outcome != OBLIGATION_UNKNOWN && saga->outcome != merged)
			return SAGA_VIOLATION;
		saga->outcome = merged;
	}
	if (saga->outcome == OBLIGATION_UNKNOWN)
		return SAGA_FINE;

	/* who knows less of an obligation than all together cannot know more */
	if (saga_case_count(saga, saga->outcome) == count && saga_case_witnessed(saga, view, count))
		return SAGA_FINE;
	return SAGA_PHANTOM;
}

void
saga_case_open(SagaCase *saga, SagaView *view, const SagaConstraint *constraint)
{
	uint32 count = constraint->nobligations;
	uint32 committed;

	saga->constraint = constraint;
	saga->obligations = MemoryContextAllocHuge(CurrentMemoryContext,
											   sizeof(SagaObligation) * (Size) count);
	saga->outcome = OBLIGATION_UNKNOWN;
	saga->finding = SAGA_FINE;
	for (uint32 i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		saga_obligation_open(&saga->obligations[i], view, constraint->obligations[i]);
	}

	committed = saga_case_count(saga, OBLIGATION_COMMITTED);
	switch (constraint->kind)
	{
		case SAGA_ALL_OR_NOTHING:
			saga->finding = check_all_or_nothing(saga, view);
			break;
		case SAGA_MUTUAL_EXCLUSION:
			if (committed > 1)
				saga->finding = SAGA_VIOLATION;
			break;
		case SAGA_IMPLIES:
			if (saga->obligations[0].merged == OBLIGATION_COMMITTED && committed < count)
				saga->finding = SAGA_VIOLATION;
			break;
	}
}

SagaProgress
saga_case_progress(const SagaCase *saga, SagaView *view)
{
	uint32 count = saga->constraint->nobligations;
	uint32 deciding = count; /* so many obligations, the first ones, decide */
	bool committed = saga_case_count(saga, OBLIGATION_COMMITTED) > 0;

	if (saga->finding == SAGA_VIOLATION || saga_case_count(saga, OBLIGATION_CONFLICT) > 0)
		return SAGA_CONTRADICTED;
	if (saga->constraint->kind == SAGA_IMPLIES)
	{
		/* without its premise it says nothing of the others; with it, all are committed */
		committed = saga->obligations[0].merged == OBLIGATION_COMMITTED;
		if (!committed)
			deciding = 1;
	}
	for (uint32 i = 0; i < deciding; i++)
	{
		if (!saga_is_terminal(saga->obligations[i].merged))
			return SAGA_OPEN;
	}
	if (!saga_case_witnessed(saga, view, deciding))
		return SAGA_UNSEEN;
	return committed ? SAGA_COMMITTED : SAGA_ABORTED;
}

/* How many nodes have reported on some obligation of the constraint? */
uint32
saga_case_count_witnesses(const SagaCase *saga, SagaView *view)
{
	uint32 witnesses = 0;

	view->turn++;
	for (uint32 i = 0; i < saga->constraint->nobligations; i++)
	{
		const SagaObligation *obligation = &saga->obligations[i];

		CHECK_FOR_INTERRUPTS();
		for (uint32 entry = obligation->from; entry < obligation->to; entry++)
			witnesses += saga_view_count(view, entry) == 1;
	}
	return witnesses;
}

/*
 * A walk along those nodes, in the order of their names, with what each has
 * reported of every obligation.
 */
void
saga_case_rewind(SagaCase *saga)
{
	for (uint32 i = 0; i < saga->constraint->nobligations; i++)
		saga->obligations[i].next = saga->obligations[i].from;
}

bool
saga_case_next_witness(SagaCase *saga, const SagaView *view, uint32 *node)
{
	uint32 least = view->reports.nodes.nnodes;

	CHECK_FOR_INTERRUPTS();
	for (uint32 i = 0; i < saga->constraint->nobligations; i++)
	{
		const SagaObligation *obligation = &saga->obligations[i];

		if (obligation->next < obligation->to)
			least = Min(least, saga_view_node(view, obligation->next));
	}
	for (uint32 i = 0; i < saga->constraint->nobligations; i++)
	{
		SagaObligation *obligation = &saga->obligations[i];

		obligation->reported = obligation->next < obligation->to &&
			saga_view_node(view, obligation->next) == least;
		obligation->state = OBLIGATION_UNKNOWN;
		if (obligation->reported)
			obligation->state = saga_view_state(view, obligation->next++);
	}
	*node = least;
	return least < view->reports.nodes.nnodes;
}
