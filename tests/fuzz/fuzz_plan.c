/*
 * Fuzz target: saved plans, which apply reads. A plan that is accepted is written and read to the
 * same bytes; one that is refused is refused with a message.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/plan_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tt_arena arena;
    struct tt_error err = {0};
    struct tt_plan *plan = NULL;
    struct tt_plan *again = NULL;
    char *text;

    tt_arena_init(&arena);
    if (tt_plan_from_json(&arena, (const char *)data, size, "fuzz.json", &plan, &err) < 0) {
        if (!err.message[0])
            abort();
    } else {
        text = tt_plan_to_json(&arena, plan);
        if (tt_plan_from_json(&arena, text, strlen(text), "again.json", &again, &err) < 0)
            abort();
        if (strcmp(text, tt_plan_to_json(&arena, again)) != 0)
            abort();
    }
    tt_arena_release(&arena);
    return 0;
}
