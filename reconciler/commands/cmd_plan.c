/*
 * plan: what apply would do.
 */
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "model/plan_json.h"
#include "reconciler/commands/commands.h"
#include "reconciler/commands/picture.h"
#include "reconciler/commands/record.h"
#include "reconciler/plan_text.h"

static bool write_plan(struct tt_session *session, const struct tt_plan *plan)
{
    const struct tt_options *options = &session->options;
    TT_BUF_AUTO text = {0};

    if (options->out || options->json) {
        const char *json = tt_plan_to_json(&session->arena, plan);

        if (options->out && !tt_session_write(session, json))
            return false;
        if (options->json)
            return fputs(json, stdout) >= 0;
    }
    if (options->quiet)
        return true;
    tt_plan_text(&text, plan, session->desired, session->color && isatty(STDOUT_FILENO));
    fputs(tt_buf_text(&text), stdout);
    return true;
}

int tt_cmd_plan(struct tt_session *session)
{
    struct tt_error err = {0};
    int specs = tt_session_load(session, &err);
    int code;

    if (specs < 0) {
        tt_session_complain(session, &err);
        return 1;
    }
    if (specs > 0) {
        tt_session_print_findings(session);
        if (session->options.json)
            fputs(tt_plan_to_json(&session->arena, tt_session_plan_of_findings(session)), stdout);
        return 1;
    }
    if (!session->options.world) {
        tt_session_open_clouds(session, true);
        tt_session_observe(session, &(struct tt_observe_options){0});
        tt_session_remember(session);
    }
    if (tt_session_plan(session, &err) < 0) {
        tt_session_complain(session, &err);
        if (err.class == TT_ERR_INTERNAL)
            tt_record(session, "plan", 0);
        return 1;
    }
    tt_record(session, "plan", 0);
    if (!tt_session_save(session, NULL) || !write_plan(session, session->plan))
        return 1;
    code = tt_result_exit(tt_plan_result(session->plan));
    if (!code && session->options.detailed_exitcode && session->plan->steps.count)
        return 2;
    return code;
}
