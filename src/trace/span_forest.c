/*
 * span_forest.c
 */
#include "core/compat.h"
