/*
 * span_recording.c
 */
#include "core/compat.h"
