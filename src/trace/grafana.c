/*
 * grafana.c
 */
#include "core/compat.h"
