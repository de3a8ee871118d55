/*
 * Explain: why a server is where it is, why a step is there, which constraints bind.
 */
#ifndef TT_RECONCILER_EXPLAIN_H
#define TT_RECONCILER_EXPLAIN_H

#include "base/error.h"
#include "base/str.h"
#include "reconciler/planner.h"

struct tt_explain_request {
    const struct tt_desired *desired;
    const struct tt_world *world;
    const struct tt_memory *memory;
    tt_time now;
    const struct tt_plan_options *options;
    const struct tt_plan *plan; /* made from the same input */
};

/* Writes what there is to say about SUBJECT: "Service/[DEPLOYMENT/]NAME[/SLOT]",
 * "LoadBalancer/[DEPLOYMENT/]NAME", a server's id or name, or a step ("s3"). Fails (NOT_FOUND) when
 * there is no such thing. */
int tt_explain(struct tt_arena *arena, const struct tt_explain_request *request,
               const char *subject, struct tt_buf *out, struct tt_error *err);

#endif
