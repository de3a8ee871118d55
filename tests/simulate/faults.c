/*
 * Faults: a decorator in front of the simulated cloud that refuses, loses and delays calls, crashes
 * the run at any call's boundary, and shows every call that takes effect to the referee.
 */
#include <stdio.h>

#include "tests/simulate/history.h"

struct faulty {
    struct tt_intercept intercept;
    struct process *process;
    const char *account;
};

void process_crash(struct process *process, const char *where)
{
    say(process->history, "run %d crashes %s", process->number, where);
    process->crashed = true;
    process->history->holder_died = process->holds;
    if (process->history->holder == process)
        process->history->holder = NULL;
    atomic_store(&process->stop, true);
}

static int crash(struct process *p, const struct tt_call *call, const char *when,
                 struct tt_error *err)
{
    char where[160];

    snprintf(where, sizeof(where), "%s %s of %s", when, tt_call_member_words[call->member],
             call->object);
    process_crash(p, where);
    return tt_fail(err, TT_ERR_DENIED, "crashed");
}

static int lose(struct process *p, const struct tt_call *call, enum tt_error_class class,
                const char *what, struct tt_error *err)
{
    say(p->history, "run %d: %s of %s: %s", p->number, tt_call_member_words[call->member],
        call->object, what);
    return tt_fail(err, class, "%s", what);
}

static void renew(struct process *p)
{
    struct tt_error err = {0};

    if (!p->holds || p->history->now - p->renewed < 20000)
        return;
    if (tt_store_renew(p->store, p->token, p->clock.now(p), LEASE, &err) < 0) {
        say(p->history, "run %d lost its lock and stops", p->number);
        if (p->history->holder == p)
            p->history->holder = NULL;
        p->holds = false;
        atomic_store(&p->stop, true);
    }
    p->renewed = p->history->now;
}

/* The process is stopped for longer than its lease, and another run has its turn. The call that was
 * on its way goes on its way. */
static void stand_still(struct process *p)
{
    struct history *h = p->history;

    say(h, "run %d is paused", p->number);
    h->misfortunes++;
    h->holder = NULL;
    h->now += LEASE + (tt_time)roll(h, 600) * 1000;
    process_run(h);
    p->belated = true;
    say(h, "run %d goes on", p->number);
}

/* A run that has lost its lock begins no call that changes a cloud. */
static void check_fence(struct process *p, const struct tt_call *call)
{
    if (call->member != TT_CALL_OBSERVE && call->member != TT_CALL_RUN && p->token &&
        tt_store_check_lock(p->store, p->token, NULL) < 0)
        broke(p->history, "run %d lost its lock and goes on with %s of %s", p->number,
              tt_call_member_words[call->member], call->object);
}

/* The call passes; the referee looks at the cloud before and after it. */
static int pass(struct faulty *faulty, struct tt_call *call, struct tt_error *err)
{
    struct process *p = faulty->process;
    struct tt_arena scratch = {0};
    struct tt_world *before;
    int result;

    p->history->calls++;
    if (call->member == TT_CALL_OBSERVE)
        return tt_intercept_proceed(&faulty->intercept, call, err);
    before = tt_sim_world(p->history->sim, &scratch);
    if (!p->belated && !storage_announces(p, call))
        broke(p->history, "the journal knows nothing of %s of %s",
              tt_call_member_words[call->member], call->object);
    referee_before(p, faulty->account, call, before);
    result = tt_intercept_proceed(&faulty->intercept, call, err);
    if (call->member != TT_CALL_RUN)
        say(p->history, "run %d: %s of %s %s%s%s", p->number, tt_call_member_words[call->member],
            call->object, call->server ? call->server : "", result < 0 ? " fails: " : "",
            result < 0 ? err->message : "");
    if (result == 0)
        referee_after(p, faulty->account, call, before, tt_sim_world(p->history->sim, &scratch));
    tt_arena_release(&scratch);
    return result;
}

/* Half of what the call wanted happens: zones come and none goes, an address has left its machine,
 * a machine is stopped and not deleted. The answer does not come. True: CALL is one of these. */
static bool halve(struct faulty *faulty, struct tt_call *call)
{
    struct tt_sim *sim = faulty->process->history->sim;
    struct tt_arena scratch = {0};
    const struct tt_region *region =
        tt_world_region(tt_sim_world(sim, &scratch), faulty->account, call->region);
    const struct tt_server *server;
    bool halved = false;

    if (call->member == TT_CALL_SET_ZONES) {
        struct tt_strings both = {0};

        TT_EACH (zone, tt_region_balancer(region, call->object)->zones)
            tt_strings_add(&scratch, &both, *zone);
        TT_EACH (zone, call->zones)
            if (!tt_strings_has(&both, *zone))
                tt_strings_add(&scratch, &both, *zone);
        tt_sim_set_balancer_zones(sim, faulty->account, call->region, call->object, &both);
        halved = true;
    } else if (call->member == TT_CALL_MOVE_ADDRESS) {
        tt_sim_release_address(sim, faulty->account, call->region, call->object);
        halved = true;
    } else if (call->member == TT_CALL_DELETE_SERVER) {
        server = tt_region_server(region, call->object);
        halved = server && server->state == TT_SERVER_RUNNING;
        if (halved)
            tt_sim_set_server_state(sim, faulty->account, call->region, call->object,
                                    TT_SERVER_STOPPED);
    }
    tt_arena_release(&scratch);
    return halved;
}

/* True when this is the call that is to be spoilt. */
static bool is_spoilt(struct history *h)
{
    struct spoil *spoil = &h->spoil;

    if (spoil->kind == SPOIL_NOTHING || spoil->kind >= SPOIL_STORE_CRASH_BEFORE ||
        ++spoil->calls != spoil->nth)
        return false;
    spoil->struck = true;
    return true;
}

static int spoil(struct faulty *faulty, struct tt_call *call, struct tt_error *err)
{
    struct process *p = faulty->process;
    const struct spoil *how = &p->history->spoil;

    switch (how->kind) {
    case SPOIL_ERROR:
        return lose(p, call, how->class, tt_error_class_name(how->class), err);
    case SPOIL_CRASH_BEFORE:
        return crash(p, call, "before", err);
    case SPOIL_HALF:
        return halve(faulty, call)
                   ? lose(p, call, TT_ERR_TIMEOUT, "no answer, and half of it was done", err)
                   : pass(faulty, call, err);
    default:
        if (pass(faulty, call, err) < 0)
            return -1;
    }
    return how->kind == SPOIL_CRASH_AFTER
               ? crash(p, call, "after", err)
               : lose(p, call, TT_ERR_TIMEOUT, "no answer, though it had its effect", err);
}

static int around(struct tt_intercept *intercept, struct tt_call *call, struct tt_error *err)
{
    struct faulty *faulty = (struct faulty *)intercept;
    struct process *p = faulty->process;
    struct history *h = p->history;

    if (p->crashed)
        return tt_fail(err, TT_ERR_DENIED, "crashed");
    h->now += 20 + roll(h, 80);
    p->belated = false;
    check_fence(p, call);
    renew(p);
    if (h->calm)
        return is_spoilt(h) ? spoil(faulty, call, err) : pass(faulty, call, err);
    if (strikes(h, FAULT_CLOCK, 3))
        humans_set_clock(h);
    if (h->depth == 1 && p->holds && strikes(h, FAULT_PAUSE, 3))
        stand_still(p);
    if (chance(h, 30))
        humans_act(h);
    if (h->depth == 1 && strikes(h, FAULT_SECOND_RUN, 8)) {
        h->misfortunes++;
        process_run(h);
    }
    if (strikes(h, FAULT_CRASH, 8))
        return crash(p, call, "before", err);
    if (strikes(h, FAULT_THROTTLE, 20))
        return lose(p, call, TT_ERR_THROTTLED, "throttled", err);
    if (strikes(h, FAULT_UNAVAILABLE, 10))
        return lose(p, call, TT_ERR_UNAVAILABLE, "unavailable", err);
    if (strikes(h, FAULT_DENIED, 4))
        return lose(p, call, TT_ERR_DENIED, "denied", err);
    if (strikes(h, FAULT_TIMEOUT_BEFORE, 10))
        return lose(p, call, TT_ERR_TIMEOUT, "no answer, and it had no effect", err);
    if (strikes(h, FAULT_PARTIAL, 15) && halve(faulty, call))
        return lose(p, call, TT_ERR_TIMEOUT, "no answer, and half of it was done", err);
    if (pass(faulty, call, err) < 0)
        return -1;
    if (strikes(h, FAULT_CRASH, 8))
        return crash(p, call, "after", err);
    if (strikes(h, FAULT_TIMEOUT_AFTER, 15))
        return lose(p, call, TT_ERR_TIMEOUT, "no answer, though it had its effect", err);
    return 0;
}

struct tt_provider *faults_decorate(struct tt_arena *arena, struct tt_provider *inner,
                                    struct process *process, const char *account)
{
    struct faulty *faulty = TT_NEW(arena, struct faulty);

    tt_intercept_init(&faulty->intercept, inner, around);
    faulty->process = process;
    faulty->account = account;
    return &faulty->intercept.base;
}
