/*
 * saga_constraint.h
 *		What must hold among the obligations of a saga.
 */
#ifndef DISTRIBUTED_SAGA_CONSTRAINT_H
#define DISTRIBUTED_SAGA_CONSTRAINT_H

#include "postgres.h"

#include "utils/array.h"

typedef enum SagaKind
{
	SAGA_ALL_OR_NOTHING,
	SAGA_MUTUAL_EXCLUSION,
	SAGA_IMPLIES
} SagaKind;

/* A name of any kind where it lies, not terminated. */
typedef struct SagaName
{
	const char *bytes;
	uint32 length;
} SagaName;

typedef struct SagaConstraint
{
	SagaName name;
	SagaKind kind;
	uint32 nobligations;

	/* Distinct and sorted by bytes; but of an implication the premise comes first. */
	SagaName *obligations;
} SagaConstraint;

extern const char *saga_kind_label(SagaKind kind);
extern SagaConstraint *saga_constraints_read(ArrayType *array, uint32 *count);

#endif /* DISTRIBUTED_SAGA_CONSTRAINT_H */
