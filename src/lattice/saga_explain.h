/*
 * saga_explain.h
 *		What is wrong with a saga, in words.
 */
#ifndef DISTRIBUTED_SAGA_EXPLAIN_H
#define DISTRIBUTED_SAGA_EXPLAIN_H

#include "postgres.h"

#include "lattice/saga_case.h"
#include "lib/stringinfo.h"

extern void saga_explain_conflict(StringInfo buf, const SagaView *view, SagaName obligation,
								  uint32 entry_a, uint32 entry_b);
extern void saga_explain_contradiction(StringInfo buf, const SagaView *view, SagaName obligation,
									   uint32 entry);
extern void saga_explain_case(StringInfo buf, SagaCase *saga, SagaView *view);

#endif /* DISTRIBUTED_SAGA_EXPLAIN_H */
