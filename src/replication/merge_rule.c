/*
 * merge_rule.c
 *		(to be written)
 */
#include "core/compat.h"
