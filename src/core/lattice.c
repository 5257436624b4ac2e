/*
 * lattice.c
 *		One function per type that is its merge, its "|" and the transition of
 *		its aggregate.
 *
 * merge(a, b) is called in two ways.  As a function or operator it returns a
 * new flat value.  As an aggregate's transition or combine function its first
 * argument is the state, which becomes an expanded object in the aggregate's
 * memory and absorbs each value in place: the executor passes such an object
 * along by reference, so a row costs no copy and no allocation.  The state
 * type is the type itself, so partial states are plain values that any worker,
 * partition or shard can hand over.
 *
 * The object is modified in place only inside an aggregate: there the executor
 * owns it, while elsewhere a read-write reference does not tell who else still
 * needs the value.
 */
#include "core/compat.h"

#include "access/detoast.h"
#include "common/hashfn.h"
#include "core/lattice.h"
#include "utils/memutils.h"

static Size
merge_state_flat_size(ExpandedObjectHeader *eoh)
{
	MergeState *state = (MergeState *) eoh;

	return state->type->flat_size(state);
}

static void
merge_state_flatten(ExpandedObjectHeader *eoh, void *result, Size allocated_size)
{
	MergeState *state = (MergeState *) eoh;

	state->type->flatten(state, (struct varlena *) result, allocated_size);
}

static const ExpandedObjectMethods merge_state_methods = {merge_state_flat_size,
														  merge_state_flatten};

/* A state that is still to be loaded. */
MergeState *
merge_state_create(const LatticeType *type, MemoryContext parent)
{
	MemoryContext context;
	MergeState *state;

	context = AllocSetContextCreate(parent, "distributed merge state", ALLOCSET_START_SMALL_SIZES);
	MemoryContextSetIdentifier(context, type->name);
	state = MemoryContextAllocZero(context, type->state_size);
	EOH_init_header(&state->eoh, &merge_state_methods, context);
	state->type = type;
	return state;
}

/* The state behind a datum, if it is one of this type that we may modify. */
static MergeState *
merge_state_writable(const LatticeType *type, Datum value)
{
	MergeState *state;

	if (!VARATT_IS_EXTERNAL_EXPANDED_RW(DatumGetPointer(value)))
		return NULL;
	state = (MergeState *) DatumGetEOHP(value);
	if (state->eoh.eoh_methods != &merge_state_methods || state->type != type)
		return NULL;
	return state;
}

/*
 * The state that a transition or combine function is to modify, its first
 * argument; one that was loaded from it if that is a plain value; one that
 * nothing was loaded into if it is null.
 */
MergeState *
lattice_aggregate_state(FunctionCallInfo fcinfo, const LatticeType *type)
{
	MemoryContext aggregate_context;
	MergeState *state;

	if (!AggCheckCallContext(fcinfo, &aggregate_context))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
				 errmsg("function called outside of an aggregate")));
	if (PG_ARGISNULL(0))
		return merge_state_create(type, aggregate_context);
	state = merge_state_writable(type, PG_GETARG_DATUM(0));
	if (state == NULL)
	{
		state = merge_state_create(type, aggregate_context);
		type->load(state, PG_GETARG_VARLENA_PP(0));
	}
	return state;
}

Datum
lattice_merge(FunctionCallInfo fcinfo, const LatticeType *type)
{
	if (AggCheckCallContext(fcinfo, NULL))
	{
		MergeState *state = lattice_aggregate_state(fcinfo, type);

		type->absorb(state, PG_GETARG_VARLENA_PP(1));
		return EOHPGetRWDatum(&state->eoh);
	}
	return PointerGetDatum(type->combine(type, PG_GETARG_VARLENA_PP(0), PG_GETARG_VARLENA_PP(1)));
}

/*
 * Equality of two arguments.  The stored form is canonical, so it is equality
 * of bytes; values of different sizes need not even be detoasted.
 */
bool
lattice_equal(FunctionCallInfo fcinfo)
{
	Datum a = PG_GETARG_DATUM(0);
	Datum b = PG_GETARG_DATUM(1);
	Size size = toast_raw_datum_size(a);
	struct varlena *left;
	struct varlena *right;
	bool equal;

	if (size != toast_raw_datum_size(b))
		return false;
	left = PG_DETOAST_DATUM_PACKED(a);
	right = PG_DETOAST_DATUM_PACKED(b);
	equal = memcmp(VARDATA_ANY(left), VARDATA_ANY(right), size - VARHDRSZ) == 0;
	PG_FREE_IF_COPY(left, 0);
	PG_FREE_IF_COPY(right, 1);
	return equal;
}

Datum
lattice_hash(FunctionCallInfo fcinfo)
{
	struct varlena *flat = PG_GETARG_VARLENA_PP(0);
	Datum hash = hash_any((const unsigned char *) VARDATA_ANY(flat), VARSIZE_ANY_EXHDR(flat));

	PG_FREE_IF_COPY(flat, 0);
	return hash;
}

Datum
lattice_hash_extended(FunctionCallInfo fcinfo)
{
	struct varlena *flat = PG_GETARG_VARLENA_PP(0);
	Datum hash = hash_any_extended((const unsigned char *) VARDATA_ANY(flat),
								   VARSIZE_ANY_EXHDR(flat), PG_GETARG_INT64(1));

	PG_FREE_IF_COPY(flat, 0);
	return hash;
}
