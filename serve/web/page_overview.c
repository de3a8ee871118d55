/*
 * The overview: how each deployment fares, and what waits for a person. A tile for each state shows
 * those in it alone, a field those whose name has a word.
 */
#include <string.h>

#include "serve/web/html.h"

/* What of the list is asked for. */
struct filter {
    const char *phase; /* NULL: all; "drifted" is one, too */
    const char *words; /* NULL: all */
};

static bool fits(const struct filter *filter, const struct tt_daemon_deployment *item)
{
    if (filter->words && *filter->words && !strcasestr(item->name, filter->words) &&
        !strcasestr(item->repository, filter->words))
        return false;
    if (!filter->phase || !*filter->phase)
        return true;
    if (strcmp(filter->phase, "drifted") == 0)
        return item->drift > 0;
    return strcmp(filter->phase, tt_phase_name(item->phase)) == 0;
}

/* --- tiles ------------------------------------------------------------------------------------ */

static void write_tile(struct tt_buf *out, const struct filter *filter, const char *phase,
                       const char *class, const char *label, size_t count)
{
    bool current = strcmp(filter->phase ? filter->phase : "", phase) == 0;

    tt_buf_addf(out,
                "<li class=\"%s\"><a class=\"card\" href=\"/%s%s\"%s><strong>%zu</strong>"
                "<span>%s</span></a></li>\n",
                count ? class : "", *phase ? "?state=" : "", phase,
                current ? " aria-current=\"true\"" : "", count, label);
}

static void write_tiles(struct tt_buf *out, const struct filter *filter,
                        const struct tt_daemon_deployments *list)
{
    static const struct {
        enum tt_phase phase;
        const char *class, *label;
    } tiles[] = {{TT_PHASE_IDLE, "", "on course"},         {TT_PHASE_RUNNING, "busy", "running"},
                 {TT_PHASE_QUEUED, "busy", "queued"},      {TT_PHASE_HELD, "warn", "held"},
                 {TT_PHASE_BACKING_OFF, "bad", "failing"}, {TT_PHASE_SUSPENDED, "", "suspended"}};
    size_t phases[TT_PHASES] = {0}, drifted = 0;

    for (size_t i = 0; i < list->count; i++) {
        phases[list->items[i].phase]++;
        drifted += list->items[i].drift > 0;
    }
    tt_buf_add(out, "<ul class=\"tiles\" aria-label=\"Deployments by state\">\n");
    write_tile(out, filter, "", "", "all", list->count);
    for (size_t i = 0; i < sizeof(tiles) / sizeof(*tiles); i++)
        write_tile(out, filter, tt_phase_name(tiles[i].phase), tiles[i].class, tiles[i].label,
                   phases[tiles[i].phase]);
    write_tile(out, filter, "drifted", "warn", "drifted", drifted);
    tt_buf_add(out, "</ul>\n");
}

/* --- what waits for a person ------------------------------------------------------------------ */

static void write_held(struct tt_web_request *request, struct tt_buf *out,
                       const struct tt_daemon_deployments *list)
{
    bool titled = false;

    for (size_t i = 0; i < list->count; i++) {
        const struct tt_daemon_deployment *item = &list->items[i];
        long long run = item->held_run;

        if (!run)
            continue;
        if (!titled)
            tt_buf_add(out, "<section aria-labelledby=\"held\"><h2 id=\"held\">Waiting for "
                            "approval</h2>\n");
        titled = true;
        tt_buf_add(out, "<div class=\"notice held\"><p><strong>");
        tt_html_deployment(out, item->repository, item->name);
        tt_html_put(out, "</strong>: ",
                    item->message && *item->message ? item->message : "its plan is held", "");
        tt_buf_addf(out, " (<a href=\"/runs/%lld\">run %lld</a>)</p>\n", run, run);
        tt_html_form(out, tt_printf(request->arena, "approve-%lld", run),
                     tt_printf(request->arena, "/runs/%lld/approve", run), "Approve", true);
        tt_buf_add(out, "</div>\n");
    }
    if (titled)
        tt_buf_add(out, "</section>\n");
}

/* --- the table -------------------------------------------------------------------------------- */

static void write_drift(struct tt_buf *out, int drift)
{
    if (drift < 0)
        tt_buf_add(out, "<small>not checked yet</small>");
    else if (drift == 0)
        tt_buf_add(out, "none");
    else
        tt_buf_addf(out, "<strong>%d %s</strong>", drift, drift == 1 ? "step" : "steps");
}

static void write_row(struct tt_web_request *request, struct tt_buf *out,
                      const struct tt_daemon_deployment *item)
{
    tt_buf_add(out, "<tr><th scope=\"row\">");
    tt_html_deployment(out, item->repository, item->name);
    tt_html_put(out, "</th><td>", item->repository, "</td><td>");
    tt_html_word(out, tt_phase_name(item->phase));
    if (item->message && *item->message)
        tt_html_put(out, "<small>", item->message, "</small>");
    tt_html_put(out, "</td><td><code>",
                tt_printf(request->arena, "%.12s", item->revision ? item->revision : ""),
                "</code></td><td>");
    write_drift(out, item->drift);
    tt_buf_add(out, "</td><td>");
    if (item->last_run)
        tt_buf_addf(out, "<a href=\"/runs/%lld\">run %lld</a>", (long long)item->last_run,
                    (long long)item->last_run);
    else
        tt_buf_add(out, "<small>none yet</small>");
    tt_buf_add(out, "</td><td>");
    tt_html_time(request, out, item->next);
    tt_buf_add(out, "</td></tr>\n");
}

static void write_table(struct tt_web_request *request, struct tt_buf *out,
                        const struct filter *filter, const struct tt_daemon_deployments *list)
{
    size_t shown = 0;

    for (size_t i = 0; i < list->count; i++)
        shown += fits(filter, &list->items[i]);
    if (!shown) {
        tt_buf_add(out, list->count
                            ? "<p class=\"card empty\">No deployment is so. <a href=\"/\">All "
                              "deployments</a></p>\n"
                            : "<p class=\"card empty\">No deployment is followed yet.</p>\n");
        return;
    }
    tt_buf_addf(out,
                "<div class=\"card table\"><table><caption>%zu of %zu %s</caption>\n<thead><tr>"
                "<th scope=\"col\">Deployment</th><th scope=\"col\">Repository</th>"
                "<th scope=\"col\">State</th><th scope=\"col\">Commit</th>"
                "<th scope=\"col\">Drift</th><th scope=\"col\">Last run</th>"
                "<th scope=\"col\">Next check</th></tr></thead>\n<tbody>\n",
                shown, list->count, list->count == 1 ? "deployment" : "deployments");
    for (size_t i = 0; i < list->count; i++)
        if (fits(filter, &list->items[i]))
            write_row(request, out, &list->items[i]);
    tt_buf_add(out, "</tbody></table></div>\n");
}

void tt_page_overview(struct tt_web_request *request, struct tt_web_reply *reply)
{
    struct tt_buf *out = &reply->body;
    struct tt_daemon_deployments list = {0};
    struct tt_error err = {0};
    const struct filter filter = {request->query(request->connection, "state"),
                                  request->query(request->connection, "q")};

    tt_daemon_list(request->daemon, request->arena, &list);
    tt_html_begin(request, reply, "deployments", "Deployments");
    tt_buf_add(out, "<div class=\"head\"><h1>Deployments</h1>\n<form role=\"search\" action=\"/\">"
                    "<label class=\"unseen\" for=\"search\">Deployments with</label>"
                    "<input id=\"search\" type=\"search\" name=\"q\" placeholder=\"Name or "
                    "repository\"");
    tt_html_put(out, " value=\"", filter.words, "\"> <button>Find</button></form></div>\n");
    if (tt_daemon_ready(request->daemon, &err) < 0)
        tt_html_put(out, "<p class=\"notice problem\">", err.message, "</p>\n");
    write_tiles(out, &filter, &list);
    write_held(request, out, &list);
    write_table(request, out, &filter, &list);
    tt_html_end(reply);
}
