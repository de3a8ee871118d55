/*
 * Fault: spoils one call out of many, before or after it took effect. Tests run a whole apply with
 * a fault at the Nth call, for every N.
 */
#include <stdatomic.h>

#include "providers/decorators.h"
#include "providers/intercept.h"

struct fault {
    struct tt_intercept intercept;
    atomic_int calls;
    int nth;
    enum tt_fault_moment moment;
    enum tt_error_class class;
};

static int spoilt(struct tt_intercept *intercept, struct tt_call *call, struct tt_error *err)
{
    struct fault *fault = (struct fault *)intercept;
    bool strikes = atomic_fetch_add(&fault->calls, 1) + 1 == fault->nth;

    if (!strikes)
        return tt_intercept_proceed(intercept, call, err);
    if (fault->moment == TT_FAULT_AFTER && tt_intercept_proceed(intercept, call, err) < 0)
        return -1;
    return tt_fail(err, fault->class, "fault injected %s call %d (%s of %s)",
                   fault->moment == TT_FAULT_BEFORE ? "before" : "after", fault->nth,
                   tt_call_member_words[call->member], call->object);
}

struct tt_provider *tt_decorate_fault(struct tt_arena *arena, struct tt_provider *inner, int nth,
                                      enum tt_fault_moment moment, enum tt_error_class class)
{
    struct fault *fault = TT_NEW(arena, struct fault);

    tt_intercept_init(&fault->intercept, inner, spoilt);
    fault->nth = nth;
    fault->moment = moment;
    fault->class = class;
    return &fault->intercept.base;
}
