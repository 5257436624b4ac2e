/*
 * span_tree.c
 */
#include "core/compat.h"
