/*
 * merge_purge.c
 *		(to be written)
 */
#include "core/compat.h"
