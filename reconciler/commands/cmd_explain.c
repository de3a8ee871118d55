/*
 * explain: why a server is where it is.
 */
#include "base/str.h"
#include "reconciler/commands/commands.h"
#include "reconciler/explain.h"

int tt_cmd_explain(struct tt_session *session)
{
    struct tt_plan_options options = {
        .prune = session->options.prune,
        .allow_destroy = session->options.allow_destroy,
        .allow_vanished = session->options.allow_vanished,
    };
    struct tt_explain_request request = {.options = &options, .memory = &session->memory};
    struct tt_error err = {0};
    TT_BUF_AUTO text = {0};

    if (!tt_session_prepare(session))
        return 1;
    request.desired = session->desired;
    request.world = session->world;
    request.now = tt_session_now(session);
    request.plan = session->plan;
    if (tt_explain(&session->arena, &request, session->options.arguments.items[0], &text, &err) <
        0) {
        tt_session_complain(session, &err);
        return 1;
    }
    fputs(tt_buf_text(&text), stdout);
    return 0;
}
