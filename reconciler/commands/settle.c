/*
 * Settle: one shared observation a second.
 */
#include "reconciler/commands/settle.h"

#include "reconciler/apply.h"
#include "reconciler/planner/view.h"

#define LOOK_MS INT64_C(1000)

/* How many owned machines still boot within their time. */
static int count_pending(const struct tt_session *session)
{
    struct tt_plan_options options = {0};
    struct tt_arena scratch;
    struct tt_view *view;
    int pending = 0;

    tt_arena_init(&scratch);
    view = tt_view_new(&scratch, session->desired, session->world, &session->memory,
                       tt_session_now(session), &options);
    TT_EACH (deployment, &view->deployments) {
        TT_EACH (service, &(*deployment)->services)
            TT_EACH (machine, &(*service)->machines)
                pending += machine->pending;
        TT_EACH (balancer, &(*deployment)->balancers)
            TT_EACH (machine, &(*balancer)->machines)
                pending += machine->pending;
    }
    tt_arena_release(&scratch);
    return pending;
}

/* How many machines may be on their way that are not to be seen yet. What cannot be read is told by
 * whoever needs the store next. */
static int count_unseen(const struct tt_session *session)
{
    int unseen = session->store
                     ? tt_apply_count_unseen(session->store, session->desired, session->world,
                                             tt_session_now(session), NULL)
                     : 0;

    return unseen > 0 ? unseen : 0;
}

void tt_settle(struct tt_session *session, const struct tt_signals *signals)
{
    int told = -1;

    for (;;) {
        int pending;

        tt_session_observe(session, &(struct tt_observe_options){0});
        pending = count_pending(session) + count_unseen(session);
        if (!pending || tt_signals_stopped(signals))
            return;
        if (pending != told && !session->options.quiet)
            fprintf(stderr, "trimtab: waiting for %d %s of an earlier run to boot\n", pending,
                    pending == 1 ? "machine" : "machines");
        told = pending;
        session->clock->sleep(session->clock->self, LOOK_MS);
    }
}
