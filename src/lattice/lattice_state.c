/*
 * lattice_state.c
 *		What is known of an obligation, such as a step of a saga.
 *
 *              conflict
 *             /        \
 *      committed   aborted
 *             \        /
 *              reserved
 *                  |
 *               unknown
 *
 * An obligation is reserved, then committed or aborted; the further it has
 * gone, the more is known.  Of two reports the join keeps the one that knows
 * more.  Committed and aborted exclude each other: whoever hears of both knows
 * that something went wrong, and that is the greatest state, so a
 * contradiction is never merged away.
 *
 * Join: the least state that includes both.  Stored: one byte, by value, see
 * core/finite_lattice.c.
 */
#include "core/compat.h"

#include "lattice/lattice_state.h"

static const char *const lattice_state_labels[] = {"unknown", "reserved", "committed", "aborted",
												   "conflict"};

static const StateCover lattice_state_covers[] = {
	{OBLIGATION_UNKNOWN, OBLIGATION_RESERVED}, {OBLIGATION_RESERVED, OBLIGATION_COMMITTED},
	{OBLIGATION_RESERVED, OBLIGATION_ABORTED}, {OBLIGATION_COMMITTED, OBLIGATION_CONFLICT},
	{OBLIGATION_ABORTED, OBLIGATION_CONFLICT},
};

FiniteLattice lattice_state_lattice = {
	.type_name = "lattice_state",
	.hint = "The states are unknown, reserved, committed, aborted and conflict.",
	.labels = lattice_state_labels,
	.nstates = lengthof(lattice_state_labels),
	.covers = lattice_state_covers,
	.ncovers = lengthof(lattice_state_covers),
};

PG_FUNCTION_INFO_V1(lattice_state_in);
Datum
lattice_state_in(PG_FUNCTION_ARGS)
{
	return finite_lattice_in(fcinfo, &lattice_state_lattice);
}

PG_FUNCTION_INFO_V1(lattice_state_out);
Datum
lattice_state_out(PG_FUNCTION_ARGS)
{
	return finite_lattice_out(fcinfo, &lattice_state_lattice);
}

PG_FUNCTION_INFO_V1(lattice_state_recv);
Datum
lattice_state_recv(PG_FUNCTION_ARGS)
{
	return finite_lattice_recv(fcinfo, &lattice_state_lattice);
}

PG_FUNCTION_INFO_V1(lattice_state_send);
Datum
lattice_state_send(PG_FUNCTION_ARGS)
{
	return finite_lattice_send(fcinfo, &lattice_state_lattice);
}

PG_FUNCTION_INFO_V1(lattice_state_merge);
Datum
lattice_state_merge(PG_FUNCTION_ARGS)
{
	return UInt8GetDatum(
		finite_lattice_join(&lattice_state_lattice,
							finite_lattice_argument(fcinfo, 0, &lattice_state_lattice),
							finite_lattice_argument(fcinfo, 1, &lattice_state_lattice)));
}

PG_FUNCTION_INFO_V1(lattice_state_meet);
Datum
lattice_state_meet(PG_FUNCTION_ARGS)
{
	return UInt8GetDatum(
		finite_lattice_meet(&lattice_state_lattice,
							finite_lattice_argument(fcinfo, 0, &lattice_state_lattice),
							finite_lattice_argument(fcinfo, 1, &lattice_state_lattice)));
}

PG_FUNCTION_INFO_V1(lattice_state_contained);
Datum
lattice_state_contained(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(
		finite_lattice_includes(&lattice_state_lattice,
								finite_lattice_argument(fcinfo, 1, &lattice_state_lattice),
								finite_lattice_argument(fcinfo, 0, &lattice_state_lattice)));
}

PG_FUNCTION_INFO_V1(lattice_state_contains);
Datum
lattice_state_contains(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(
		finite_lattice_includes(&lattice_state_lattice,
								finite_lattice_argument(fcinfo, 0, &lattice_state_lattice),
								finite_lattice_argument(fcinfo, 1, &lattice_state_lattice)));
}

PG_FUNCTION_INFO_V1(lattice_state_is_terminal);
Datum
lattice_state_is_terminal(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(
		finite_lattice_is_terminal(&lattice_state_lattice,
								   finite_lattice_argument(fcinfo, 0, &lattice_state_lattice)));
}

PG_FUNCTION_INFO_V1(lattice_state_is_conflict);
Datum
lattice_state_is_conflict(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(
		finite_lattice_is_conflict(&lattice_state_lattice,
								   finite_lattice_argument(fcinfo, 0, &lattice_state_lattice)));
}
