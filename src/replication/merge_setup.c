/*
 * merge_setup.c
 *		(to be written)
 */
#include "core/compat.h"
