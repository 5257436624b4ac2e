/*
 * trace_retention.c
 */
#include "core/compat.h"
