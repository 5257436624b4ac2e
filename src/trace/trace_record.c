/*
 * trace_record.c
 */
#include "core/compat.h"
