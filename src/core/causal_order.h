/*
 * causal_order.h
 *		How one event stands to another, as a result.
 */
#ifndef DISTRIBUTED_CAUSAL_ORDER_H
#define DISTRIBUTED_CAUSAL_ORDER_H

#include "postgres.h"

#include "core/enum_label.h"
#include "core/node_table.h"

static inline Datum
causal_order_result(FunctionCallInfo fcinfo, PartialOrder order)
{
	static const char *const labels[] = {[ORDER_EQUAL] = "equal",
										 [ORDER_BEFORE] = "before",
										 [ORDER_AFTER] = "after",
										 [ORDER_CONCURRENT] = "concurrent"};

	return enum_label_result(fcinfo, labels, lengthof(labels), order);
}

#endif /* DISTRIBUTED_CAUSAL_ORDER_H */
