/*
 * compare.h
 *		The comparison functions of an ordered type.
 */
#ifndef DISTRIBUTED_COMPARE_H
#define DISTRIBUTED_COMPARE_H

#include "postgres.h"

#include "fmgr.h"

#define COMPARISON_FUNCTION(name, type, expression) \
	PG_FUNCTION_INFO_V1(name); \
	Datum name(PG_FUNCTION_ARGS) \
	{ \
		PG_RETURN_##type(expression); \
	} \
	extern int compare_h_swallows_the_semicolon

/*
 * The functions behind = <> < <= > >= and the btree opclass of a type, from
 *		static int	X_cmp_internal(FunctionCallInfo fcinfo);
 *		static bool X_eq_internal(FunctionCallInfo fcinfo);
 * The second is separate because equality is often cheaper than order.
 */
#define COMPARISON_FUNCTIONS(X) \
	COMPARISON_FUNCTION(X##_eq, BOOL, X##_eq_internal(fcinfo)); \
	COMPARISON_FUNCTION(X##_ne, BOOL, !X##_eq_internal(fcinfo)); \
	COMPARISON_FUNCTION(X##_lt, BOOL, X##_cmp_internal(fcinfo) < 0); \
	COMPARISON_FUNCTION(X##_le, BOOL, X##_cmp_internal(fcinfo) <= 0); \
	COMPARISON_FUNCTION(X##_gt, BOOL, X##_cmp_internal(fcinfo) > 0); \
	COMPARISON_FUNCTION(X##_ge, BOOL, X##_cmp_internal(fcinfo) >= 0); \
	COMPARISON_FUNCTION(X##_cmp, INT32, X##_cmp_internal(fcinfo))

#endif /* DISTRIBUTED_COMPARE_H */
