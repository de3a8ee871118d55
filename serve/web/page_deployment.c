/*
 * A deployment: how it fares, what waits for a person, its picture, its newest plan, its drift, its
 * floors and its last runs.
 */
#include <string.h>

#include "model/plan_json.h"
#include "serve/web/html.h"

#define RUNS_LOOKED_AT 500
#define RUNS_SHOWN     10

static const struct tt_daemon_deployment *find(struct tt_web_request *request,
                                               struct tt_daemon_deployments *list)
{
    tt_daemon_list(request->daemon, request->arena, list);
    for (size_t i = 0; i < list->count; i++)
        if (tt_streq(list->items[i].repository, request->parts[1]) &&
            tt_streq(list->items[i].name, request->parts[2]))
            return &list->items[i];
    return NULL;
}

static void write_fact(struct tt_buf *out, const char *name, const char *value)
{
    tt_html_put(out, "<div><dt>", name, "</dt>");
    tt_html_put(out, "<dd>", value, "</dd></div>\n");
}

static void write_facts(struct tt_web_request *request, struct tt_buf *out,
                        const struct tt_daemon_deployment *item, const char *taken)
{
    tt_time seen = 0;

    tt_buf_add(out, "<dl class=\"facts\">\n");
    write_fact(out, "repository", item->repository);
    tt_html_put(out, "<div><dt>commit</dt><dd><code>",
                tt_printf(request->arena, "%.12s", item->revision), "</code></dd></div>\n");
    if (tt_time_parse(taken, &seen) == 0) {
        tt_buf_add(out, "<div><dt>seen</dt><dd>");
        tt_html_time(request, out, seen);
        tt_buf_add(out, "</dd></div>\n");
    }
    if (item->next > 0) {
        tt_buf_add(out, "<div><dt>next check</dt><dd>");
        tt_html_time(request, out, item->next);
        tt_buf_add(out, "</dd></div>\n");
    }
    if (item->failures)
        write_fact(out, "failures in a row", tt_printf(request->arena, "%d", item->failures));
    tt_buf_add(out, "</dl>\n");
}

static void write_head(struct tt_web_request *request, struct tt_buf *out,
                       const struct tt_daemon_deployment *item, const char *taken)
{
    tt_buf_add(out, "<p class=\"crumbs\"><a href=\"/\">Deployments</a> /</p>\n"
                    "<div class=\"head\"><div class=\"title\">");
    tt_html_put(out, "<h1>", item->name, "</h1>");
    tt_html_word(out, tt_phase_name(item->phase));
    if (item->drift > 0)
        tt_html_put(out, " <a class=\"word changed\" href=\"#drift\">",
                    tt_printf(request->arena, "drifted: %d %s", item->drift,
                              item->drift == 1 ? "step" : "steps"),
                    "</a>");
    tt_buf_add(out, "</div>\n");
    tt_html_form(out, "check", tt_printf(request->arena, "%s/check", request->path), "Check now",
                 false);
    tt_buf_add(out, "</div>\n");
    write_facts(request, out, item, taken);
    if (item->held_run) {
        tt_html_put(out, "<div class=\"notice held\"><p><strong>The plan is held:</strong> ",
                    item->message, "</p>\n");
        tt_html_form(out, "approve",
                     tt_printf(request->arena, "/runs/%lld/approve", (long long)item->held_run),
                     "Approve the plan that is held", true);
        tt_buf_add(out, "</div>\n");
    } else if (item->message && *item->message) {
        tt_html_put(out, "<p class=\"notice problem\">", item->message, "</p>\n");
    }
}

static void write_runs(struct tt_web_request *request, struct tt_buf *out, const char *name)
{
    tt_run_records runs = {0};

    if (!request->store ||
        tt_store_read_runs(request->store, request->arena, RUNS_LOOKED_AT, &runs, NULL) < 0)
        return;
    tt_buf_add(out, "<section aria-labelledby=\"history\"><h2 id=\"history\">Last runs "
                    "<small><a href=\"/runs\">all of them</a></small></h2>\n");
    tt_page_run_table(request, out, &runs, name, RUNS_SHOWN);
    tt_buf_add(out, "</section>\n");
}

static const json_t *deployment_of(const json_t *picture, const char *name)
{
    const json_t *deployment;
    size_t i;

    json_array_foreach (json_object_get(picture, "deployments"), i, deployment) {
        if (strcmp(tt_web_text(deployment, "name"), name) == 0)
            return deployment;
    }
    return NULL;
}

/* What is kept of the newest look; false with ERR: there is none yet, or it cannot be read. */
static bool read_look(struct tt_web_request *request, const struct tt_daemon_deployment *item,
                      struct tt_plan **ret_plan, json_t **ret_picture, struct tt_error *err)
{
    const char *plan, *picture;

    if (tt_daemon_plan(request->daemon, request->arena, item->repository, item->name, &plan,
                       &picture, err) < 0 ||
        tt_plan_from_json(request->arena, plan, strlen(plan), "plan.json", ret_plan, err) < 0)
        return false;
    *ret_picture = json_loads(picture, 0, NULL);
    return true;
}

void tt_page_deployment(struct tt_web_request *request, struct tt_web_reply *reply)
{
    struct tt_buf *out = &reply->body;
    struct tt_daemon_deployments list = {0};
    const struct tt_daemon_deployment *item = find(request, &list);
    struct tt_plan *plan = NULL;
    json_t *picture = NULL;
    struct tt_error err = {0};
    bool seen;

    if (!item) {
        tt_html_error(request, reply, 404, "No such deployment",
                      "nothing of that name is followed");
        return;
    }
    seen = read_look(request, item, &plan, &picture, &err);
    tt_html_begin_of(request, reply, "deployments", item->name, item->repository, item->name);
    write_head(request, out, item, tt_web_text(picture, "takenAt"));
    tt_html_progress(out);
    if (!seen)
        tt_html_put(out, "<p class=\"card empty\">", err.message, "</p>\n");
    if (plan) {
        tt_page_problems(out, plan);
        tt_page_picture(out, deployment_of(picture, item->name), plan);
        tt_page_plan(out, plan, tt_printf(request->arena, "/api/v1%s", request->path));
        tt_page_drift(out, json_object_get(picture, "drift"));
        tt_page_floors(out, plan);
    }
    write_runs(request, out, item->name);
    json_decref(picture);
    tt_html_end(reply);
}
