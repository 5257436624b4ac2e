/*
 * enum_label.h
 *		Results whose type is one of the extension's enums.
 */
#ifndef DISTRIBUTED_ENUM_LABEL_H
#define DISTRIBUTED_ENUM_LABEL_H

#include "postgres.h"

#include "fmgr.h"

extern Datum enum_label_result(FunctionCallInfo fcinfo, const char *const *labels, int count,
							   int which);
extern int enum_label_argument(FunctionCallInfo fcinfo, int number, const char *const *labels,
							   int count);

#endif /* DISTRIBUTED_ENUM_LABEL_H */
