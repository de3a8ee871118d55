/*
 * A hash map from string to pointer that lives in an arena.
 *
 * There is no iteration: nothing may depend on hash order. Keep a vector beside the map where
 * the items are needed in order. Keys are borrowed and must outlive the map.
 */
#ifndef TT_BASE_MAP_H
#define TT_BASE_MAP_H

#include <stddef.h>

#include "base/arena.h"

struct tt_map {
    struct tt_arena *arena;
    struct tt_map_entry *entries;
    size_t count;
    size_t capacity; /* a power of two, or 0 */
};

void tt_map_init(struct tt_map *map, struct tt_arena *arena);

/* The value of KEY, or NULL. */
void *tt_map_get(const struct tt_map *map, const char *key);

/* Sets KEY; VALUE is not NULL. Returns the value that was there before, or NULL. */
void *tt_map_put(struct tt_map *map, const char *key, void *value);

#endif
