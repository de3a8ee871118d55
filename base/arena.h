/*
 * Arenas: memory with one owner and one end.
 *
 * Everything that a run builds (specs, world, plan) is allocated from an arena and freed with it.
 * A function that returns memory takes its arena as a parameter. Foreign handles (CURL *, json_t *,
 * FILE *, git objects) never enter an arena. Running out of memory aborts.
 *
 * With TT_ARENA_EACH_MALLOC (the sanitizer build) every allocation is a malloc of its own, so that
 * overruns are seen.
 */
#ifndef TT_BASE_ARENA_H
#define TT_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct tt_arena_block;

struct tt_arena {
    struct tt_arena_block *head; /* newest block first */
    size_t used;                 /* bytes handed out, for benchmarks */
};

void tt_arena_init(struct tt_arena *arena);

/* Frees everything that was allocated from the arena; the arena may be used again. */
void tt_arena_release(struct tt_arena *arena);

/* Takes over everything that OTHER holds; OTHER is empty then. So a thread fills an arena of its
 * own, and what it made lives on with the caller's. */
void tt_arena_adopt(struct tt_arena *arena, struct tt_arena *other);

/* Zeroed memory, aligned for any type; SIZE may be 0 (a unique pointer then). Never NULL. */
void *tt_alloc(struct tt_arena *arena, size_t size);

/* As tt_alloc for COUNT items of SIZE bytes; aborts when the product overflows. */
void *tt_alloc_array(struct tt_arena *arena, size_t count, size_t size);

#define TT_NEW(arena, type)          ((type *)tt_alloc((arena), sizeof(type)))
#define TT_NEW_ARRAY(arena, n, type) ((type *)tt_alloc_array((arena), (n), sizeof(type)))

/* Copies; a NULL string stays NULL. */
char *tt_strdup(struct tt_arena *arena, const char *s);
char *tt_strndup(struct tt_arena *arena, const char *s, size_t n);

char *tt_printf(struct tt_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
char *tt_vprintf(struct tt_arena *arena, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

#endif
