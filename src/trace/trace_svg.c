/*
 * trace_svg.c
 */
#include "core/compat.h"
