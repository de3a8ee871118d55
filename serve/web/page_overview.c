/*
 * The overview: how each deployment fares, and what waits for a person.
 */
#include "serve/web/html.h"

static void link_to(struct tt_buf *out, const struct tt_daemon_deployment *item)
{
    tt_buf_add(out, "<a href=\"/deployments/");
    tt_html_path(out, item->repository);
    tt_buf_add(out, "/");
    tt_html_path(out, item->name);
    tt_buf_add(out, "\">");
    tt_html_text(out, item->name);
    tt_buf_add(out, "</a>");
}

static void write_drift(struct tt_buf *out, int drift)
{
    if (drift < 0)
        tt_buf_add(out, "not checked yet");
    else if (drift == 0)
        tt_buf_add(out, "none");
    else
        tt_buf_addf(out, "<strong>%d %s</strong>", drift, drift == 1 ? "step" : "steps");
}

static void write_row(struct tt_web_request *request, struct tt_buf *out,
                      const struct tt_daemon_deployment *item)
{
    tt_buf_add(out, "<tr><th scope=\"row\">");
    link_to(out, item);
    tt_buf_add(out, "</th><td>");
    tt_html_text(out, item->repository);
    tt_buf_add(out, "</td><td>");
    tt_html_word(out, tt_phase_name(item->phase));
    if (item->message && *item->message) {
        tt_buf_add(out, "<br><small>");
        tt_html_text(out, item->message);
        tt_buf_add(out, "</small>");
    }
    tt_buf_add(out, "</td><td><code>");
    tt_html_text(out, tt_printf(request->arena, "%.12s", item->revision ? item->revision : ""));
    tt_buf_add(out, "</code></td><td>");
    write_drift(out, item->drift);
    tt_buf_add(out, "</td><td>");
    if (item->last_run)
        tt_buf_addf(out, "<a href=\"/runs/%lld\">run %lld</a>", (long long)item->last_run,
                    (long long)item->last_run);
    else
        tt_buf_add(out, "none yet");
    tt_buf_add(out, "</td><td>");
    tt_html_time(request, out, item->next);
    tt_buf_add(out, "</td></tr>\n");
}

static void write_held(struct tt_web_request *request, struct tt_buf *out,
                       const struct tt_daemon_deployments *list)
{
    bool titled = false;

    for (size_t i = 0; i < list->count; i++) {
        const struct tt_daemon_deployment *item = &list->items[i];

        if (!item->held_run)
            continue;
        if (!titled)
            tt_buf_add(out, "<section aria-labelledby=\"held\"><h2 id=\"held\">Waiting for "
                            "approval</h2>\n");
        titled = true;
        tt_buf_add(out, "<p>");
        link_to(out, item);
        tt_buf_add(out, ": ");
        tt_html_text(out, item->message && *item->message ? item->message : "its plan is held");
        tt_buf_add(out, "</p>\n");
        tt_html_form(out,
                     tt_printf(request->arena, "/runs/%lld/approve", (long long)item->held_run),
                     "Approve");
    }
    if (titled)
        tt_buf_add(out, "</section>\n");
}

void tt_page_overview(struct tt_web_request *request, struct tt_web_reply *reply)
{
    struct tt_buf *out = &reply->body;
    struct tt_daemon_deployments list = {0};
    struct tt_error err = {0};

    tt_daemon_list(request->daemon, request->arena, &list);
    tt_html_begin(reply, "Deployments");
    if (tt_daemon_ready(request->daemon, &err) < 0) {
        tt_buf_add(out, "<p class=\"problem\">");
        tt_html_text(out, err.message);
        tt_buf_add(out, "</p>\n");
    }
    write_held(request, out, &list);
    tt_buf_addf(out,
                "<table><caption>%zu %s</caption>\n<thead><tr><th scope=\"col\">Deployment"
                "</th><th scope=\"col\">Repository</th><th scope=\"col\">State</th>"
                "<th scope=\"col\">Commit</th><th scope=\"col\">Drift</th>"
                "<th scope=\"col\">Last run</th><th scope=\"col\">Next check</th></tr></thead>"
                "\n<tbody>\n",
                list.count, list.count == 1 ? "deployment" : "deployments");
    for (size_t i = 0; i < list.count; i++)
        write_row(request, out, &list.items[i]);
    tt_buf_add(out, "</tbody></table>\n");
    tt_html_end(reply);
}
