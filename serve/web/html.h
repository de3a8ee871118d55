/*
 * HTML: what the pages are written with. Text from elsewhere goes through tt_html_text alone.
 */
#ifndef TT_SERVE_WEB_HTML_H
#define TT_SERVE_WEB_HTML_H

#include "base/clock.h"
#include "serve/web/request.h"

/* TEXT as it reads, whatever is in it; NULL is nothing. */
void tt_html_text(struct tt_buf *out, const char *text);
/* The same as one part of a path. */
void tt_html_path(struct tt_buf *out, const char *part);
void tt_html_time(struct tt_web_request *request, struct tt_buf *out, tt_time time);
/* "<span class=WORD>WORD</span>": the colour says what the word says, too. */
void tt_html_word(struct tt_buf *out, const char *word);

/* A page from its head to where its content begins, and its end. */
void tt_html_begin(struct tt_web_reply *reply, const char *title);
void tt_html_end(struct tt_web_reply *reply);

/* A page that says what went wrong. */
void tt_html_error(struct tt_web_reply *reply, int status, const char *title, const char *text);

/* A form with a button that needs an operator's token: in the name of who gives it. */
void tt_html_form(struct tt_buf *out, const char *action, const char *button);

#endif
