/*
 * Fuzz target: world snapshots. A snapshot that is accepted reads back from what is written of it,
 * with the same hash; one that is refused is refused with a message.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/world_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tt_arena arena;
    struct tt_error err = {0};
    struct tt_world *world = NULL;
    struct tt_world *again = NULL;
    char *text;

    tt_arena_init(&arena);
    if (tt_world_from_json(&arena, (const char *)data, size, "fuzz.json", &world, &err) < 0) {
        if (!err.message[0])
            abort();
    } else {
        text = tt_world_to_json(&arena, world);
        if (tt_world_from_json(&arena, text, strlen(text), "again.json", &again, &err) < 0)
            abort();
        if (strcmp(tt_world_hash(&arena, world), tt_world_hash(&arena, again)) != 0)
            abort();
    }
    tt_arena_release(&arena);
    return 0;
}
