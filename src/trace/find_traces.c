/*
 * find_traces.c
 */
#include "core/compat.h"
