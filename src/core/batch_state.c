/*
 * batch_state.c
 *		The working state of lattices whose values are joined many at a time.
 *
 * An aggregate over n states must not copy its accumulator n times.  Values
 * that arrive are therefore only copied.  Once they take several times the
 * room of the accumulator, they are joined with one another, which sorts, and
 * the outcome with the accumulator, which is one walk along both.  So every
 * value is sorted once and the accumulator copied a few times in all: S bytes
 * take S log S.  However often values repeat, memory stays within a small
 * multiple of the result and of the largest value.
 */
#include "core/compat.h"

#include "core/batch_state.h"
#include "utils/memutils.h"

/* Bytes that may wait however small the accumulator is. */
#define BATCH_MIN 32768

/* How many times the accumulator's bytes may wait. */
#define BATCH_FACTOR 4

static inline BatchJoin
batch_join(const BatchState *state)
{
	return ((const BatchLattice *) state->base.type)->join;
}

static void
batch_grow(BatchState *state, Size size)
{
	MemoryContext context = state->base.eoh.eoh_context;

	if (state->bytes == NULL)
	{
		state->max_waiting = 4;
		state->bytes_size = Max(size, 256);
		state->offsets = MemoryContextAlloc(context, sizeof(Size) * state->max_waiting);
		state->bytes = MemoryContextAllocHuge(context, state->bytes_size);
	}
	if (state->waiting == state->max_waiting)
	{
		state->max_waiting *= 2;
		state->offsets = repalloc_huge(state->offsets, sizeof(Size) * (Size) state->max_waiting);
	}
	if (state->bytes_used + size > state->bytes_size)
	{
		state->bytes_size = Max(state->bytes_size * 2, state->bytes_used + size);
		state->bytes = repalloc_huge(state->bytes, state->bytes_size);
	}
}

/*
 * Join what waits.  All that the join allocates goes at once; this may be
 * called where memory can be had but not given back.
 */
static void
batch_settle(BatchState *state)
{
	MemoryContext context = state->base.eoh.eoh_context;
	MemoryContext work;
	MemoryContext old;
	const struct varlena **values;
	const struct varlena *pair[2];
	struct varlena *result;
	struct varlena *joined;

	if (state->waiting == 0)
		return;
	work = AllocSetContextCreate(context, "distributed merge work", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(work);
	values = MemoryContextAllocHuge(work, sizeof(*values) * (Size) state->waiting);
	for (uint32 i = 0; i < state->waiting; i++)
		values[i] = (const struct varlena *) (state->bytes + state->offsets[i]);
	pair[0] = state->joined;
	pair[1] = state->waiting > 1 ? batch_join(state)(values, state->waiting) : values[0];
	result = batch_join(state)(pair, 2);
	joined = MemoryContextAlloc(context, VARSIZE(result));
	memcpy(joined, result, VARSIZE(result));
	MemoryContextSwitchTo(old);
	MemoryContextDelete(work);

	pfree(state->joined);
	state->joined = joined;
	state->waiting = 0;
	state->bytes_used = 0;
}

void
batch_state_load(LatticeState *base, const struct varlena *flat)
{
	BatchState *state = (BatchState *) base;
	Size size = VARSIZE_ANY_EXHDR(flat);

	/* whatever its header was */
	state->joined = MemoryContextAlloc(base->eoh.eoh_context, VARHDRSZ + size);
	SET_VARSIZE(state->joined, VARHDRSZ + size);
	memcpy(VARDATA(state->joined), VARDATA_ANY(flat), size);
}

void
batch_state_absorb(LatticeState *base, const struct varlena *flat)
{
	BatchState *state = (BatchState *) base;
	Size size = VARSIZE_ANY(flat);

	/* replicas that agree are the usual case */
	if (state->waiting == 0 && VARSIZE_ANY_EXHDR(flat) == VARSIZE_ANY_EXHDR(state->joined) &&
		memcmp(VARDATA_ANY(flat), VARDATA_ANY(state->joined), VARSIZE_ANY_EXHDR(flat)) == 0)
		return;
	if (state->waiting > 0 &&
		state->bytes_used + size > Max(BATCH_MIN, BATCH_FACTOR * (Size) VARSIZE(state->joined)))
		batch_settle(state);
	batch_grow(state, size + MAXIMUM_ALIGNOF);
	memcpy(state->bytes + state->bytes_used, flat, size);
	state->offsets[state->waiting++] = state->bytes_used;
	state->bytes_used += MAXALIGN(size);
}

Size
batch_state_flat_size(LatticeState *base)
{
	BatchState *state = (BatchState *) base;

	batch_settle(state);
	return VARSIZE(state->joined);
}

void
batch_state_flatten(LatticeState *base, struct varlena *flat, Size size)
{
	memcpy(flat, ((BatchState *) base)->joined, size);
}

struct varlena *
batch_state_combine(const LatticeType *type, const struct varlena *a, const struct varlena *b)
{
	const struct varlena *values[2];

	values[0] = a;
	values[1] = b;
	return ((const BatchLattice *) type)->join(values, 2);
}
