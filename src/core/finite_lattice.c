/*
 * finite_lattice.c
 *		Lattices of a handful of named states, one byte each.
 *
 * A lattice is given by its covers, the pairs of states of which one lies
 * directly below the other, such as committed below conflict.  All else
 * follows from them and is worked out once per session: which states include
 * which, by transitive closure, and from that the join and the meet of every
 * two, the least of the states that include both and the greatest of those
 * that both include (Davey and Priestley, "Introduction to Lattices and
 * Order", 2002, chapters 1 and 2).  Where one of them does not exist, the
 * covers are not those of a lattice, and that is an error.
 *
 * A state is stored as its number, which is its place in the order for
 * sorting: that extends the lattice's own, so 0 is the least of all states and
 * the last one the greatest.  Binary image, version 1:
 *
 *		int8		version, 1
 *		int8		the state's number
 */
#include "core/compat.h"

#include "core/finite_lattice.h"
#include "core/input.h"
#include "core/wire.h"

#define FINITE_LATTICE_WIRE_VERSION 1

/*
 * The one state of a set that all others in it include ("least"), or else the
 * one that includes all others; above[i] are the states that include state i.
 * Sets have bit i for state i.
 */
static uint8
extreme_state(const FiniteLattice *lattice, const uint8 *above, uint8 set, bool least)
{
	for (uint8 state = 0; state < lattice->nstates; state++)
	{
		bool extreme = (set & (1 << state)) != 0;

		for (uint8 other = 0; extreme && other < lattice->nstates; other++)
		{
			if (set & (1 << other))
				extreme = least ? (above[state] & (1 << other)) != 0
								: (above[other] & (1 << state)) != 0;
		}
		if (extreme)
			return state;
	}
	elog(ERROR, "the covers of type %s are not those of a lattice", lattice->type_name);
	return 0;
}

/* Make the tables from the covers. */
void
finite_lattice_complete(FiniteLattice *lattice)
{
	uint8 above[FINITE_LATTICE_MAX] = {0};
	uint8 below[FINITE_LATTICE_MAX] = {0};

	Assert(lattice->nstates > 0 && lattice->nstates <= FINITE_LATTICE_MAX);
	for (int i = 0; i < lattice->ncovers; i++)
	{
		Assert(lattice->covers[i].lower < lattice->covers[i].upper);
		Assert(lattice->covers[i].upper < lattice->nstates);
	}

	/* The upper state of a cover has the greater number, so going down once closes it. */
	for (int state = lattice->nstates - 1; state >= 0; state--)
	{
		above[state] = 1 << state;
		for (int i = 0; i < lattice->ncovers; i++)
		{
			if (lattice->covers[i].lower == state)
				above[state] |= above[lattice->covers[i].upper];
		}
	}
	for (int a = 0; a < lattice->nstates; a++)
	{
		for (int b = 0; b < lattice->nstates; b++)
		{
			if (above[b] & (1 << a))
				below[a] |= 1 << b;
		}
	}
	/* What includes both has a least state, the join; what both include a greatest, the meet. */
	for (int a = 0; a < lattice->nstates; a++)
	{
		for (int b = 0; b < lattice->nstates; b++)
		{
			lattice->join[a][b] = extreme_state(lattice, above, above[a] & above[b], true);
			lattice->meet[a][b] = extreme_state(lattice, above, below[a] & below[b], false);
		}
	}
	lattice->complete = true;
}

/* Is there nothing beyond a state, except that it may turn out to be contradicted? */
bool
finite_lattice_is_terminal(FiniteLattice *lattice, uint8 state)
{
	uint8 top = finite_lattice_top(lattice);

	for (uint8 other = 0; other < top; other++)
	{
		if (other != state && finite_lattice_includes(lattice, other, state))
			return false;
	}
	return true;
}

/* The state of a label; -1 if there is none. */
int
finite_lattice_find(const FiniteLattice *lattice, const char *label)
{
	for (int state = 0; state < lattice->nstates; state++)
	{
		if (strcmp(label, lattice->labels[state]) == 0)
			return state;
	}
	return -1;
}

/* A state that was stored. */
uint8
finite_lattice_check(const FiniteLattice *lattice, uint8 state)
{
	if (unlikely(state >= lattice->nstates))
		elog(ERROR, "stored %s is %d", lattice->type_name, state);
	return state;
}

uint8
finite_lattice_argument(FunctionCallInfo fcinfo, int number, const FiniteLattice *lattice)
{
	return finite_lattice_check(lattice, DatumGetUInt8(PG_GETARG_DATUM(number)));
}

Datum
finite_lattice_in(FunctionCallInfo fcinfo, const FiniteLattice *lattice)
{
	InputSource source = input_from_text(lattice->type_name, lattice->hint,
										 SOFT_ERROR_CONTEXT(fcinfo));
	const char *label = PG_GETARG_CSTRING(0);
	int state = finite_lattice_find(lattice, label);

	if (state < 0)
	{
		input_malformed(&source, "There is no state \"%s\".", label);
		state = 0;
	}
	return UInt8GetDatum((uint8) state);
}

Datum
finite_lattice_out(FunctionCallInfo fcinfo, const FiniteLattice *lattice)
{
	PG_RETURN_CSTRING(pstrdup(lattice->labels[finite_lattice_argument(fcinfo, 0, lattice)]));
}

Datum
finite_lattice_recv(FunctionCallInfo fcinfo, const FiniteLattice *lattice)
{
	StringInfo msg = (StringInfo) PG_GETARG_POINTER(0);
	InputSource source = input_from_binary(lattice->type_name);
	uint8 state;

	wire_get_version(msg, &source, FINITE_LATTICE_WIRE_VERSION);
	state = wire_get_byte(msg, &source, "the state");
	if (state >= lattice->nstates)
		input_malformed(&source, "There is no state number %d.", state);
	wire_end(msg, &source);
	return UInt8GetDatum(state);
}

Datum
finite_lattice_send(FunctionCallInfo fcinfo, const FiniteLattice *lattice)
{
	StringInfoData buf;

	wire_begin(&buf, FINITE_LATTICE_WIRE_VERSION);
	pq_sendbyte(&buf, finite_lattice_argument(fcinfo, 0, lattice));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}
