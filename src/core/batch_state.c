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

/*
 * How many times the accumulator's bytes may wait, up to that many bytes; once
 * the accumulator is larger, as many as it has.
 */
#define BATCH_FACTOR 4
#define BATCH_LARGE  (64 * 1024 * 1024)

/* A value that is at least this part of the accumulator does not wait. */
#define BATCH_PART 4

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

/* The join of what waits and the accumulator. */
static struct varlena *
join_waiting(BatchState *state)
{
	BatchJoin join = batch_join(state);
	const struct varlena **values;
	struct varlena *waited = NULL;
	struct varlena *result;
	uint32 count = 0;

	values = MemoryContextAllocHuge(CurrentMemoryContext,
									sizeof(*values) * ((Size) state->waiting + 1));
	for (uint32 i = 0; i < state->waiting; i++)
		values[count++] = (const struct varlena *) (state->bytes + state->offsets[i]);
	/* to sort a large accumulator once more would be a waste */
	if (count > 1 && VARSIZE(state->joined) > state->bytes_used / 2)
	{
		values[0] = waited = join(values, count);
		count = 1;
	}
	values[count++] = state->joined;
	result = join(values, count);
	if (waited)
		pfree(waited);
	pfree(values);
	return result;
}

/*
 * Join what waits.  The accumulator is all that is left in a memory context of
 * its own, and all that was there before goes at once; so this may be called
 * where memory can be had but not given back.
 */
static void
batch_settle(BatchState *state)
{
	struct varlena *before = state->joined;
	MemoryContext home;
	MemoryContext old;

	if (state->waiting == 0)
		return;
	home = AllocSetContextCreate(state->base.eoh.eoh_context, "distributed merge accumulator",
								 ALLOCSET_START_SMALL_SIZES);
	old = MemoryContextSwitchTo(home);
	state->joined = join_waiting(state);
	MemoryContextSwitchTo(old);
	if (state->home)
		MemoryContextDelete(state->home);
	else
		pfree(before);
	state->home = home;
	state->waiting = 0;
	state->bytes_used = 0;
}

static inline Size
batch_limit(const BatchState *state)
{
	Size joined = VARSIZE(state->joined);

	return Max(Max(joined, BATCH_MIN), Min(BATCH_FACTOR * joined, BATCH_LARGE));
}

void
batch_state_load(MergeState *base, const struct varlena *flat)
{
	BatchState *state = (BatchState *) base;
	Size size = VARSIZE_ANY_EXHDR(flat);

	/* whatever its header was */
	state->joined = MemoryContextAlloc(base->eoh.eoh_context, VARHDRSZ + size);
	SET_VARSIZE(state->joined, VARHDRSZ + size);
	memcpy(VARDATA(state->joined), VARDATA_ANY(flat), size);
}

void
batch_state_absorb(MergeState *base, const struct varlena *flat)
{
	BatchState *state = (BatchState *) base;
	Size size = VARSIZE_ANY(flat);

	/* replicas that agree are the usual case */
	if (state->waiting == 0 && VARSIZE_ANY_EXHDR(flat) == VARSIZE_ANY_EXHDR(state->joined) &&
		memcmp(VARDATA_ANY(flat), VARDATA_ANY(state->joined), VARSIZE_ANY_EXHDR(flat)) == 0)
		return;
	if (state->waiting > 0 && state->bytes_used + size > batch_limit(state))
		batch_settle(state);
	batch_grow(state, size + MAXIMUM_ALIGNOF);
	memcpy(state->bytes + state->bytes_used, flat, size);
	state->offsets[state->waiting++] = state->bytes_used;
	state->bytes_used += MAXALIGN(size);

	/* nothing is won by sorting few large values: each is joined in one walk */
	if (size > BATCH_MIN && size >= VARSIZE(state->joined) / BATCH_PART)
		batch_settle(state);
}

Size
batch_state_flat_size(MergeState *base)
{
	BatchState *state = (BatchState *) base;

	batch_settle(state);
	return VARSIZE(state->joined);
}

void
batch_state_flatten(MergeState *base, struct varlena *flat, Size size)
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
