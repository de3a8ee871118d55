/*
 * History: the runs that the store remembers, one run with its steps, and the two commands that the
 * pages have.
 */
#include <string.h>

#include "serve/web/html.h"

#define SHOWN       100
#define STEPS_SHOWN 1000

/* --- many runs -------------------------------------------------------------------------------- */

static void write_counts(struct tt_buf *out, const struct tt_run_record *run)
{
    const struct {
        int count;
        const char *word;
    } counts[] = {{run->done, "done"},
                  {run->failed, "failed"},
                  {run->skipped, "not tried"},
                  {run->held, "held"}};
    bool first = true;

    for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
        if (!counts[i].count)
            continue;
        tt_buf_addf(out, "%s%d %s", first ? "" : ", ", counts[i].count, counts[i].word);
        first = false;
    }
    if (first)
        tt_buf_add(out, "none");
}

static void write_run(struct tt_web_request *request, struct tt_buf *out,
                      const struct tt_run_record *run)
{
    tt_buf_addf(out, "<tr><th scope=\"row\"><a href=\"/runs/%lld\">run %lld</a></th><td>",
                (long long)run->id, (long long)run->id);
    tt_html_time(request, out, run->began);
    tt_html_put(out, "</td><td>", run->deployments, "</td><td>");
    tt_html_word(out, run->result);
    tt_buf_add(out, "</td><td>");
    write_counts(out, run);
    tt_html_put(out, "</td><td>", run->trigger, "</td><td><code>");
    tt_html_text(out, run->revision ? tt_printf(request->arena, "%.12s", run->revision) : "");
    tt_buf_add(out, "</code></td></tr>\n");
}

/* DEPLOYMENTS is "blog, shop". */
static bool is_named(const char *deployments, const char *name)
{
    size_t length = strlen(name);

    for (const char *at = deployments; at && *at;) {
        size_t word = strcspn(at, ",");

        if (word == length && strncmp(at, name, length) == 0)
            return true;
        at += word;
        at += strspn(at, ", ");
    }
    return false;
}

void tt_page_run_table(struct tt_web_request *request, struct tt_buf *out,
                       const tt_run_records *runs, const char *deployment, size_t most)
{
    size_t shown = 0;

    TT_EACH (run, runs) {
        if ((deployment && !is_named(run->deployments, deployment)) || shown == most)
            continue;
        if (!shown++)
            tt_buf_add(out, "<div class=\"card table\"><table><caption>The newest first</caption>\n"
                            "<thead><tr><th scope=\"col\">Run</th><th scope=\"col\">Began</th>"
                            "<th scope=\"col\">Deployments</th><th scope=\"col\">Result</th>"
                            "<th scope=\"col\">Steps</th><th scope=\"col\">Asked for by</th>"
                            "<th scope=\"col\">Commit</th></tr></thead>\n<tbody>\n");
        write_run(request, out, run);
    }
    tt_buf_add(out, shown ? "</tbody></table></div>\n"
                          : "<p class=\"card empty\">No run is remembered.</p>\n");
}

void tt_page_runs(struct tt_web_request *request, struct tt_web_reply *reply)
{
    tt_run_records runs = {0};
    struct tt_error err = {0};

    if (request->store &&
        tt_store_read_runs(request->store, request->arena, SHOWN, &runs, &err) < 0) {
        tt_html_error(request, reply, 500, "History", err.message);
        return;
    }
    tt_html_begin(request, reply, "runs", "History");
    tt_buf_add(&reply->body, "<h1>History</h1>\n");
    tt_page_run_table(request, &reply->body, &runs, NULL, SHOWN);
    tt_html_end(reply);
}

/* --- one run ---------------------------------------------------------------------------------- */

/* "1.2 s", "250 ms" */
static const char *span_text(struct tt_web_request *request, tt_time began, tt_time ended)
{
    if (!began || !ended)
        return "";
    if (ended - began < 1000)
        return tt_printf(request->arena, "%d ms", (int)(ended - began));
    return tt_printf(request->arena, "%.1f s", (double)(ended - began) / 1000);
}

static void write_step(struct tt_web_request *request, struct tt_buf *out,
                       const struct tt_step_record *step)
{
    tt_buf_addf(out, "<tr><th scope=\"row\">s%d</th><td>", step->step + 1);
    tt_html_word(out, step->state);
    tt_html_put(out, "</td><td class=\"mono\">", step->text, "");
    if (step->error)
        tt_html_put(out, "<small>", step->error, "</small>");
    tt_html_put(out, "</td><td class=\"number\">", span_text(request, step->began, step->ended),
                "</td></tr>\n");
}

static void write_fact(struct tt_buf *out, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    tt_html_put(out, "<div><dt>", name, "</dt>");
    tt_html_put(out, "<dd>", value, "</dd></div>\n");
}

static void write_head(struct tt_web_request *request, struct tt_buf *out,
                       const struct tt_run_record *run)
{
    tt_buf_addf(out,
                "<p class=\"crumbs\"><a href=\"/runs\">History</a> /</p>\n"
                "<div class=\"head\"><div class=\"title\"><h1>Run %lld</h1>",
                (long long)run->id);
    tt_html_word(out, run->result);
    tt_buf_add(out, "</div></div>\n<dl class=\"facts\">\n");
    write_fact(out, "deployments", run->deployments);
    tt_buf_add(out, "<div><dt>began</dt><dd>");
    tt_html_time(request, out, run->began);
    tt_buf_add(out, "</dd></div>\n");
    write_fact(out, "took", span_text(request, run->began, run->ended));
    write_fact(out, "command", run->command);
    write_fact(out, "asked for by", run->trigger);
    tt_html_put(out, "<div><dt>commit</dt><dd><code>", run->revision,
                "</code></dd></div>\n</dl>\n");
}

/* A form for each deployment that waits for this run's plan to be approved: one at most. */
static void write_approval(struct tt_web_request *request, struct tt_buf *out, int64_t run)
{
    struct tt_daemon_deployments list = {0};

    tt_daemon_list(request->daemon, request->arena, &list);
    for (size_t i = 0; i < list.count; i++) {
        const struct tt_daemon_deployment *item = &list.items[i];

        if (item->held_run != run)
            continue;
        tt_buf_add(out, "<div class=\"notice held\"><p><strong>");
        tt_html_deployment(out, item->repository, item->name);
        tt_html_put(out, "</strong>: ", item->message ? item->message : "its plan is held",
                    "</p>\n");
        tt_html_form(out, "approve",
                     tt_printf(request->arena, "/runs/%lld/approve", (long long)run), "Approve",
                     true);
        tt_buf_add(out, "</div>\n");
        return;
    }
}

void tt_page_run(struct tt_web_request *request, struct tt_web_reply *reply)
{
    struct tt_buf *out = &reply->body;
    int64_t number = tt_web_run_number(request->parts[1]);
    struct tt_run_record run = {0};
    struct tt_error err = {0};

    if (!number || !request->store ||
        tt_store_read_run(request->store, request->arena, number, &run, &err) < 0) {
        tt_html_error(request, reply, 404, "No such run",
                      err.message[0] ? err.message : "there is none");
        return;
    }
    tt_html_begin(request, reply, "runs", tt_printf(request->arena, "Run %lld", (long long)number));
    write_head(request, out, &run);
    write_approval(request, out, number);
    if (!run.ended)
        tt_html_progress(out);
    tt_buf_add(out, "<div class=\"card table\"><table><caption>");
    write_counts(out, &run);
    tt_buf_add(out, "</caption>\n<thead><tr><th scope=\"col\">Step</th>"
                    "<th scope=\"col\">State</th><th scope=\"col\">What</th>"
                    "<th scope=\"col\" class=\"number\">Took</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < run.steps.count && i < STEPS_SHOWN; i++)
        write_step(request, out, &run.steps.items[i]);
    tt_buf_add(out, "</tbody></table></div>\n");
    if (run.steps.count > STEPS_SHOWN)
        tt_buf_addf(out,
                    "<p>and %zu more: <a href=\"/api/v1/runs/%lld\">all of them as "
                    "JSON</a></p>\n",
                    run.steps.count - STEPS_SHOWN, (long long)number);
    tt_html_end(reply);
}

/* --- commands --------------------------------------------------------------------------------- */

void tt_page_approve(struct tt_web_request *request, struct tt_web_reply *reply)
{
    int64_t number = tt_web_run_number(request->parts[1]);
    struct tt_error err = {0};

    if (tt_daemon_approve(request->daemon, number, request->who ? request->who : request->peer,
                          &err) < 0) {
        tt_html_error(request, reply, err.class == TT_ERR_NOT_FOUND ? 404 : 409, "Not approved",
                      err.message);
        return;
    }
    reply->status = 303;
    reply->location = tt_printf(request->arena, "/runs/%lld", (long long)number);
}

void tt_page_check(struct tt_web_request *request, struct tt_web_reply *reply)
{
    const char *repository = request->parts[1], *name = request->parts[2];
    struct tt_error err = {0};
    TT_BUF_AUTO location = {0};

    if (tt_daemon_check(request->daemon, repository, name,
                        request->who ? request->who : request->peer, &err) < 0) {
        tt_html_error(request, reply, 404, "Not checked", err.message);
        return;
    }
    tt_buf_add(&location, "/deployments/");
    tt_html_path(&location, repository);
    tt_buf_add(&location, "/");
    tt_html_path(&location, name);
    reply->status = 303;
    reply->location = tt_strdup(request->arena, tt_buf_text(&location));
}
