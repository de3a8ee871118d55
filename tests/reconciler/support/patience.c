/*
 * Patience: run after run on a cloud in which everything comes up.
 */
#include "patience.h"

#include <string.h>

#include "end_state.h"
#include "limits_law.h"

#define RUNS 12

static const char *waiting_text(const struct tt_plan *plan)
{
    TT_EACH (problem, &plan->problems)
        if (strcmp(problem->code, "waiting") == 0)
            return problem->message;
    return NULL;
}

bool tt_patience_waits(const struct tt_plan *plan)
{
    return waiting_text(plan) != NULL;
}

/* True when nothing stands in the way for longer: no error, no guard, nothing out of sight. */
static bool can_end(const struct tt_plan *plan, const struct tt_world *world)
{
    TT_EACH (account, &world->accounts)
        TT_EACH (region, &account->regions)
            if (!region->observed)
                return false;
    TT_EACH (problem, &plan->problems)
        if (problem->severity != TT_SEVERITY_INFO)
            return false;
    TT_EACH (step, &plan->steps)
        if (step->held)
            return false;
    return true;
}

static bool is_ready(const struct tt_plan *plan, const bool *done, size_t step)
{
    if (done[step])
        return false;
    TT_EACH (index, &plan->steps.items[step].after)
        if (!done[*index])
            return false;
    return true;
}

static void carry_out(struct tt_playground *ground, const struct tt_plan *plan)
{
    bool *done = TT_NEW_ARRAY(ground->arena, plan->steps.count, bool);
    bool progress = true;

    while (progress) {
        progress = false;
        for (size_t i = 0; i < plan->steps.count; i++)
            if (is_ready(plan, done, i)) {
                tt_playground_step(ground, (int)i);
                done[i] = progress = true;
            }
    }
}

/* The servers that earlier runs knew are theirs to delete now. */
static const struct tt_memory *forget(struct tt_arena *arena, const struct tt_memory *memory)
{
    struct tt_memory *recoveries = TT_NEW(arena, struct tt_memory);

    recoveries->recoveries = memory->recoveries;
    return recoveries;
}

int tt_patience_check(struct tt_arena *arena, const struct tt_case *what,
                      const struct tt_plan *plan, struct tt_error *err)
{
    const struct tt_memory *memory = forget(arena, what->memory);
    const struct tt_world *world = what->world;
    struct tt_plan_options options = *what->options;
    struct tt_case now = *what;

    options.world_hash = "sha256:-";
    for (int run = 0; run < RUNS; run++) {
        struct tt_playground *ground = TT_NEW(arena, struct tt_playground);
        struct tt_plan *next;

        if (!can_end(plan, world))
            return 0;
        tt_playground_init(ground, arena, what->desired, world, plan);
        ground->run = what->run + run;
        carry_out(ground, plan);
        if (!tt_patience_waits(plan))
            return tt_end_state_check(ground, err);
        tt_playground_settle(ground);
        tt_world_sort(&ground->world);
        world = &ground->world;
        if (tt_planner_plan(arena, what->desired, world, memory, what->now, &options, &next, err) <
            0)
            return -1;
        now.world = world;
        if (tt_limits_law_check(arena, &now, next, err) < 0)
            return -1;
        if (!next->steps.count && tt_patience_waits(next) && can_end(next, world))
            return tt_fail(err, TT_ERR_INTERNAL, "patience: on run %d, for ever: %s", run + 2,
                           waiting_text(next));
        plan = next;
    }
    return tt_fail(err, TT_ERR_INTERNAL, "patience: %d runs in a row wait", RUNS);
}
