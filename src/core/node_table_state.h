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

extern void node_table_state_load(MergeState *state, const struct varlena *flat);
extern void node_table_state_absorb(MergeState *state, const struct varlena *flat);
extern Size node_table_state_flat_size(MergeState *state);
extern void node_table_state_flatten(MergeState *state, struct varlena *flat, Size size);
extern struct varlena *node_table_state_combine(const LatticeType *type, const struct varlena *a,
												const struct varlena *b);

/*
 * A working table: counters always wide and aligned, so that the one loop of
 * the usual case is a plain maximum over two arrays.
 */
typedef struct NodeTableState
{
	MergeState base;

	uint32 nnodes;
	Size names_size;
	uint64 *counters; /* arity columns of nnodes; the others lie behind them */
	uint32 *offsets;  /* of each name within the names */
	uint8 *block;     /* lengths, then names, as in the stored form */

	/* Nodes that the table lacks, in order of arrival, perhaps repeated. */
	NodeEntries pending;
	bool has_pending;
} NodeTableState;

#define NODE_TABLE_LATTICE(shown_name, counters_per_node, lattice_operation) \
	{ \
		.base = \
			{ \
				.name = shown_name, \
				.state_size = sizeof(NodeTableState), \
				.load = node_table_state_load, \
				.absorb = node_table_state_absorb, \
				.flat_size = node_table_state_flat_size, \
				.flatten = node_table_state_flatten, \
				.combine = node_table_state_combine, \
			}, \
		.arity = counters_per_node, .operation = lattice_operation, \
	}

#endif /* DISTRIBUTED_NODE_TABLE_STATE_H */
