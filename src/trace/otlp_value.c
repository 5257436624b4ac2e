/*
 * otlp_value.c
 */
#include "core/compat.h"
