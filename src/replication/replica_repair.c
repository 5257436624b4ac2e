/*
 * replica_repair.c
 *		(to be written)
 */
#include "core/compat.h"
