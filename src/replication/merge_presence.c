/*
 * merge_presence.c
 *		(to be written)
 */
#include "core/compat.h"
