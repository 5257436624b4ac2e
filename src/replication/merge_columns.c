/*
 * merge_columns.c
 *		(to be written)
 */
#include "core/compat.h"
