/*
 * critical_path.c
 */
#include "core/compat.h"
