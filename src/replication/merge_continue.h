/*
 * merge_continue.h
 *		A value that begins anew, made to go on from an old one.
 */
#ifndef DISTRIBUTED_MERGE_CONTINUE_H
#define DISTRIBUTED_MERGE_CONTINUE_H

#include "postgres.h"

#include "core/node_name.h"

/* What a lattice value counts. */
typedef enum MergeCounting
{
	COUNTS_NOTHING, /* states and stamps */
	COUNTS_EVENTS,  /* a counter per node, of events in whatever row */
	COUNTS_BY_NODE, /* a counter per node, of this row */
	COUNTS_TWICE,   /* two of them */
	COUNTS_BY_DOT   /* dots */
} MergeCounting;

extern MergeCounting merge_counting_of(Oid type, Oid extension);
extern bool merge_continue(MergeCounting counting, Datum old, const Datum *fresh, NodeName node,
						   bool anew, Datum *result);
extern bool merge_begin_after(uint64 last, Datum fresh, NodeName node, Datum *result);

#endif /* DISTRIBUTED_MERGE_CONTINUE_H */
