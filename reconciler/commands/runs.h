/*
 * Runs: what history and show share.
 */
#ifndef TT_COMMANDS_RUNS_H
#define TT_COMMANDS_RUNS_H

#include <jansson.h>

#include "reconciler/commands/session.h"

/* 1: the store is open; 0: there is none yet. */
int tt_runs_open(struct tt_session *session, struct tt_error *err);

/* What an argument says: the number of a run. */
int tt_run_number(const char *text, int64_t *ret_run, struct tt_error *err);
/* Opens the store to look for RUN; NOT_FOUND when there is none yet. */
int tt_runs_open_for(struct tt_session *session, int64_t run, struct tt_error *err);

/* A run as an object, without its steps. */
json_t *tt_run_json(struct tt_session *session, const struct tt_run_record *run);

/* The folder of its recording, for replay; NULL: there is none, or it is not kept any more. */
const char *tt_run_recording(struct tt_session *session, int64_t run);

/* "12.3 s" or "-"; "3f2a90c1"; "root@host". */
const char *tt_run_took(struct tt_arena *arena, const struct tt_run_record *run);
const char *tt_run_commit(struct tt_arena *arena, const struct tt_run_record *run);
const char *tt_run_who(struct tt_arena *arena, const struct tt_run_record *run);

#endif
