/*
 * logical_time.h
 *		A time of any of the logical clocks.
 */
#ifndef DISTRIBUTED_LOGICAL_TIME_H
#define DISTRIBUTED_LOGICAL_TIME_H

#include "postgres.h"

#include "core/hybrid_time.h"
#include "core/node_table.h"

/* Also the first byte of the stored form, so these never change. */
typedef enum LogicalKind
{
	LOGICAL_LAMPORT = 0,
	LOGICAL_VECTOR = 1,
	LOGICAL_HYBRID = 2
} LogicalKind;

#define LOGICAL_KINDS 3

/* The labels of the enum logical_clock_kind, by LogicalKind. */
extern const char *const logical_kind_labels[LOGICAL_KINDS];

typedef struct LogicalTime
{
	LogicalKind kind;
	uint64 lamport;
	NodeTable vector;
	HybridTime hybrid;
} LogicalTime;

extern void logical_time_open(LogicalTime *time, const struct varlena *stored);
extern struct varlena *logical_time_from_lamport(uint64 counter);
extern struct varlena *logical_time_from_vector(const struct varlena *clock);
extern struct varlena *logical_time_from_hybrid(HybridTime time);

#endif /* DISTRIBUTED_LOGICAL_TIME_H */
