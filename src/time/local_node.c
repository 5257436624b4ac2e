/*
 * local_node.c
 *		local_node(): the name of this node, from the setting distributed.node.
 */
#include "core/compat.h"

#include "core/node_name.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(local_node);
Datum
local_node(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(node_name_local()));
}
