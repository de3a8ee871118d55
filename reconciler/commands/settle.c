/*
 * Settle: one shared observation a second.
 */
#include "reconciler/commands/settle.h"

#include <string.h>

#include "base/str.h"
#include "reconciler/apply.h"
#include "reconciler/planner/view.h"

#define LOOK_MS INT64_C(1000)

static int count_in(const struct tt_deployment_view *deployment)
{
    int pending = 0;

    TT_EACH (service, &deployment->services)
        TT_EACH (machine, &(*service)->machines)
            pending += machine->pending;
    TT_EACH (balancer, &deployment->balancers)
        TT_EACH (machine, &(*balancer)->machines)
            pending += machine->pending;
    return pending;
}

/* How many machines of DEPLOYMENTS still boot within their time. */
static int count_pending(const struct tt_session *session, const struct tt_strings *deployments)
{
    struct tt_plan_options options = {0};
    struct tt_arena scratch;
    struct tt_view *view;
    int pending = 0;

    tt_arena_init(&scratch);
    view = tt_view_new(&scratch, session->desired, session->world, &session->memory,
                       tt_session_now(session), &options);
    TT_EACH (deployment, &view->deployments)
        if (tt_strings_has(deployments, (*deployment)->name))
            pending += count_in(*deployment);
    tt_arena_release(&scratch);
    return pending;
}

/* How many of theirs may be on their way that an observation begun at SEEN could not show yet. What
 * cannot be read is told by whoever needs the store next. */
static int count_unseen(const struct tt_session *session, const struct tt_strings *deployments,
                        tt_time seen)
{
    struct tt_desired desired = *session->desired;
    struct tt_arena scratch;
    int unseen = 0;

    if (!session->store)
        return 0;
    tt_arena_init(&scratch);
    memset(&desired.deployments, 0, sizeof(desired.deployments));
    TT_EACH (deployment, &session->desired->deployments)
        if (tt_strings_has(deployments, (*deployment)->name))
            *TT_VEC_ADD(&scratch, &desired.deployments) = *deployment;
    unseen = tt_apply_count_unseen(session->store, &desired, session->world, seen, NULL);
    tt_arena_release(&scratch);
    return unseen > 0 ? unseen : 0;
}

void tt_settle(struct tt_session *session, const struct tt_strings *deployments,
               const struct tt_signals *signals)
{
    int told = -1;

    for (;;) {
        tt_time began = tt_clock_steady(session->clock), seen;
        int pending;

        tt_session_observe(session, &(struct tt_observe_options){0});
        seen = tt_session_now(session) - (tt_clock_steady(session->clock) - began);
        pending = count_pending(session, deployments) + count_unseen(session, deployments, seen);
        if (!pending || tt_signals_stopped(signals))
            return;
        if (pending != told && !session->options.quiet)
            fprintf(stderr, "trimtab: waiting for %d %s of an earlier run to boot\n", pending,
                    pending == 1 ? "machine" : "machines");
        told = pending;
        session->clock->sleep(session->clock->self, LOOK_MS);
    }
}
