/*
 * trace_context.c
 */
#include "core/compat.h"
