/*
 * obligation_lattice.h
 *		Obligations, and what their witnesses have reported.
 */
#ifndef DISTRIBUTED_OBLIGATION_LATTICE_H
#define DISTRIBUTED_OBLIGATION_LATTICE_H

#include "postgres.h"

#include "core/entry_kernel.h"
#include "core/entry_map.h"
#include "lattice/lattice_state.h"

extern const EntryRule obligation_rule;

/* An obligation in a value: its reports are entries from .. to - 1. */
typedef struct Obligation
{
	const char *name;
	uint32 length;
	uint32 from;
	uint32 to;
	uint8 state; /* the join of the reports */
} Obligation;

extern bool obligation_next(EntryCursor *cursor, Obligation *obligation);
extern bool obligation_check_name(const InputSource *source, Size length);

/* The state that the witness of an entry reported. */
static inline uint8
obligation_reported(const Entry *entry)
{
	return finite_lattice_check(&lattice_state_lattice, (uint8) entry->time);
}

#endif /* DISTRIBUTED_OBLIGATION_LATTICE_H */
