/*
 * batch_state.h
 *		The working state of lattices whose values are joined many at a time.
 */
#ifndef DISTRIBUTED_BATCH_STATE_H
#define DISTRIBUTED_BATCH_STATE_H

#include "postgres.h"

#include "core/lattice.h"

/*
 * The join of at least two values, as a new one; nothing else of any size may
 * be left behind in the current memory context.
 */
typedef struct varlena *(*BatchJoin)(const struct varlena *const *values, uint32 count);

typedef struct BatchLattice
{
	LatticeType base;
	BatchJoin join;
} BatchLattice;

extern void batch_state_load(MergeState *state, const struct varlena *flat);
extern void batch_state_absorb(MergeState *state, const struct varlena *flat);
extern Size batch_state_flat_size(MergeState *state);
extern void batch_state_flatten(MergeState *state, struct varlena *flat, Size size);
extern struct varlena *batch_state_combine(const LatticeType *type, const struct varlena *a,
										   const struct varlena *b);

typedef struct BatchState
{
	MergeState base;

	struct varlena *joined; /* of what came before the batch */
	MemoryContext home;     /* where that is, or NULL: with the state itself */

	/* Values that wait to be joined, one behind the other in "bytes". */
	char *bytes;
	Size bytes_used;
	Size bytes_size;
	Size *offsets;
	uint32 waiting;
	uint32 max_waiting;
} BatchState;

#define BATCH_LATTICE(shown_name, join_function) \
	{ \
		.base = \
			{ \
				.name = shown_name, \
				.state_size = sizeof(BatchState), \
				.load = batch_state_load, \
				.absorb = batch_state_absorb, \
				.flat_size = batch_state_flat_size, \
				.flatten = batch_state_flatten, \
				.combine = batch_state_combine, \
			}, \
		.join = join_function, \
	}

#endif /* DISTRIBUTED_BATCH_STATE_H */
