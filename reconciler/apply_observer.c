/*
 * The observer: the slower things go, the seldomer it looks. It begins anew with every wait that
 * begins, never looks more often than an account of the kind bears, and spends at most half of the
 * time with looking.
 */
#include "reconciler/apply_observer.h"

#include "base/str.h"

#define NEAR_INTERVAL 100  /* ms: this host, simulations */
#define FAR_INTERVAL  2000 /* clouds with request limits */
#define LONGEST       5000

/* What one look at the steps needs. */
struct look {
    struct tt_arena scratch;
    int *steps;
    int count;
};

/* An endpoint on this host is an emulator of a cloud, not one that others share. */
static bool is_near(const struct tt_account *account)
{
    const char *endpoint = account->endpoint;

    return account->provider == TT_PROVIDER_LOCAL || account->provider == TT_PROVIDER_SIM ||
           account->provider == TT_PROVIDER_FILE ||
           (endpoint && tt_starts_with(endpoint, "http://127.0.0.1:"));
}

/* The shortest interval that the accounts of the waits allow; under the lock. */
static tt_time base_interval(const struct tt_apply_run *run)
{
    for (int i = 0; i < run->watched_count; i++) {
        const struct tt_step *step = &run->plan->steps.items[run->watched[i]];
        const struct tt_account *account = tt_desired_account(run->request->desired, step->account);

        if (account && !is_near(account))
            return FAR_INTERVAL;
    }
    return NEAR_INTERVAL;
}

static int begun_waits(struct tt_apply_run *run)
{
    int begun;

    pthread_mutex_lock(&run->lock);
    begun = run->begun_waits;
    pthread_mutex_unlock(&run->lock);
    return begun;
}

/* Sleeps for INTERVAL, or less when a new wait began meanwhile: only until BASE is over then. */
static void nap(struct tt_apply_run *run, tt_time interval, tt_time base, int begun)
{
    const struct tt_clock *clock = run->request->clock;

    for (tt_time slept = 0; slept < interval; slept += NEAR_INTERVAL) {
        if (slept >= base && begun_waits(run) != begun)
            return;
        clock->sleep(clock->self,
                     interval - slept < NEAR_INTERVAL ? interval - slept : NEAR_INTERVAL);
    }
}

static void copy_waits(const struct tt_apply_run *run, struct look *look)
{
    look->count = run->watched_count;
    look->steps = TT_NEW_ARRAY(&look->scratch, (size_t)look->count, int);
    for (int i = 0; i < look->count; i++)
        look->steps[i] = run->watched[i];
}

static void unwatch(struct tt_apply_run *run, int step)
{
    for (int i = 0; i < run->watched_count; i++)
        if (run->watched[i] == step) {
            run->watched[i] = run->watched[--run->watched_count];
            return;
        }
}

/* A wait that took too long fails, with what it waited for last. */
static enum tt_progress_word check_patience(struct tt_apply_run *run, int step, const char *note,
                                            struct tt_error *err)
{
    struct tt_step_run *state = &run->steps[step];
    tt_time now = tt_clock_steady(run->request->clock);
    struct tt_arena scratch = {0};

    if (!state->deadline)
        state->deadline = now + tt_apply_patience(run, step);
    if (now < state->deadline)
        return TT_GO_WAIT;
    tt_fail(err, TT_ERR_TIMEOUT, "gave up after %s: %s",
            tt_duration_format(&scratch, tt_apply_patience(run, step)), note);
    tt_arena_release(&scratch);
    return TT_GO_FAILED;
}

static void answer(struct tt_apply_run *run, const struct tt_world *world, int step)
{
    struct tt_error err = {0};
    const char *note = "";
    enum tt_progress_word word = tt_apply_check(run, step, world, &note, &err);

    if (word == TT_GO_WAIT)
        word = check_patience(run, step, note, &err);
    tt_apply_note(run, step, word == TT_GO_DONE ? "" : note);
    if (word == TT_GO_WAIT)
        return;
    pthread_mutex_lock(&run->lock);
    unwatch(run, step);
    tt_apply_proceed(run, step, word, &err);
    pthread_mutex_unlock(&run->lock);
}

/* One observation for the steps that wait now; returns how long it took. */
static tt_time look_once(struct tt_apply_run *run)
{
    struct look look = {0};
    tt_time began = tt_monotonic();
    const struct tt_world *world;

    pthread_mutex_lock(&run->lock);
    copy_waits(run, &look);
    pthread_mutex_unlock(&run->lock);
    world = tt_apply_observe(run, &look.scratch, look.steps, look.count);
    for (int i = 0; i < look.count; i++)
        answer(run, world, look.steps[i]);
    tt_apply_close_seen(run, look.steps, look.count);
    tt_apply_write_ends(run);
    tt_arena_release(&look.scratch);
    return tt_monotonic() - began;
}

/* Waits until a step waits; false: the run is over. Also tells the shortest interval. */
static bool await_waits(struct tt_apply_run *run, tt_time *ret_base, int *ret_begun)
{
    bool more;

    pthread_mutex_lock(&run->lock);
    while (run->open && !run->watched_count)
        pthread_cond_wait(&run->waiting, &run->lock);
    more = run->open > 0;
    *ret_base = base_interval(run);
    *ret_begun = run->begun_waits;
    pthread_mutex_unlock(&run->lock);
    return more;
}

void tt_apply_watch(struct tt_apply_run *run)
{
    tt_time interval = 0, took = 0, base;
    int begun, known = 0;

    while (await_waits(run, &base, &begun)) {
        interval = begun != known || interval < base ? base : interval * 3 / 2;
        if (interval > LONGEST)
            interval = LONGEST;
        if (interval < took)
            interval = took;
        known = begun;
        nap(run, interval, base, begun);
        took = look_once(run);
    }
}

void tt_apply_glance(struct tt_apply_run *run)
{
    const struct tt_clock *clock = run->request->clock;
    tt_time interval = base_interval(run);

    clock->sleep(clock->self, interval << clock->choose(clock->self, 4));
    look_once(run);
}
