/*
 * Process: one run of trimtab as `apply` makes it: lock, observe, remember, plan, carry out.
 */
#include <string.h>

#include "reconciler/observe.h"
#include "reconciler/planner.h"
#include "tests/simulate/disk.h"
#include "tests/simulate/history.h"

static tt_time process_steady(void *self)
{
    const struct process *p = self;

    return p->history->now + p->skew;
}

static tt_time process_now(void *self)
{
    const struct process *p = self;

    return p->history->now + p->skew + p->history->clock_error;
}

static void process_sleep(void *self, tt_time delay)
{
    struct process *p = self;

    if (p->crashed)
        p->skew += INT64_C(3600) * 1000;
    else
        p->history->now += delay;
}

static size_t process_choose(void *self, size_t count)
{
    struct process *p = self;

    p->history->schedule =
        p->history->schedule * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (size_t)(p->history->schedule >> 33) % count;
}

static void open_clouds(struct process *p, struct tt_arena *arena, struct tt_clouds *clouds)
{
    TT_EACH (account, &p->desired->accounts)
        *TT_VEC_ADD(arena, &clouds->items) = (struct tt_cloud){
            .account = *account,
            .provider = faults_decorate(
                arena, tt_sim_account(p->history->sim, arena, (*account)->name, p->desired->owner),
                p, (*account)->name)};
}

/* -1: somebody else is at work. */
static int take_lock(struct process *p, struct tt_arena *arena)
{
    struct history *h = p->history;
    struct tt_strings deployments = {0};
    struct tt_error err = {0};

    tt_strings_add(arena, &deployments, "shop");
    for (int tries = 0;
         tt_store_lock(p->store, &deployments, "apply", process_now(p), LEASE, &p->token, &err) < 0;
         tries++) {
        say(h, "run %d: %s", p->number, err.message);
        /* on the host of a run that died one knows at once that it did */
        if (h->depth == 1 && h->holder_died && !p->crashed && (h->calm || process_choose(p, 2)) &&
            tt_store_break_lock(p->store, "shop", &err) == 0) {
            err = (struct tt_error){0};
            tries--;
            h->holder_died = false;
            continue;
        }
        if (h->depth > 1 || p->crashed || p->store_failed)
            return -1;
        if (tries == 1) {
            broke(h, "a crashed run blocks the next one for longer than its lease: %s",
                  err.message);
            return -1;
        }
        h->now += LEASE + 1;
        err = (struct tt_error){0};
    }
    p->holds = true;
    p->renewed = h->now;
    h->holder_died = false;
    if (p->crashed)
        return -1;
    if (h->holder)
        broke(h, "two runs hold the lock of one deployment");
    h->holder = p;
    return 0;
}

static struct tt_plan *make_plan(struct process *p, struct tt_arena *arena,
                                 const struct tt_clouds *clouds)
{
    struct history *h = p->history;
    tt_lent_members lent = {0};
    const struct tt_observe_options observe_options = {.lent = &lent};
    const struct tt_plan_options options = {.allow_destroy = h->calm ? 1000 : 0,
                                            .allow_vanished = h->calm};
    struct tt_memory memory = {0};
    struct tt_plan *plan = NULL;
    struct tt_error err = {0};

    p->misfortunes = h->misfortunes;
    if (tt_store_read_lent(p->store, arena, &lent, &err) < 0) {
        broke(h, "the store cannot be read: %s", err.message);
        return NULL;
    }
    for (;;) {
        tt_time began = tt_clock_steady(&p->clock), seen;

        p->world = tt_observe(arena, clouds, p->desired, &p->clock, &observe_options);
        if (p->crashed)
            return NULL;
        seen = process_now(p) - (tt_clock_steady(&p->clock) - began);
        if (tt_apply_count_unseen(p->store, p->desired, p->world, seen, &err) <= 0)
            break;
        process_sleep(p, 1000);
    }
    if (tt_store_load_memory(p->store, arena, process_now(p), &memory, &err) < 0 ||
        tt_planner_plan(arena, p->desired, p->world, &memory, process_now(p), &options, &plan,
                        &err) < 0) {
        broke(h, "no plan can be made: %s", err.message);
        return NULL;
    }
    TT_EACH (problem, &plan->problems)
        say(h, "run %d: problem %s: %s", p->number, problem->code, problem->message);
    return plan;
}

/* The store may fail where a fault made it. */
static int store_broke(struct process *p, const char *what, const struct tt_error *err)
{
    if (p->crashed || p->store_failed)
        say(p->history, "run %d: %s: %s", p->number, what, err->message);
    else
        broke(p->history, "%s: %s", what, err->message);
    return -1;
}

static int carry_out(struct process *p, struct tt_arena *arena, const struct tt_plan *plan,
                     const struct tt_clouds *clouds)
{
    struct history *h = p->history;
    struct tt_apply_outcome outcome = {0};
    struct tt_error err = {0};
    struct tt_run_record record = {
        .began = process_now(p), .command = "apply", .revision = plan->revision};
    struct tt_apply_request request = {.desired = p->desired,
                                       .world = p->world,
                                       .plan = plan,
                                       .clouds = clouds,
                                       .clock = &p->clock,
                                       .store = p->store,
                                       .lock = p->token,
                                       .allow_vanished = h->calm,
                                       .parallelism = 1,
                                       .stop = &p->stop};

    if (tt_store_begin_run(p->store, &record, plan, &record.id, &err) < 0)
        return store_broke(p, "the store", &err);
    request.run = p->run = record.id;
    if (tt_apply(arena, &request, &outcome, &err) < 0)
        return store_broke(p, "apply", &err);
    if (p->crashed)
        return -1;
    for (size_t i = 0; i < plan->steps.count; i++)
        if (outcome.steps[i].state == TT_STEP_STATE_FAILED)
            say(h, "run %d: s%zu %s of %s failed: %s", p->number, i + 1,
                tt_action_words[plan->steps.items[i].action],
                tt_subject_text(arena, &plan->steps.items[i].subject),
                outcome.steps[i].error.message);
    say(h, "run %d ends: %d done, %d failed, %d left out, %d held", p->number, outcome.done,
        outcome.failed, outcome.skipped, outcome.held);
    record.result = outcome.failed ? "failed" : "done";
    record.ended = process_now(p);
    if (tt_store_end_run(p->store, &record, &err) < 0 ||
        (p->token && tt_store_unlock(p->store, p->token, &err) < 0))
        store_broke(p, "the store", &err);
    return (int)plan->steps.count;
}

/* Most runs go on with the connection of one before, even of one that crashed: what it had not
 * committed is rolled back. The others open their own. */
static int take_store(struct process *p, struct tt_error *err)
{
    struct history *h = p->history;

    if (h->store && (h->depth > 1 || process_choose(p, 8) == 0))
        history_close_store(h);
    disk_fill(-1);
    if (!h->store)
        return tt_store_open(h->folder, &p->store, err);
    p->store = h->store;
    h->store = NULL;
    return 0;
}

static void give_store(struct process *p)
{
    storage_leave(p);
    tt_store_use_clock(p->store, NULL);
    if (p->history->store)
        tt_store_close(p->store);
    else
        p->history->store = p->store;
}

void history_close_store(struct history *h)
{
    tt_store_close(h->store);
    h->store = NULL;
}

int process_run(struct history *h)
{
    struct tt_arena arena = {0};
    struct tt_clouds clouds = {0};
    struct tt_error err = {0};
    struct process p = {.history = h, .number = ++h->runs};
    const struct tt_plan *plan;
    int steps = -1;

    h->depth++;
    p.clock = (struct tt_clock){.now = process_now,
                                .sleep = process_sleep,
                                .self = &p,
                                .choose = process_choose,
                                .steady = process_steady};
    p.desired = commit_desired(h, &arena);
    if (take_store(&p, &err) < 0) {
        broke(h, "the store: %s", err.message);
    } else {
        say(h, "run %d begins", p.number);
        tt_store_use_clock(p.store, &p.clock);
        storage_watch(&p);
        open_clouds(&p, &arena, &clouds);
        if (take_lock(&p, &arena) == 0 && (plan = make_plan(&p, &arena, &clouds))) {
            say(h, "run %d plans %zu steps", p.number, plan->steps.count);
            referee_start(&p);
            steps = carry_out(&p, &arena, plan, &clouds);
        }
        give_store(&p);
    }
    if (h->holder == &p)
        h->holder = NULL;
    h->depth--;
    tt_clouds_close(&clouds);
    tt_arena_release(&arena);
    return steps;
}
