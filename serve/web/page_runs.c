/*
 * History: the runs that the store remembers, one run with its steps, and the two commands that the
 * pages have.
 */
#include "serve/web/html.h"

#define SHOWN 100

static void write_run(struct tt_web_request *request, struct tt_buf *out,
                      const struct tt_run_record *run)
{
    tt_buf_addf(out, "<tr><th scope=\"row\"><a href=\"/runs/%lld\">%lld</a></th><td>",
                (long long)run->id, (long long)run->id);
    tt_html_time(request, out, run->began);
    tt_buf_add(out, "</td><td>");
    tt_html_text(out, run->deployments);
    tt_buf_add(out, "</td><td>");
    tt_html_word(out, run->result);
    tt_buf_addf(out, "</td><td>%d done, %d failed, %d not tried, %d held</td><td>", run->done,
                run->failed, run->skipped, run->held);
    tt_html_text(out, run->trigger);
    tt_buf_add(out, "</td><td><code>");
    tt_html_text(out, run->revision ? tt_printf(request->arena, "%.12s", run->revision) : "");
    tt_buf_add(out, "</code></td></tr>\n");
}

void tt_page_runs(struct tt_web_request *request, struct tt_web_reply *reply)
{
    struct tt_buf *out = &reply->body;
    tt_run_records runs = {0};
    struct tt_error err = {0};

    if (request->store &&
        tt_store_read_runs(request->store, request->arena, SHOWN, &runs, &err) < 0) {
        tt_html_error(reply, 500, "History", err.message);
        return;
    }
    tt_html_begin(reply, "History");
    tt_buf_add(out, "<table><caption>The last runs, the newest first</caption>\n<thead><tr>"
                    "<th scope=\"col\">Run</th><th scope=\"col\">Began</th>"
                    "<th scope=\"col\">Deployments</th><th scope=\"col\">Result</th>"
                    "<th scope=\"col\">Steps</th><th scope=\"col\">Asked for by</th>"
                    "<th scope=\"col\">Commit</th></tr></thead>\n<tbody>\n");
    TT_EACH (run, &runs)
        write_run(request, out, run);
    tt_buf_add(out, "</tbody></table>\n");
    tt_html_end(reply);
}

static void write_step(struct tt_web_request *request, struct tt_buf *out,
                       const struct tt_step_record *step)
{
    tt_buf_addf(out, "<tr><th scope=\"row\">s%d</th><td>", step->step + 1);
    tt_html_text(out, step->text);
    if (step->error) {
        tt_buf_add(out, "<br><small>");
        tt_html_text(out, step->error);
        tt_buf_add(out, "</small>");
    }
    tt_buf_add(out, "</td><td>");
    tt_html_word(out, step->state);
    tt_buf_add(out, "</td><td class=\"number\">");
    if (step->began && step->ended)
        tt_html_text(
            out, tt_printf(request->arena, "%.1f s", (double)(step->ended - step->began) / 1000));
    tt_buf_add(out, "</td></tr>\n");
}

void tt_page_run(struct tt_web_request *request, struct tt_web_reply *reply)
{
    struct tt_buf *out = &reply->body;
    int64_t number = tt_web_run_number(request->parts[1]);
    struct tt_run_record run = {0};
    struct tt_error err = {0};

    if (!number || !request->store ||
        tt_store_read_run(request->store, request->arena, number, &run, &err) < 0) {
        tt_html_error(reply, 404, "No such run", err.message[0] ? err.message : "there is none");
        return;
    }
    tt_html_begin(reply, tt_printf(request->arena, "Run %lld", (long long)number));
    tt_buf_add(out, "<p>");
    tt_html_word(out, run.result);
    tt_buf_add(out, ", ");
    tt_html_text(out, run.deployments);
    tt_buf_add(out, ", began ");
    tt_html_time(request, out, run.began);
    tt_buf_add(out, ", asked for by ");
    tt_html_text(out, run.trigger ? run.trigger : "nobody who said so");
    tt_buf_add(out, ", commit <code>");
    tt_html_text(out, run.revision);
    tt_buf_add(out, "</code></p>\n<table><caption>Steps</caption>\n<thead><tr><th scope=\"col\">"
                    "Step</th><th scope=\"col\">What</th><th scope=\"col\">State</th>"
                    "<th scope=\"col\">Took</th></tr></thead>\n<tbody>\n");
    TT_EACH (step, &run.steps)
        write_step(request, out, step);
    tt_buf_add(out, "</tbody></table>\n");
    tt_html_end(reply);
}

/* --- commands --------------------------------------------------------------------------------- */

void tt_page_approve(struct tt_web_request *request, struct tt_web_reply *reply)
{
    int64_t number = tt_web_run_number(request->parts[1]);
    struct tt_error err = {0};

    if (tt_daemon_approve(request->daemon, number, request->who ? request->who : request->peer,
                          &err) < 0) {
        tt_html_error(reply, err.class == TT_ERR_NOT_FOUND ? 404 : 409, "Not approved",
                      err.message);
        return;
    }
    reply->status = 303;
    reply->location = "/";
}

void tt_page_check(struct tt_web_request *request, struct tt_web_reply *reply)
{
    const char *repository = request->parts[1], *name = request->parts[2];
    struct tt_error err = {0};
    TT_BUF_AUTO location = {0};

    if (tt_daemon_check(request->daemon, repository, name,
                        request->who ? request->who : request->peer, &err) < 0) {
        tt_html_error(reply, 404, "Not checked", err.message);
        return;
    }
    tt_buf_add(&location, "/deployments/");
    tt_html_path(&location, repository);
    tt_buf_add(&location, "/");
    tt_html_path(&location, name);
    reply->status = 303;
    reply->location = tt_strdup(request->arena, tt_buf_text(&location));
}
