/*
 * Progress: what apply does, while it does it: a live line for each running step on a terminal,
 * plain lines elsewhere, JSON lines with --json.
 */
#ifndef TT_COMMANDS_PROGRESS_H
#define TT_COMMANDS_PROGRESS_H

#include <pthread.h>

#include "reconciler/apply.h"

enum tt_progress_style { TT_PROGRESS_LINES, TT_PROGRESS_LIVE, TT_PROGRESS_JSON, TT_PROGRESS_NONE };

struct tt_progress {
    const struct tt_plan *plan;
    enum tt_progress_style style;
    bool color;
    /* live: what stands on the screen below the finished steps */
    struct tt_step_progress *steps;
    int drawn; /* lines */
    pthread_mutex_t mutex;
    pthread_t ticker;
    bool ticking, finished;
};

/* Begins; a live display redraws itself until tt_progress_end. ARENA outlives it. */
void tt_progress_begin(struct tt_progress *progress, struct tt_arena *arena,
                       const struct tt_plan *plan, enum tt_progress_style style, bool color);

/* The callback of tt_apply_request. */
void tt_progress_step(void *self, int step, const struct tt_step_progress *state);

void tt_progress_end(struct tt_progress *progress);

/* Says TEXT on standard error, above a live display. */
void tt_progress_say(void *self, const char *text);

#endif
