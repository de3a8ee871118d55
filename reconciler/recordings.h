/*
 * The shelf of recordings in the state folder: recordings/17 of the run 17 that history knows,
 * recordings/p3 of the third plan that nobody carried out. The last hundred of each kind are kept,
 * at most 256 MB in all; the newest in any case.
 */
#ifndef TT_RECONCILER_RECORDINGS_H
#define TT_RECONCILER_RECORDINGS_H

#include <stdint.h>

#include "reconciler/recording.h"

/* Puts a recording of RUN (0: of a plan that is no run) on the shelf of STATE_FOLDER, and takes
 * what is too old or too much off. PLAN as tt_recording_write. The name, "17" or "p3", is in ARENA.
 */
int tt_recordings_add(struct tt_arena *arena, const char *state_folder, int64_t run,
                      const struct tt_recording *recording, const struct tt_plan *plan,
                      const char **ret_name, struct tt_error *err);

/* True when NAME is "17" or "p3": a name of a recording, whether it is there or not. */
bool tt_recordings_is_name(const char *name);

/* The folder of recording NAME; NULL: it is not there. */
const char *tt_recordings_find(struct tt_arena *arena, const char *state_folder, const char *name);

/* The names of the recorded plans that are no runs, the newest first. */
int tt_recordings_plans(struct tt_arena *arena, const char *state_folder, struct tt_strings *ret,
                        struct tt_error *err);

#endif
