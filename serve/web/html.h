/*
 * HTML: what the pages are written with. Text from elsewhere goes through tt_html_text alone.
 */
#ifndef TT_SERVE_WEB_HTML_H
#define TT_SERVE_WEB_HTML_H

#include "base/clock.h"
#include "serve/web/request.h"

/* TEXT as it reads, whatever is in it; NULL is nothing. */
void tt_html_text(struct tt_buf *out, const char *text);
/* BEFORE and AFTER are markup, TEXT is text. */
void tt_html_put(struct tt_buf *out, const char *before, const char *text, const char *after);
/* The same as one part of a path. */
void tt_html_path(struct tt_buf *out, const char *part);
void tt_html_time(struct tt_web_request *request, struct tt_buf *out, tt_time time);
/* "<span class=WORD>WORD</span>": the colour says what the word says, too. */
void tt_html_word(struct tt_buf *out, const char *word);
/* "<a href=/deployments/REPOSITORY/NAME>NAME</a>" */
void tt_html_deployment(struct tt_buf *out, const char *repository, const char *name);

/* A page from its head to where its content begins, and its end. SECTION is the one of the pages'
 * list that it belongs to: "deployments", "runs", "accounts". */
void tt_html_begin(struct tt_web_request *request, struct tt_web_reply *reply, const char *section,
                   const char *title);
void tt_html_end(struct tt_web_reply *reply);
/* As tt_html_begin, of a page about one deployment: only what concerns it makes it fetch itself
 * again. */
void tt_html_begin_of(struct tt_web_request *request, struct tt_web_reply *reply,
                      const char *section, const char *title, const char *repository,
                      const char *deployment);

/* A page that says what went wrong. */
void tt_html_error(struct tt_web_request *request, struct tt_web_reply *reply, int status,
                   const char *title, const char *text);

/* A form with a button that needs an operator's token, in the name of who gives it; folded away
 * behind the button's word unless it is OPEN. ID is unique on its page. */
void tt_html_form(struct tt_buf *out, const char *id, const char *action, const char *button,
                  bool open);

/* Where a run goes on, step by step; empty and unseen until the script fills it. */
void tt_html_progress(struct tt_buf *out);

/* page_plan.c, page_picture.c, page_drift.c: sections of a deployment's page. */
struct tt_plan;
void tt_page_problems(struct tt_buf *out, const struct tt_plan *plan);
void tt_page_plan(struct tt_buf *out, const struct tt_plan *plan, const char *json);
void tt_page_floors(struct tt_buf *out, const struct tt_plan *plan);
/* DEPLOYMENT is one of a picture (reconciler/commands/picture.h has the format). */
void tt_page_picture(struct tt_buf *out, const json_t *deployment, const struct tt_plan *plan);
void tt_page_drift(struct tt_buf *out, const json_t *drift);

/* page_runs.c: the last runs; of DEPLOYMENT alone unless it is NULL. */
void tt_page_run_table(struct tt_web_request *request, struct tt_buf *out,
                       const tt_run_records *runs, const char *deployment, size_t most);

#endif
