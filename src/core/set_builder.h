/*
 * set_builder.h
 *		A new set from elements and the nodes that add them.
 */
#ifndef DISTRIBUTED_SET_BUILDER_H
#define DISTRIBUTED_SET_BUILDER_H

#include "postgres.h"

#include "core/lattice.h"
#include "core/node_name.h"

/* The union of what sets were built from, as a lattice. */
extern const LatticeType set_builder_lattice;

extern void set_builder_add(MergeState *state, const char *element, uint32 length, NodeName node);

#endif /* DISTRIBUTED_SET_BUILDER_H */
