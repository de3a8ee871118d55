/*
 * HTML: the frame of every page, and escaping.
 */
#include "serve/web/html.h"

#include <ctype.h>
#include <string.h>

void tt_html_text(struct tt_buf *out, const char *text)
{
    for (; text && *text; text++) {
        switch (*text) {
        case '<':
            tt_buf_add(out, "&lt;");
            break;
        case '>':
            tt_buf_add(out, "&gt;");
            break;
        case '&':
            tt_buf_add(out, "&amp;");
            break;
        case '"':
            tt_buf_add(out, "&quot;");
            break;
        case '\'':
            tt_buf_add(out, "&#39;");
            break;
        default:
            tt_buf_addn(out, text, 1);
        }
    }
}

void tt_html_path(struct tt_buf *out, const char *part)
{
    for (; *part; part++)
        tt_buf_addf(out, isalnum((unsigned char)*part) || strchr("-._~", *part) ? "%c" : "%%%02X",
                    (unsigned char)*part);
}

void tt_html_time(struct tt_web_request *request, struct tt_buf *out, tt_time time)
{
    const char *text = time > 0 ? tt_time_format(request->arena, time) : NULL;

    if (text)
        tt_buf_addf(out, "<time datetime=\"%s\">%s</time>", text, text);
    else
        tt_buf_add(out, "&ndash;");
}

void tt_html_word(struct tt_buf *out, const char *word)
{
    tt_buf_add(out, "<span class=\"word ");
    tt_html_text(out, word);
    tt_buf_add(out, "\">");
    tt_html_text(out, word);
    tt_buf_add(out, "</span>");
}

void tt_html_begin(struct tt_web_reply *reply, const char *title)
{
    struct tt_buf *out = &reply->body;

    reply->type = "text/html; charset=utf-8";
    tt_buf_add(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                    "<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
    tt_html_text(out, title);
    tt_buf_add(out, " &middot; trimtab</title>\n<link rel=\"stylesheet\" href=\"/style.css\">\n"
                    "<script src=\"/live.js\" defer></script>\n</head>\n<body>\n"
                    "<a class=\"skip\" href=\"#content\">Skip to the content</a>\n"
                    "<header><strong>trimtab</strong>\n<nav aria-label=\"Pages\">"
                    "<a href=\"/\">Deployments</a> <a href=\"/runs\">History</a></nav>\n"
                    "<p id=\"live\" role=\"status\"></p></header>\n<main id=\"content\">\n<h1>");
    tt_html_text(out, title);
    tt_buf_add(out, "</h1>\n");
}

void tt_html_end(struct tt_web_reply *reply)
{
    tt_buf_add(&reply->body, "</main>\n</body>\n</html>\n");
}

void tt_html_error(struct tt_web_reply *reply, int status, const char *title, const char *text)
{
    reply->status = status;
    tt_html_begin(reply, title);
    tt_buf_add(&reply->body, "<p class=\"problem\">");
    tt_html_text(&reply->body, text);
    tt_buf_add(&reply->body, "</p>\n");
    tt_html_end(reply);
}

void tt_html_form(struct tt_buf *out, const char *action, const char *button)
{
    tt_buf_add(out, "<form method=\"post\" action=\"");
    tt_html_text(out, action);
    tt_buf_add(out, "\"><label>Operator's token <input type=\"password\" name=\"token\" "
                    "autocomplete=\"off\" required></label> <button>");
    tt_html_text(out, button);
    tt_buf_add(out, "</button></form>\n");
}
