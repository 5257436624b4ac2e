/*
 * lease_state.c
 *		What is known of a lease.
 *
 *              conflict
 *             /        \
 *       released   expired
 *             \        /
 *               active
 *                  |
 *               unknown
 *
 * A lease is active until its holder gives it back or its time is over.  A
 * lease of which one replica says that it was released, another that it
 * expired, is one of which nobody knows who had the right to what it protects:
 * that is the greatest state, a conflict.
 *
 * Join: the least state that includes both.  Stored: one byte, by value, see
 * core/finite_lattice.c.
 */
#include "core/compat.h"

#include "core/finite_lattice.h"

typedef enum LeaseState
{
	LEASE_UNKNOWN,
	LEASE_ACTIVE,
	LEASE_RELEASED,
	LEASE_EXPIRED,
	LEASE_CONFLICT
} LeaseState;

static const char *const lease_state_labels[] = {"unknown", "active", "released", "expired",
												 "conflict"};

static const StateCover lease_state_covers[] = {
	{LEASE_UNKNOWN, LEASE_ACTIVE},   {LEASE_ACTIVE, LEASE_RELEASED},
	{LEASE_ACTIVE, LEASE_EXPIRED},   {LEASE_RELEASED, LEASE_CONFLICT},
	{LEASE_EXPIRED, LEASE_CONFLICT},
};

static FiniteLattice lease_state_lattice = {
	.type_name = "lease_state",
	.hint = "The states are unknown, active, released, expired and conflict.",
	.labels = lease_state_labels,
	.nstates = lengthof(lease_state_labels),
	.covers = lease_state_covers,
	.ncovers = lengthof(lease_state_covers),
};

PG_FUNCTION_INFO_V1(lease_state_in);
Datum
lease_state_in(PG_FUNCTION_ARGS)
{
	return finite_lattice_in(fcinfo, &lease_state_lattice);
}

PG_FUNCTION_INFO_V1(lease_state_out);
Datum
lease_state_out(PG_FUNCTION_ARGS)
{
	return finite_lattice_out(fcinfo, &lease_state_lattice);
}

PG_FUNCTION_INFO_V1(lease_state_recv);
Datum
lease_state_recv(PG_FUNCTION_ARGS)
{
	return finite_lattice_recv(fcinfo, &lease_state_lattice);
}

PG_FUNCTION_INFO_V1(lease_state_send);
Datum
lease_state_send(PG_FUNCTION_ARGS)
{
	return finite_lattice_send(fcinfo, &lease_state_lattice);
}

PG_FUNCTION_INFO_V1(lease_state_merge);
Datum
lease_state_merge(PG_FUNCTION_ARGS)
{
	return UInt8GetDatum(
		finite_lattice_join(&lease_state_lattice,
							finite_lattice_argument(fcinfo, 0, &lease_state_lattice),
							finite_lattice_argument(fcinfo, 1, &lease_state_lattice)));
}

PG_FUNCTION_INFO_V1(lease_state_meet);
Datum
lease_state_meet(PG_FUNCTION_ARGS)
{
	return UInt8GetDatum(
		finite_lattice_meet(&lease_state_lattice,
							finite_lattice_argument(fcinfo, 0, &lease_state_lattice),
							finite_lattice_argument(fcinfo, 1, &lease_state_lattice)));
}

PG_FUNCTION_INFO_V1(lease_state_contained);
Datum
lease_state_contained(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(
		finite_lattice_includes(&lease_state_lattice,
								finite_lattice_argument(fcinfo, 1, &lease_state_lattice),
								finite_lattice_argument(fcinfo, 0, &lease_state_lattice)));
}

PG_FUNCTION_INFO_V1(lease_state_contains);
Datum
lease_state_contains(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(
		finite_lattice_includes(&lease_state_lattice,
								finite_lattice_argument(fcinfo, 0, &lease_state_lattice),
								finite_lattice_argument(fcinfo, 1, &lease_state_lattice)));
}

PG_FUNCTION_INFO_V1(lease_state_is_terminal);
Datum
lease_state_is_terminal(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(
		finite_lattice_is_terminal(&lease_state_lattice,
								   finite_lattice_argument(fcinfo, 0, &lease_state_lattice)));
}

PG_FUNCTION_INFO_V1(lease_state_is_conflict);
Datum
lease_state_is_conflict(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(
		finite_lattice_is_conflict(&lease_state_lattice,
								   finite_lattice_argument(fcinfo, 0, &lease_state_lattice)));
}
