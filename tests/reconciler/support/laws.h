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
    int run; /* which run in a row this is, from 0 */
};

/* Plans CASE and holds the plan to every law that planning can show; ROUNDS random executions, of
 * which every other has failing steps, are drawn from SEED, and the world that the last one leaves
 * is held to the laws in turn. -1: ERR tells which law was broken and how.
 *
 * Which law is checked where (design.md §7; the section where it is none of these):
 *   1   apply, then nothing    laws.c check_end; end_state.c: the end is what is desired
 *   2   order changes nothing  laws.c check_order
 *   3   zones                  laws.c check_zone, at every create; moment_laws.c: enrolments
 *   4   unseen is untouched    laws.c check_step; reach_laws.c check_behind
 *   5   owner                  laws.c check_step; moment_laws.c check_withdraw; lent_law.c
 *   6   floor                  laws.c check_floors, after every step of every execution, failing
 *                              ones too, by serving.c; test_floor.c: all down-sets
 *   7   crashes                laws.c check_next_run; the calls themselves: test_apply_sim.c
 *   8   recovery limit         reach_laws.c check_limit
 *   9   guards                 reach_laws.c check_guard
 *   10  secrets                not planning's: nothing secret reaches a plan
 *   replay                     replay_law.c
 *   §4  errors block           reach_laws.c check_subject
 *   §5  order, surge           graph_laws.c; laws.c check_room; moment_laws.c check_zones
 *   §6  fence, floors          graph_laws.c check_fence; laws.c check_start_of_floors, check_end
 *   what waits can go on       patience.c; limits_law.c, where it cannot */
int tt_laws_check(struct tt_arena *arena, const struct tt_case *what, unsigned rounds,
                  uint64_t seed, struct tt_error *err);

#endif
