/*
 * Replay: through the very text that recordings keep, without the disk.
 */
#include "replay_law.h"

#include <string.h>

#include "model/desired_json.h"
#include "model/memory_json.h"
#include "model/plan_json.h"
#include "model/world_json.h"

int tt_replay_law_check(struct tt_arena *arena, const struct tt_case *what,
                        const struct tt_plan *plan, struct tt_error *err)
{
    const char *desired_text = tt_desired_to_record(arena, what->desired);
    const char *world_text = tt_world_to_json(arena, what->world);
    const char *memory_text = tt_memory_to_json(arena, what->memory);
    struct tt_desired *desired;
    struct tt_memory memory;
    struct tt_world *world;
    struct tt_plan *again;

    if (tt_desired_from_json(arena, desired_text, strlen(desired_text), "desired", &desired, err) <
            0 ||
        tt_world_from_json(arena, world_text, strlen(world_text), "world", &world, err) < 0 ||
        tt_memory_from_json(arena, memory_text, strlen(memory_text), "memory", &memory, err) < 0 ||
        tt_planner_plan(arena, desired, world, &memory, what->now, what->options, &again, err) < 0)
        return tt_wrap(err, "replay");
    if (strcmp(tt_plan_to_json(arena, plan), tt_plan_to_json(arena, again)) != 0)
        return tt_fail(err, TT_ERR_INTERNAL, "replay: what was recorded gives another plan");
    return 0;
}
