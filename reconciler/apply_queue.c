/*
 * The queue of steps and their states: which may start, what the end of one means for those after
 * it. A step goes queue → call → wait → end, and a balancer's new machine goes round twice.
 */
#include "reconciler/apply_queue.h"

#include <string.h>

#include "base/str.h"

/* --- shared with the other parts ------------------------------------------------------------- */

void tt_apply_set(struct tt_apply_run *run, const char **field, const char *text)
{
    pthread_mutex_lock(&run->lock);
    *field = tt_strdup(run->arena, text);
    pthread_mutex_unlock(&run->lock);
}

const char *tt_apply_get(const struct tt_apply_run *run, const char *const *field)
{
    pthread_mutex_t *lock = (pthread_mutex_t *)&run->lock;
    const char *text;

    pthread_mutex_lock(lock);
    text = *field;
    pthread_mutex_unlock(lock);
    return text;
}

static void tell(struct tt_apply_run *run, int step)
{
    if (run->request->progress)
        run->request->progress(run->request->progress_self, step, &run->progress[step]);
}

void tt_apply_note(struct tt_apply_run *run, int step, const char *note)
{
    pthread_mutex_lock(&run->lock);
    if (strcmp(run->progress[step].note, note) != 0) {
        run->progress[step].note = tt_strdup(run->arena, note);
        tell(run, step);
    }
    pthread_mutex_unlock(&run->lock);
}

/* --- states; all of it under the lock --------------------------------------------------------- */

static void enqueue(struct tt_apply_run *run, int step)
{
    int place = (run->queue_head + run->queue_count++) % (int)run->plan->steps.count;

    run->queue[place] = step;
    pthread_cond_signal(&run->queued);
}

static void set_state(struct tt_apply_run *run, int step, enum tt_step_state state)
{
    struct tt_step_progress *progress = &run->progress[step];

    progress->state = state;
    if (state == TT_STEP_STATE_RUNNING)
        progress->began = tt_monotonic();
    else
        progress->ended = tt_monotonic();
    tell(run, step);
}

static const char *word_of_end(enum tt_step_state state)
{
    switch (state) {
    case TT_STEP_STATE_FAILED:
        return "failed";
    case TT_STEP_STATE_HELD:
        return "is held";
    default:
        return "was left out";
    }
}

/* Takes every step that waits for STEP out of the run; STEP failed, is held or was skipped itself.
 * With a stack instead of recursion, as a chain may be as long as the plan. */
static void skip_dependents(struct tt_apply_run *run, int step)
{
    int depth = 0;

    run->ends[depth++] = step;
    while (depth) {
        int ended = run->ends[--depth];
        const char *how = word_of_end(run->progress[ended].state);

        for (int i = 0; i < run->steps[ended].dependent_count; i++) {
            int next = run->steps[ended].dependents[i];

            if (run->progress[next].state != TT_STEP_STATE_WAITING)
                continue;
            tt_fail(&run->progress[next].error, TT_ERR_CONFLICT,
                    "left out: it comes after step s%d, which %s", ended + 1, how);
            set_state(run, next, TT_STEP_STATE_SKIPPED);
            run->ends[depth++] = next;
        }
    }
}

/* Why nothing may be started any more; NULL: it may. */
static const char *closed_because(struct tt_apply_run *run)
{
    bool asked = run->request->stop && atomic_load(run->request->stop);

    run->stopped = run->stopped || asked || run->closed;
    return asked ? "left out: the run was stopped" : run->closed;
}

void tt_apply_skip(struct tt_apply_run *run, int step, const char *why)
{
    tt_fail(&run->progress[step].error, TT_ERR_CONFLICT, "%s", why);
    set_state(run, step, TT_STEP_STATE_SKIPPED);
    skip_dependents(run, step);
}

static void open_dependents(struct tt_apply_run *run, int step)
{
    for (int i = 0; i < run->steps[step].dependent_count; i++) {
        int next = run->steps[step].dependents[i];

        if (--run->steps[next].open_before > 0 ||
            run->progress[next].state != TT_STEP_STATE_WAITING)
            continue;
        run->open++;
        enqueue(run, next);
    }
}

/* One step fewer is under way; everybody hears of the last one. */
static void leave(struct tt_apply_run *run)
{
    run->open--;
    pthread_cond_signal(&run->waiting);
    if (!run->open)
        pthread_cond_broadcast(&run->queued);
}

static void end_step(struct tt_apply_run *run, int step, bool done, const struct tt_error *err)
{
    if (done) {
        set_state(run, step, TT_STEP_STATE_DONE);
        open_dependents(run, step);
    } else {
        run->progress[step].error = *err;
        set_state(run, step, TT_STEP_STATE_FAILED);
        skip_dependents(run, step);
    }
    run->unwritten[run->unwritten_count++] = step;
    leave(run);
}

void tt_apply_proceed(struct tt_apply_run *run, int step, enum tt_progress_word word,
                      const struct tt_error *err)
{
    switch (word) {
    case TT_GO_DONE:
    case TT_GO_FAILED:
        end_step(run, step, word == TT_GO_DONE, err);
        break;
    case TT_GO_WAIT:
        run->watched[run->watched_count++] = step;
        run->begun_waits++;
        pthread_cond_signal(&run->waiting);
        break;
    case TT_GO_ON:
        run->steps[step].stage++;
        enqueue(run, step);
        break;
    }
}

/* Held steps and what depends on them are out from the beginning; what waits for nothing is in. */
void tt_apply_open_first(struct tt_apply_run *run)
{
    const struct tt_plan *plan = run->plan;

    TT_EACH (step, &plan->steps)
        if (step->held)
            set_state(run, (int)(step - plan->steps.items), TT_STEP_STATE_HELD);
    TT_EACH (step, &plan->steps)
        if (step->held)
            skip_dependents(run, (int)(step - plan->steps.items));
    for (int i = 0; i < (int)plan->steps.count; i++) {
        if (run->progress[i].state != TT_STEP_STATE_WAITING || run->steps[i].open_before)
            continue;
        run->open++;
        enqueue(run, i);
    }
}

/* The next step to call, or -1 when the run is over. A step that may not start any more ends here;
 * one that has begun is finished. */
int tt_apply_take(struct tt_apply_run *run)
{
    for (;;) {
        const char *closed;
        int step;

        while (!run->queue_count && run->open && !run->alone)
            pthread_cond_wait(&run->queued, &run->lock);
        if (!run->queue_count)
            return -1;
        step = run->queue[run->queue_head];
        run->queue_head = (run->queue_head + 1) % (int)run->plan->steps.count;
        run->queue_count--;
        if (run->steps[step].stage > 0)
            return step;
        closed = closed_because(run);
        if (!closed) {
            set_state(run, step, TT_STEP_STATE_RUNNING);
            return step;
        }
        tt_apply_skip(run, step, closed);
        leave(run);
    }
}
