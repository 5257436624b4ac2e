/*
 * merge_nodes.c
 *		(to be written)
 */
#include "core/compat.h"
