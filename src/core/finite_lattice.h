/*
 * finite_lattice.h
 *		Lattices of a handful of named states, one byte each.
 */
#ifndef DISTRIBUTED_FINITE_LATTICE_H
#define DISTRIBUTED_FINITE_LATTICE_H

#include "postgres.h"

#include "fmgr.h"

#define FINITE_LATTICE_MAX 8 /* the bits of a uint8, in which sets of states are kept */

/* One state directly below another. */
typedef struct StateCover
{
	uint8 lower;
	uint8 upper;
} StateCover;

/*
 * A type gives its states and which covers which; the tables are made of that
 * when they are first asked for.
 */
typedef struct FiniteLattice
{
	const char *type_name;
	const char *hint; /* which states there are */

	/* In the order for sorting, an extension of the lattice's own. */
	const char *const *labels;
	uint8 nstates;

	const StateCover *covers;
	uint8 ncovers;

	bool complete;
	uint8 join[FINITE_LATTICE_MAX][FINITE_LATTICE_MAX];
	uint8 meet[FINITE_LATTICE_MAX][FINITE_LATTICE_MAX];
} FiniteLattice;

extern void finite_lattice_complete(FiniteLattice *lattice);
extern int finite_lattice_find(const FiniteLattice *lattice, const char *label);
extern uint8 finite_lattice_check(const FiniteLattice *lattice, uint8 state);

/* The least of all states is 0; the greatest, in which they contradict each other: */
static inline uint8
finite_lattice_top(const FiniteLattice *lattice)
{
	return lattice->nstates - 1;
}

/* The least state that includes both. */
static inline uint8
finite_lattice_join(FiniteLattice *lattice, uint8 a, uint8 b)
{
	if (unlikely(!lattice->complete))
		finite_lattice_complete(lattice);
	return lattice->join[a][b];
}

/* The greatest state that both include. */
static inline uint8
finite_lattice_meet(FiniteLattice *lattice, uint8 a, uint8 b)
{
	if (unlikely(!lattice->complete))
		finite_lattice_complete(lattice);
	return lattice->meet[a][b];
}

/* Does b already include a? */
static inline bool
finite_lattice_includes(FiniteLattice *lattice, uint8 b, uint8 a)
{
	return finite_lattice_join(lattice, a, b) == b;
}

static inline bool
finite_lattice_is_conflict(const FiniteLattice *lattice, uint8 state)
{
	return state == finite_lattice_top(lattice);
}

extern bool finite_lattice_is_terminal(FiniteLattice *lattice, uint8 state);

/* SQL functions of a type, which is passed by value */
extern uint8 finite_lattice_argument(FunctionCallInfo fcinfo, int number,
									 const FiniteLattice *lattice);
extern Datum finite_lattice_in(FunctionCallInfo fcinfo, const FiniteLattice *lattice);
extern Datum finite_lattice_out(FunctionCallInfo fcinfo, const FiniteLattice *lattice);
extern Datum finite_lattice_recv(FunctionCallInfo fcinfo, const FiniteLattice *lattice);
extern Datum finite_lattice_send(FunctionCallInfo fcinfo, const FiniteLattice *lattice);

#endif /* DISTRIBUTED_FINITE_LATTICE_H */
