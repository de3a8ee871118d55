/*
 * Faults: a decorator in front of the simulated cloud that refuses, loses and delays calls, crashes
 * the run at any call's boundary, and shows every call that takes effect to the referee.
 */
#include <sqlite3.h>

#include "reconciler/store_db.h"
#include "tests/simulate/history.h"

struct faulty {
    struct tt_intercept intercept;
    struct process *process;
    const char *account;
};

static int refuse_commit(void *self)
{
    (void)self;
    return 1;
}

/* From here on the run has no effect: no call passes, nothing is committed, its time is its own. */
static int crash(struct process *p, const struct tt_call *call, const char *when,
                 struct tt_error *err)
{
    say(p->history, "run %d crashes %s %s of %s", p->number, when,
        tt_call_member_words[call->member], call->object);
    p->crashed = true;
    atomic_store(&p->stop, true);
    sqlite3_commit_hook(p->store->db, refuse_commit, NULL);
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

    if (!p->token || p->history->now - p->renewed < 20000)
        return;
    if (tt_store_renew(p->store, p->token, p->history->now, 60000, &err) < 0) {
        say(p->history, "run %d lost its lock and stops", p->number);
        p->token = 0;
        atomic_store(&p->stop, true);
    }
    p->renewed = p->history->now;
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

static int around(struct tt_intercept *intercept, struct tt_call *call, struct tt_error *err)
{
    struct faulty *faulty = (struct faulty *)intercept;
    struct process *p = faulty->process;
    struct history *h = p->history;

    if (p->crashed)
        return tt_fail(err, TT_ERR_DENIED, "crashed");
    h->now += 20 + roll(h, 80);
    renew(p);
    if (h->calm)
        return pass(faulty, call, err);
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
