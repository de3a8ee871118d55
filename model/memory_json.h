/*
 * Memory as JSON: format trimtab.memory/v1, for recordings of runs and for scenarios.
 */
#ifndef TT_MODEL_MEMORY_JSON_H
#define TT_MODEL_MEMORY_JSON_H

#include <stddef.h>

#include "base/error.h"
#include "model/memory.h"

char *tt_memory_to_json(struct tt_arena *arena, const struct tt_memory *memory);

/* Errors name line and column of NAME, or the JSON path. A document without "format" is read, too:
 * people write those. */
int tt_memory_from_json(struct tt_arena *arena, const char *text, size_t size, const char *name,
                        struct tt_memory *ret_memory, struct tt_error *err);

#endif
