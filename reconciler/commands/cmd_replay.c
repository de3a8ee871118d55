/*
 * replay: plans again from what a run, or a plan, was made from; the same bytes must come out.
 */
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "model/plan_json.h"
#include "reconciler/commands/commands.h"
#include "reconciler/commands/record.h"
#include "reconciler/plan_text.h"

/* The first line in which AGAIN differs from RECORDED. */
static void find_difference(const char *recorded, const char *again, int *ret_line,
                            const char **ret_recorded, const char **ret_again)
{
    int line = 1;

    while (*recorded && *again) {
        size_t a = strcspn(recorded, "\n"), b = strcspn(again, "\n");

        if (a != b || strncmp(recorded, again, a) != 0)
            break;
        recorded += a + (recorded[a] == '\n');
        again += b + (again[b] == '\n');
        line++;
    }
    *ret_line = line;
    *ret_recorded = recorded + strspn(recorded, " ");
    *ret_again = again + strspn(again, " ");
}

static int compare(const struct tt_recording *recording, const char *again, struct tt_error *err)
{
    const char *was, *is;
    int line;

    if (!recording->plan)
        return tt_fail(
            err, TT_ERR_CONFLICT,
            "the planner failed when this was recorded, by trimtab %s; now, with trimtab "
            "%s, it has a plan",
            recording->program ? recording->program : "?", TT_VERSION);
    if (strcmp(recording->plan, again) == 0)
        return 0;
    find_difference(recording->plan, again, &line, &was, &is);
    return tt_fail(err, TT_ERR_CONFLICT,
                   "this is not the plan that was recorded by trimtab %s; this is trimtab %s. Line "
                   "%d of expected/plan.json was: %.*s and is: %.*s",
                   recording->program ? recording->program : "?", TT_VERSION, line,
                   (int)strcspn(was, "\n"), was, (int)strcspn(is, "\n"), is);
}

static bool write_again(struct tt_session *session, const struct tt_recording *recording,
                        const struct tt_plan *plan, const char *json)
{
    TT_BUF_AUTO text = {0};

    if (session->options.json || session->options.out)
        return tt_session_write(session, json);
    if (session->options.quiet)
        return true;
    tt_plan_text(&text, plan, recording->desired, session->color && isatty(STDOUT_FILENO));
    return tt_session_write(session, tt_buf_text(&text));
}

int tt_cmd_replay(struct tt_session *session)
{
    struct tt_recording recording;
    struct tt_error err = {0};
    struct tt_plan *plan;
    const char *folder, *json;

    if (tt_record_read(session, session->options.arguments.items[0], &recording, &folder, &err) <
            0 ||
        tt_recording_plan(&session->arena, &recording, &plan, &err) < 0) {
        tt_session_complain(session, &err);
        return 1;
    }
    json = tt_plan_to_json(&session->arena, plan);
    if (!write_again(session, &recording, plan, json))
        return 1;
    if (session->options.verbose)
        fprintf(stderr, "replayed from %s\n", folder);
    if (compare(&recording, json, &err) == 0)
        return 0;
    tt_session_complain(session, &err);
    return 1;
}
