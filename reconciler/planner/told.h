/*
 * Told: what machines that cannot tell their pool were told by earlier runs.
 */
#ifndef TT_PLANNER_TOLD_H
#define TT_PLANNER_TOLD_H

#include "model/memory.h"
#include "model/world.h"

/* WORLD with a pool for each such machine, or WORLD itself when memory has none. The result shares
 * everything else with WORLD. */
const struct tt_world *tt_told_world(struct tt_arena *arena, const struct tt_world *world,
                                     const struct tt_memory *memory);

#endif
