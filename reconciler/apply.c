/*
 * Apply: a run from its beginning to its end.
 *
 * Workers take steps from the queue (apply_queue.h) and make their calls (apply_try.c); the calling
 * thread is the observer (apply_observer.h): it looks at the clouds for all steps that wait and
 * ends their waits. A balancer's new machine goes round twice: it is made, and once it runs it is
 * told how to balance.
 */
#include "reconciler/apply.h"

#include <stdio.h>
#include <sys/random.h>

#include "reconciler/apply_lent.h"
#include "reconciler/apply_observer.h"
#include "reconciler/apply_queue.h"

#define MOST_WORKERS 256

static void *work(void *self)
{
    struct tt_apply_run *run = self;
    int step;

    pthread_mutex_lock(&run->lock);
    while ((step = tt_apply_take(run)) >= 0) {
        struct tt_error err = {0};
        enum tt_progress_word word;

        pthread_mutex_unlock(&run->lock);
        word = tt_apply_try(run, step, &err);
        pthread_mutex_lock(&run->lock);
        tt_apply_proceed(run, step, word, &err);
        pthread_mutex_unlock(&run->lock);
        tt_apply_write_ends(run);
        pthread_mutex_lock(&run->lock);
    }
    pthread_mutex_unlock(&run->lock);
    return NULL;
}

/* Brings the step at PLACE of the queue to its head. */
static void rotate(struct tt_apply_run *run, size_t place)
{
    int size = (int)run->plan->steps.count, at = (run->queue_head + (int)place) % size;
    int head = run->queue[run->queue_head];

    run->queue[run->queue_head] = run->queue[at];
    run->queue[at] = head;
}

/* All of it on this thread: after every call and every look the clock chooses which is next. */
static void work_alone(struct tt_apply_run *run)
{
    const struct tt_clock *clock = run->request->clock;

    while (run->open) {
        if (run->queue_count && (!run->watched_count || clock->choose(clock->self, 3))) {
            struct tt_error err = {0};
            int step;

            rotate(run, clock->choose(clock->self, (size_t)run->queue_count));
            pthread_mutex_lock(&run->lock);
            step = tt_apply_take(run);
            pthread_mutex_unlock(&run->lock);
            if (step >= 0) {
                enum tt_progress_word word = tt_apply_try(run, step, &err);

                pthread_mutex_lock(&run->lock);
                tt_apply_proceed(run, step, word, &err);
                pthread_mutex_unlock(&run->lock);
                tt_apply_write_ends(run);
            }
        } else {
            tt_apply_glance(run);
        }
    }
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

    const struct tt_clock *clock = run->request->clock;

    if (clock->choose)
        for (size_t i = 0; i < sizeof(bytes); i++)
            bytes[i] = (unsigned char)clock->choose(clock->self, 256);
    else if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        return tt_fail_errno(err, TT_ERR_INTERNAL, "cannot get random bytes");
    for (size_t i = 0; i < sizeof(bytes); i++)
        snprintf(run->salt + 2 * i, 3, "%02x", bytes[i]);
    return 0;
}

static void init_run(struct tt_arena *arena, const struct tt_apply_request *request,
                     struct tt_apply_run *run)
{
    size_t count = request->plan->steps.count;

    run->plan = request->plan;
    run->arena = arena;
    run->steps = TT_NEW_ARRAY(arena, count, struct tt_step_run);
    run->progress = TT_NEW_ARRAY(arena, count, struct tt_step_progress);
    run->queue = TT_NEW_ARRAY(arena, count, int);
    run->ends = TT_NEW_ARRAY(arena, count + 1, int);
    run->unwritten = TT_NEW_ARRAY(arena, count, int);
    run->watched = TT_NEW_ARRAY(arena, count, int);
    for (size_t i = 0; i < count; i++)
        run->progress[i].note = "";
    link_steps(arena, run);
    tt_apply_find_makers(arena, run);
}

/* The threads' part; -1 when not one could be started. */
static int run_threads(struct tt_apply_run *run, struct tt_error *err)
{
    const struct tt_apply_request *request = run->request;
    int wanted = request->parallelism < 1 ? 1 : request->parallelism;
    int steps = (int)run->plan->steps.count, started = 0;
    pthread_t threads[MOST_WORKERS];

    if (run->alone) {
        work_alone(run);
        return 0;
    }
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
            tt_apply_skip(run, i, "left out: the steps before it wait for each other");
    }
    for (size_t i = 0; i < run->plan->steps.count; i++) {
        enum tt_step_state state = run->progress[i].state;

        run->progress[i].server = run->steps[i].made.server;
        outcome->done += state == TT_STEP_STATE_DONE;
        outcome->failed += state == TT_STEP_STATE_FAILED;
        outcome->skipped += state == TT_STEP_STATE_SKIPPED;
        outcome->held += state == TT_STEP_STATE_HELD;
    }
}

static int note_lent(const struct tt_apply_request *request, struct tt_error *err)
{
    const struct tt_lent_note note = {.desired = request->desired,
                                      .world = request->world,
                                      .lock = request->lock,
                                      .forget = request->allow_vanished};

    return request->store ? tt_apply_note_lent(request->store, &note, err) : 0;
}

int tt_apply(struct tt_arena *arena, const struct tt_apply_request *request,
             struct tt_apply_outcome *ret_outcome, struct tt_error *err)
{
    struct tt_apply_run run = {.request = request,
                               .alone = request->clock->choose != NULL,
                               .lock = PTHREAD_MUTEX_INITIALIZER,
                               .queued = PTHREAD_COND_INITIALIZER,
                               .waiting = PTHREAD_COND_INITIALIZER,
                               .joined = PTHREAD_COND_INITIALIZER};
    int result;

    if (check_plan(request->plan, err) < 0 || make_salt(&run, err) < 0)
        return -1;
    init_run(arena, request, &run);
    result = tt_apply_resolve(&run, err);
    if (result == 0)
        result = note_lent(request, err);
    if (result < 0)
        tt_wrap(err, "nothing was begun, because the journal cannot be read or written");
    if (result == 0) {
        tt_apply_open_first(&run);
        result = run_threads(&run, err);
    }
    if (result == 0) {
        sum_up(&run, ret_outcome);
        if (tt_apply_remember(&run, &ret_outcome->store_error) < 0)
            tt_wrap(&ret_outcome->store_error, "what the run left cannot be remembered");
    }
    pthread_cond_destroy(&run.queued);
    pthread_cond_destroy(&run.waiting);
    pthread_cond_destroy(&run.joined);
    pthread_mutex_destroy(&run.lock);
    return result;
}
