/*
 * Arenas: blocks of growing size, each filled from its start.
 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BLOCK 4096
#define LAST_BLOCK  (1024 * 1024)

struct tt_arena_block {
    struct tt_arena_block *next;
    size_t size; /* bytes of data */
    size_t used;
    alignas(max_align_t) char data[];
};

void tt_arena_init(struct tt_arena *arena)
{
    *arena = (struct tt_arena){0};
}

void tt_arena_release(struct tt_arena *arena)
{
    struct tt_arena_block *block = arena->head;

    while (block) {
        struct tt_arena_block *next = block->next;
        free(block);
        block = next;
    }
    *arena = (struct tt_arena){0};
}

/* Behind the newest block, which is the one that is filled further. */
void tt_arena_adopt(struct tt_arena *arena, struct tt_arena *other)
{
    struct tt_arena_block *last = other->head;

    if (!last)
        return;
    while (last->next)
        last = last->next;
    if (arena->head) {
        last->next = arena->head->next;
        arena->head->next = other->head;
    } else {
        arena->head = other->head;
    }
    arena->used += other->used;
    *other = (struct tt_arena){0};
}

static struct tt_arena_block *add_block(struct tt_arena *arena, size_t size)
{
    struct tt_arena_block *block = NULL;

    if (size <= SIZE_MAX - sizeof(*block))
        block = malloc(sizeof(*block) + size);
    if (!block) {
        fputs("trimtab: out of memory\n", stderr);
        abort();
    }
    *block = (struct tt_arena_block){.next = arena->head, .size = size};
    arena->head = block;
    return block;
}

#ifdef TT_ARENA_EACH_MALLOC
static struct tt_arena_block *block_for(struct tt_arena *arena, size_t size)
{
    return add_block(arena, size);
}
#else
static struct tt_arena_block *block_for(struct tt_arena *arena, size_t size)
{
    struct tt_arena_block *head = arena->head;
    size_t next = head ? head->size * 2 : FIRST_BLOCK;

    if (head && head->size - head->used >= size)
        return head;
    if (next > LAST_BLOCK)
        next = LAST_BLOCK;
    return add_block(arena, size > next ? size : next);
}
#endif

void *tt_alloc(struct tt_arena *arena, size_t size)
{
    const size_t align = alignof(max_align_t);
    size_t rounded = size ? (size + align - 1) / align * align : align;
    struct tt_arena_block *block;
    void *memory;

#ifdef TT_ARENA_EACH_MALLOC
    rounded = size ? size : 1;
#endif
    if (size > SIZE_MAX - align)
        abort();
    block = block_for(arena, rounded);
    memory = block->data + block->used;
    block->used += rounded;
    arena->used += rounded;
    return memset(memory, 0, rounded);
}

void *tt_alloc_array(struct tt_arena *arena, size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size)
        abort();
    return tt_alloc(arena, count * size);
}

char *tt_strndup(struct tt_arena *arena, const char *s, size_t n)
{
    char *copy;

    if (!s)
        return NULL;
    n = strnlen(s, n);
    copy = tt_alloc(arena, n + 1);
    memcpy(copy, s, n);
    return copy;
}

char *tt_strdup(struct tt_arena *arena, const char *s)
{
    return s ? tt_strndup(arena, s, strlen(s)) : NULL;
}

char *tt_vprintf(struct tt_arena *arena, const char *format, va_list args)
{
    char most[256]; /* of most texts: these are formatted once */
    va_list again;
    char *text;
    int length;

    va_copy(again, args);
    length = vsnprintf(most, sizeof(most), format, again);
    va_end(again);
    if (length < 0)
        abort();
    text = tt_alloc(arena, (size_t)length + 1);
    if ((size_t)length < sizeof(most))
        memcpy(text, most, (size_t)length + 1);
    else
        vsnprintf(text, (size_t)length + 1, format, args);
    return text;
}

char *tt_printf(struct tt_arena *arena, const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = tt_vprintf(arena, format, args);
    va_end(args);
    return text;
}
