/*
 * Growable arrays in an arena.
 *
 *     TT_VEC(struct tt_step) steps;           a struct {items, count, capacity}; zeroed is empty
 *     *TT_VEC_ADD(arena, &steps) = step;      a pointer to a new zeroed item
 *     TT_EACH(step, &steps) ...               step is a pointer to each item in order
 *
 * Growing moves the items: a pointer into a vector is good until the next TT_VEC_ADD.
 */
#ifndef TT_BASE_VEC_H
#define TT_BASE_VEC_H

#include <stddef.h>

#include "base/arena.h"

#define TT_VEC(type)                                                                               \
    struct {                                                                                       \
        type *items;                                                                               \
        size_t count;                                                                              \
        size_t capacity;                                                                           \
    }

#define TT_VEC_ADD(arena, vec)                                                                     \
    ((vec)->items = tt_vec_grow((arena), (vec)->items, (vec)->count, &(vec)->capacity,             \
                                sizeof(*(vec)->items)),                                            \
     &(vec)->items[(vec)->count++])

#define TT_EACH(item, vec)                                                                         \
    for (__typeof__(&*(vec)->items) item = (vec)->items;                                           \
         item && item < (vec)->items + (vec)->count; item++)

/* ITEMS, or a copy twice as large when it is full; the new part is zeroed. */
void *tt_vec_grow(struct tt_arena *arena, void *items, size_t count, size_t *capacity, size_t size);

#endif
