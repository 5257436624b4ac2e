/*
 * merge_table.c
 *		(to be written)
 */
#include "core/compat.h"
