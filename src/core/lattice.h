/*
 * lattice.h
 *		One function per type that is its merge, its "|" and the transition of
 *		its aggregate.
 */
#ifndef DISTRIBUTED_LATTICE_H
#define DISTRIBUTED_LATTICE_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/expandeddatum.h"

typedef struct LatticeType LatticeType;

/*
 * The working state of an aggregate: an expanded object that a kernel extends.
 * What a kernel keeps in it lives in eoh.eoh_context.
 */
typedef struct MergeState
{
	ExpandedObjectHeader eoh;
	const LatticeType *type;
} MergeState;

/*
 * What a kernel offers.  Flat values are detoasted, but may have a short
 * header; a kernel reads them in place.
 */
struct LatticeType
{
	const char *name; /* shown with the state's memory context */
	Size state_size;  /* of the kernel's extension of MergeState */

	/* Fill a zeroed state from a value. */
	void (*load)(MergeState *state, const struct varlena *flat);

	/* state := state | flat.  Called in a short-lived context. */
	void (*absorb)(MergeState *state, const struct varlena *flat);

	/*
	 * The state as a value: how large, and the bytes.  Called in a context that
	 * may not be able to free, so nothing may be allocated in it.
	 */
	Size (*flat_size)(MergeState *state);
	void (*flatten)(MergeState *state, struct varlena *flat, Size size);

	/* a | b as a new value. */
	struct varlena *(*combine)(const LatticeType *type, const struct varlena *a,
							   const struct varlena *b);
};

extern MergeState *merge_state_create(const LatticeType *type, MemoryContext parent);
extern MergeState *lattice_aggregate_state(FunctionCallInfo fcinfo, const LatticeType *type);
extern Datum lattice_merge(FunctionCallInfo fcinfo, const LatticeType *type);
extern bool lattice_equal(FunctionCallInfo fcinfo);
extern Datum lattice_hash(FunctionCallInfo fcinfo);
extern Datum lattice_hash_extended(FunctionCallInfo fcinfo);

#endif /* DISTRIBUTED_LATTICE_H */
