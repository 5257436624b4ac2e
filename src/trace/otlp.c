/*
 * otlp.c
 */
#include "core/compat.h"
