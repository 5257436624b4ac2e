/*
 * attribute_hygiene.c
 */
#include "core/compat.h"
