/*
 * node_name.h
 *		Names of nodes, and the name of this one.
 */
#ifndef DISTRIBUTED_NODE_NAME_H
#define DISTRIBUTED_NODE_NAME_H

#include "postgres.h"

#include "core/bytes.h"
#include "core/input.h"
#include "fmgr.h"

#define NODE_NAME_MAX 255

/* A name where it lies, not terminated. */
typedef struct NodeName
{
	const char *name;
	Size length;
} NodeName;

extern void node_name_define_setting(void);
extern const char *node_name_setting(void);
extern const char *node_name_local(void);
extern bool node_name_check(const InputSource *source, const char *name, Size length);
extern NodeName node_name_argument(FunctionCallInfo fcinfo, int number, const char *type_name);

#endif /* DISTRIBUTED_NODE_NAME_H */
