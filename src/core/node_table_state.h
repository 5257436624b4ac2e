/*
 * node_table_state.h
 *		Node tables as lattices: joins and meets, one by one and aggregated.
 */
#ifndef DISTRIBUTED_NODE_TABLE_STATE_H
#define DISTRIBUTED_NODE_TABLE_STATE_H

#include "postgres.h"

#include "core/lattice.h"
#include "core/node_table.h"

/* A node table type as a lattice; its meet is the join of the dual lattice. */
typedef struct NodeTableLattice
{
	LatticeType base;
	uint8 arity;
	NodeOperation operation;
} NodeTableLattice;

extern void node_table_state_load(LatticeState *state, const struct varlena *flat);
extern void node_table_state_absorb(LatticeState *state, const struct varlena *flat);
extern Size node_table_state_flat_size(LatticeState *state);
extern void node_table_state_flatten(LatticeState *state, struct varlena *flat, Size size);
extern struct varlena *node_table_state_combine(const LatticeType *type, const struct varlena *a,
												const struct varlena *b);

/*
 * A working table: counters always wide and aligned, so that the one loop of
 * the usual case is a plain maximum over two arrays.
 */
typedef struct NodeTableState
{
	LatticeState base;

	uint32 nnodes;
	Size names_size;
	uint64 *counters; /* arity columns of nnodes */
	uint8 *block;     /* lengths, then names, as in the stored form */
	uint32 *offsets;  /* of each name within the names */

	/* Nodes that the table lacks, in order of arrival, perhaps repeated. */
	NodeEntries pending;
	bool has_pending;
} NodeTableState;

#define NODE_TABLE_LATTICE(name, arity, operation) \
	{ \
		{name, \
		 sizeof(NodeTableState), \
		 node_table_state_load, \
		 node_table_state_absorb, \
		 node_table_state_flat_size, \
		 node_table_state_flatten, \
		 node_table_state_combine}, \
			arity, operation \
	}

#endif /* DISTRIBUTED_NODE_TABLE_STATE_H */
