/*
 * Growable arrays: the growing.
 */
#include "base/vec.h"

#include <string.h>

void *tt_vec_grow(struct tt_arena *arena, void *items, size_t count, size_t *capacity, size_t size)
{
    size_t more = *capacity ? *capacity * 2 : 4;
    void *copy;

    if (count < *capacity)
        return items;
    copy = tt_alloc_array(arena, more, size);
    if (count)
        memcpy(copy, items, count * size);
    *capacity = more;
    return copy;
}
