/*
 * Trace: tells a sink of every call after it ended: what, of what, how long, how it went.
 */
#include "providers/decorators.h"
#include "providers/intercept.h"

struct trace {
    struct tt_intercept intercept;
    const char *account;
    void (*sink)(void *self, const struct tt_trace_call *call);
    void *self;
};

static int timed(struct tt_intercept *intercept, struct tt_call *call, struct tt_error *err)
{
    const struct trace *trace = (const struct trace *)intercept;
    struct tt_error own = {0};
    tt_time began = tt_monotonic();
    int result = tt_intercept_proceed(intercept, call, &own);

    trace->sink(trace->self, &(struct tt_trace_call){
                                 .account = trace->account,
                                 .member = tt_call_member_words[call->member],
                                 .subject = call->object,
                                 .duration = tt_monotonic() - began,
                                 .error = result < 0 ? &own : NULL,
                             });
    if (result < 0 && err)
        *err = own;
    return result;
}

struct tt_provider *tt_decorate_trace(struct tt_arena *arena, struct tt_provider *inner,
                                      const char *account,
                                      void (*sink)(void *self, const struct tt_trace_call *call),
                                      void *self)
{
    struct trace *trace = TT_NEW(arena, struct trace);

    tt_intercept_init(&trace->intercept, inner, timed);
    trace->account = account;
    trace->sink = sink;
    trace->self = self;
    return &trace->intercept.base;
}
