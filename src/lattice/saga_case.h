/*
 * saga_case.h
 *		A constraint laid on what is known of its obligations.
 */
#ifndef DISTRIBUTED_SAGA_CASE_H
#define DISTRIBUTED_SAGA_CASE_H

#include "postgres.h"

#include "lattice/obligation_lattice.h"
#include "lattice/saga_constraint.h"

/* How many entries of a witness were counted, and at which turn. */
typedef struct WitnessTally
{
	uint32 turn;
	uint32 count;
} WitnessTally;

/* A lattice that constraints are laid on. */
typedef struct SagaView
{
	EntryTable reports;
	SagaName *nodes; /* by index, so that none is searched for */
	WitnessTally *tally;
	uint32 turn;
} SagaView;

typedef struct SagaObligation
{
	SagaName name;
	uint8 merged; /* unknown if nobody reported */

	/* its entries in the lattice, one for each witness */
	uint32 from;
	uint32 to;

	/* a walk along the witnesses: what the present one said, and the entry behind */
	bool reported;
	uint8 state;
	uint32 next;
} SagaObligation;

/* What check_sagas finds. */
typedef enum SagaFinding
{
	SAGA_FINE,
	SAGA_PHANTOM,
	SAGA_VIOLATION
} SagaFinding;

/* How far a saga has come, which saga_summary tells. */
typedef enum SagaProgress
{
	SAGA_OPEN,
	SAGA_COMMITTED,
	SAGA_ABORTED,
	SAGA_CONTRADICTED,
	SAGA_UNSEEN /* decided, and nobody saw it whole */
} SagaProgress;

typedef struct SagaCase
{
	const SagaConstraint *constraint;
	SagaObligation *obligations; /* of the constraint, in its order */
	SagaFinding finding;
	uint8 outcome; /* of all or nothing: the first terminal state, or unknown */
} SagaCase;

/* The state that an entry of the lattice reports. */
static inline uint8
saga_view_state(const SagaView *view, uint32 entry)
{
	Entry report = {.time = packed_get(&view->reports.columns[ENTRY_TIME], entry)};

	return obligation_reported(&report);
}

/* The witness whose entry it is. */
static inline uint32
saga_view_node(const SagaView *view, uint32 entry)
{
	return (uint32) packed_get(&view->reports.columns[ENTRY_NODE], entry);
}

static inline bool
saga_is_terminal(uint8 state)
{
	return finite_lattice_is_terminal(&lattice_state_lattice, state);
}

extern void saga_view_open(SagaView *view, const struct varlena *lattice);
extern void saga_case_open(SagaCase *saga, SagaView *view, const SagaConstraint *constraint);
extern SagaProgress saga_case_progress(const SagaCase *saga, SagaView *view);
extern uint32 saga_case_count_witnesses(const SagaCase *saga, SagaView *view);
extern void saga_case_rewind(SagaCase *saga);
extern bool saga_case_next_witness(SagaCase *saga, const SagaView *view, uint32 *node);

#endif /* DISTRIBUTED_SAGA_CASE_H */
