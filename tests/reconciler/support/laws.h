/*
 * Laws: what every plan is held to (design.md §7), checked by carrying it out step by step.
 */
#ifndef TT_TESTS_LAWS_H
#define TT_TESTS_LAWS_H

#include <stdint.h>

#include "base/error.h"
#include "model/desired.h"
#include "model/memory.h"
#include "model/world.h"
#include "reconciler/planner.h"

struct tt_case {
    const struct tt_desired *desired;
    const struct tt_world *world;
    const struct tt_memory *memory;
    const struct tt_plan_options *options;
    tt_time now;
};

/* Plans CASE and holds the plan to every law that planning can show; ROUNDS random executions with
 * failing steps are drawn from SEED. -1: ERR tells which law was broken and how. */
int tt_laws_check(struct tt_arena *arena, const struct tt_case *what, unsigned rounds,
                  uint64_t seed, struct tt_error *err);

#endif
