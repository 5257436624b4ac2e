/*
 * jaeger.c
 */
#include "core/compat.h"
