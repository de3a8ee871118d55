/*
 * Apply: the scheduler.
 *
 * Workers take steps from a queue and make their calls (apply_try.h); the calling thread is the
 * observer: it looks at the clouds for all steps that wait, sees whose wait is over, and ends those
 * that waited too long. The end of a step opens the steps after it, or skips them. So a step goes
 * queue → call → wait → end, and a balancer's new machine goes round twice: it is made, and once it
 * runs it is told how to balance.
 */
#include "reconciler/apply.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/str.h"
#include "reconciler/apply_observer.h"
#include "reconciler/apply_run.h"

#define MOST_WORKERS 256

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
    if (run->request->stop && atomic_load(run->request->stop)) {
        run->stopped = true;
        return "left out: the run was stopped";
    }
    return run->journal_lost ? "left out: the journal cannot be written" : NULL;
}

static void skip(struct tt_apply_run *run, int step, const char *why)
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

/* --- workers --------------------------------------------------------------------------------- */

/* The next step to call, or -1 when the run is over. A step that may not start any more ends here;
 * one that has begun is finished. */
static int take_step(struct tt_apply_run *run)
{
    for (;;) {
        const char *closed;
        int step;

        while (!run->queue_count && run->open)
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
        skip(run, step, closed);
        leave(run);
    }
}

static void *work(void *self)
{
    struct tt_apply_run *run = self;
    int step;

    pthread_mutex_lock(&run->lock);
    while ((step = take_step(run)) >= 0) {
        struct tt_error err = {0};
        enum tt_progress_word word;

        pthread_mutex_unlock(&run->lock);
        word = tt_apply_try(run, step, &err);
        pthread_mutex_lock(&run->lock);
        tt_apply_proceed(run, step, word, &err);
    }
    pthread_mutex_unlock(&run->lock);
    return NULL;
}

/* --- the run --------------------------------------------------------------------------------- */

static int check_plan(const struct tt_plan *plan, struct tt_error *err)
{
    int count = (int)plan->steps.count;

    TT_EACH (step, &plan->steps)
        TT_EACH (before, &step->after)
            if (*before < 0 || *before >= count)
                return tt_fail(err, TT_ERR_SPEC,
                               "step s%d of the plan comes after s%d, which does "
                               "not exist",
                               (int)(step - plan->steps.items) + 1, *before + 1);
    return 0;
}

static void link_steps(struct tt_arena *arena, struct tt_apply_run *run)
{
    const struct tt_plan *plan = run->plan;

    TT_EACH (step, &plan->steps)
        TT_EACH (before, &step->after)
            run->steps[*before].dependent_count++;
    for (size_t i = 0; i < plan->steps.count; i++) {
        struct tt_step_run *state = &run->steps[i];

        state->dependents = TT_NEW_ARRAY(arena, (size_t)state->dependent_count, int);
        state->dependent_count = 0;
        state->open_before = (int)plan->steps.items[i].after.count;
    }
    TT_EACH (step, &plan->steps)
        TT_EACH (before, &step->after) {
            struct tt_step_run *state = &run->steps[*before];

            state->dependents[state->dependent_count++] = (int)(step - plan->steps.items);
        }
}

static int make_salt(struct tt_apply_run *run, struct tt_error *err)
{
    unsigned char bytes[TT_TOKEN_LENGTH / 2];

    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        return tt_fail_errno(err, TT_ERR_INTERNAL, "cannot get random bytes");
    for (size_t i = 0; i < sizeof(bytes); i++)
        snprintf(run->salt + 2 * i, 3, "%02x", bytes[i]);
    return 0;
}

static void init_run(struct tt_arena *arena, const struct tt_apply_request *request,
                     struct tt_apply_run *run)
{
    size_t count = request->plan->steps.count;

    run->request = request;
    run->plan = request->plan;
    run->arena = arena;
    run->steps = TT_NEW_ARRAY(arena, count, struct tt_step_run);
    run->progress = TT_NEW_ARRAY(arena, count, struct tt_step_progress);
    run->queue = TT_NEW_ARRAY(arena, count, int);
    run->ends = TT_NEW_ARRAY(arena, count + 1, int);
    run->watched = TT_NEW_ARRAY(arena, count, int);
    for (size_t i = 0; i < count; i++)
        run->progress[i].note = "";
    link_steps(arena, run);
    tt_apply_find_makers(arena, run);
}

/* Held steps and what depends on them are out from the beginning; what waits for nothing is in. */
static void open_first(struct tt_apply_run *run)
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

/* The threads' part; -1 when not one could be started. */
static int run_threads(struct tt_apply_run *run, struct tt_error *err)
{
    const struct tt_apply_request *request = run->request;
    int wanted = request->parallelism < 1 ? 1 : request->parallelism;
    int steps = (int)run->plan->steps.count, started = 0;
    pthread_t threads[MOST_WORKERS];

    if (wanted > MOST_WORKERS)
        wanted = MOST_WORKERS;
    while (started < wanted && started < steps &&
           pthread_create(&threads[started], NULL, work, run) == 0)
        started++;
    if (steps && !started)
        return tt_fail(err, TT_ERR_INTERNAL, "cannot start a thread");
    tt_apply_watch(run);
    while (started)
        pthread_join(threads[--started], NULL);
    return 0;
}

static void sum_up(struct tt_apply_run *run, struct tt_apply_outcome *outcome)
{
    *outcome = (struct tt_apply_outcome){.stopped = run->stopped, .steps = run->progress};
    for (int i = 0; i < (int)run->plan->steps.count; i++) {
        /* a plan whose steps wait for each other: nothing ever opened them */
        if (run->progress[i].state == TT_STEP_STATE_WAITING)
            skip(run, i, "left out: the steps before it wait for each other");
    }
    for (size_t i = 0; i < run->plan->steps.count; i++) {
        enum tt_step_state state = run->progress[i].state;

        outcome->done += state == TT_STEP_STATE_DONE;
        outcome->failed += state == TT_STEP_STATE_FAILED;
        outcome->skipped += state == TT_STEP_STATE_SKIPPED;
        outcome->held += state == TT_STEP_STATE_HELD;
    }
}

int tt_apply(struct tt_arena *arena, const struct tt_apply_request *request,
             struct tt_apply_outcome *ret_outcome, struct tt_error *err)
{
    struct tt_apply_run run = {.lock = PTHREAD_MUTEX_INITIALIZER,
                               .queued = PTHREAD_COND_INITIALIZER,
                               .waiting = PTHREAD_COND_INITIALIZER};
    int result;

    if (check_plan(request->plan, err) < 0 || make_salt(&run, err) < 0)
        return -1;
    init_run(arena, request, &run);
    open_first(&run);
    result = run_threads(&run, err);
    if (result == 0) {
        sum_up(&run, ret_outcome);
        if (tt_apply_remember(&run, &ret_outcome->store_error) < 0)
            tt_wrap(&ret_outcome->store_error, "what the run left cannot be remembered");
    }
    pthread_cond_destroy(&run.queued);
    pthread_cond_destroy(&run.waiting);
    pthread_mutex_destroy(&run.lock);
    return result;
}
