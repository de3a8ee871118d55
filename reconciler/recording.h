/*
 * Recordings: what a plan was made from, kept as a folder in the form of a scenario.
 *
 *   about.txt            what it is, in one line
 *   desired.json         what Git asked for (a scenario may have specs in desired/ instead)
 *   world.json, memory.json, options.json
 *   expected/plan.json   the plan; expected/plan.txt, the same for people
 *   recording.json       by which trimtab and which command it was made, and when
 *
 * The planner is pure: the same plan comes out of it again, and a recording that is copied into
 * tests/scenarios is a scenario. What only a recording has is absent in scenarios of people.
 */
#ifndef TT_RECONCILER_RECORDING_H
#define TT_RECONCILER_RECORDING_H

#include "reconciler/planner.h"

struct tt_recording {
    const struct tt_desired *desired; /* NULL: there is no desired.json */
    const struct tt_world *world;
    struct tt_memory memory;
    struct tt_plan_options options;
    tt_time now;

    const char *command; /* "plan" or "apply"; NULL: of a person */
    const char *program; /* the version of trimtab */
    tt_time at;          /* when it was made */
    const char *plan;    /* expected/plan.json; NULL: the planner failed, or there is none */
};

/* Writes it all, and PLAN (NULL: the planner failed), into FOLDER, which is made; plan and program
 * of RECORDING are not used. No secret gets there: user data is told by its hash. */
int tt_recording_write(const char *folder, const struct tt_recording *recording,
                       const struct tt_plan *plan, struct tt_error *err);

/* Reads FOLDER. Only world.json must be there: without options.json nothing is asked for, and
 * "now" is takenAt. SPEC: a file is broken, or was made by a trimtab of another format; the message
 * names it. */
int tt_recording_read(struct tt_arena *arena, const char *folder,
                      struct tt_recording *ret_recording, struct tt_error *err);

/* As tt_recording_read, without what the plan was made from: who made it when, and the plan.
 * NOT_FOUND: a person wrote this. */
int tt_recording_read_about(struct tt_arena *arena, const char *folder,
                            struct tt_recording *ret_recording, struct tt_error *err);

/* Plans from it again. */
int tt_recording_plan(struct tt_arena *arena, const struct tt_recording *recording,
                      struct tt_plan **ret_plan, struct tt_error *err);

#endif
