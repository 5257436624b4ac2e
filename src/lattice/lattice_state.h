/*
 * lattice_state.h
 *		States of an obligation.
 */
#ifndef DISTRIBUTED_LATTICE_STATE_H
#define DISTRIBUTED_LATTICE_STATE_H

#include "postgres.h"

#include "core/finite_lattice.h"

typedef enum ObligationState
{
	OBLIGATION_UNKNOWN,
	OBLIGATION_RESERVED,
	OBLIGATION_COMMITTED,
	OBLIGATION_ABORTED,
	OBLIGATION_CONFLICT
} ObligationState;

extern FiniteLattice lattice_state_lattice;

#endif /* DISTRIBUTED_LATTICE_STATE_H */
