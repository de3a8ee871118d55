/*
 * history: the runs that the store remembers; --keep says how many it keeps, --plans lists the
 * recorded plans instead.
 */
#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "model/json.h"
#include "reconciler/commands/commands.h"
#include "reconciler/commands/record.h"
#include "reconciler/commands/runs.h"

#define SHOWN 20

static void write_json(struct tt_session *session, const tt_run_records *runs)
{
    json_t *root = json_object(), *list = json_array();

    TT_EACH (run, runs)
        json_array_append_new(list, tt_run_json(session, run));
    json_object_set_new(root, "format", json_string("trimtab.history/v1"));
    json_object_set_new(root, "runs", list);
    fputs(tt_json_text(&session->arena, root), stdout);
}

static void write_text(struct tt_session *session, const tt_run_records *runs)
{
    struct tt_arena *arena = &session->arena;

    if (!runs->count) {
        printf("No run is recorded.\n");
        return;
    }
    printf("%5s  %-20s  %8s  %-11s  %4s  %6s  %9s  %4s  %-8s  %-20s  %s\n", "RUN", "BEGAN", "TOOK",
           "RESULT", "DONE", "FAILED", "NOT TRIED", "HELD", "COMMIT", "BY", "DEPLOYMENTS");
    TT_EACH (run, runs)
        printf("%5" PRId64 "  %-20s  %8s  %-11s  %4d  %6d  %9d  %4d  %-8s  %-20s  %s\n", run->id,
               tt_time_format(arena, run->began), tt_run_took(arena, run), run->result, run->done,
               run->failed, run->skipped, run->held, tt_run_commit(arena, run),
               tt_run_who(arena, run), run->deployments ? run->deployments : "");
}

/* --plans: what was planned and is no run. */
static int tell_plans(struct tt_session *session)
{
    json_t *plans = NULL, *root;
    struct tt_error err = {0};

    if (session->options.json ? tt_record_list_json(session, &plans, &err) < 0
                              : !session->options.quiet && tt_record_list(session, &err) < 0) {
        tt_session_complain(session, &err);
        return 1;
    }
    if (session->options.json) {
        root = json_object();
        json_object_set_new(root, "format", json_string("trimtab.history/v1"));
        json_object_set_new(root, "plans", plans);
        fputs(tt_json_text(&session->arena, root), stdout);
    }
    return 0;
}

int tt_cmd_history(struct tt_session *session)
{
    if (session->options.plans)
        return tell_plans(session);

    int most = session->options.number ? session->options.number : SHOWN;
    tt_run_records runs = {0};
    struct tt_error err = {0};
    int opened = tt_runs_open(session, &err);

    if (opened < 0 ||
        (opened && session->options.keep &&
         tt_store_keep_runs(session->store, session->options.keep, &err) < 0) ||
        (opened && tt_store_read_runs(session->store, &session->arena, most, &runs, &err) < 0)) {
        tt_session_complain(session, &err);
        return 1;
    }
    if (session->options.json)
        write_json(session, &runs);
    else if (!session->options.quiet)
        write_text(session, &runs);
    return 0;
}
