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

void tt_html_put(struct tt_buf *out, const char *before, const char *text, const char *after)
{
    tt_buf_add(out, before);
    tt_html_text(out, text);
    tt_buf_add(out, after);
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

void tt_html_deployment(struct tt_buf *out, const char *repository, const char *name)
{
    tt_buf_add(out, "<a href=\"/deployments/");
    tt_html_path(out, repository);
    tt_buf_add(out, "/");
    tt_html_path(out, name);
    tt_html_put(out, "\">", name, "</a>");
}

/* --- the frame -------------------------------------------------------------------------------- */

static void write_top(struct tt_buf *out, const char *section)
{
    static const char *const pages[][3] = {{"deployments", "/", "Deployments"},
                                           {"runs", "/runs", "History"},
                                           {"accounts", "/accounts", "Accounts"}};

    tt_buf_add(out, "<a class=\"skip\" href=\"#content\">Skip to the content</a>\n"
                    "<header class=\"top\"><a class=\"brand\" href=\"/\">"
                    "<svg viewBox=\"0 0 24 24\" aria-hidden=\"true\"><path fill=\"currentColor\" "
                    "d=\"M3 4h11v16L3 15z\" opacity=\".45\"/><path fill=\"currentColor\" "
                    "d=\"M15.5 9 22 6.5v11L15.5 15z\"/></svg>trimtab</a>\n"
                    "<nav aria-label=\"Pages\">");
    for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++)
        tt_buf_addf(out, "<a href=\"%s\"%s>%s</a>", pages[i][1],
                    strcmp(pages[i][0], section) == 0 ? " aria-current=\"page\"" : "", pages[i][2]);
    tt_buf_add(out,
               "</nav>\n<p id=\"live\" role=\"status\"></p></header>\n<main id=\"content\">\n");
}

void tt_html_begin_of(struct tt_web_request *request, struct tt_web_reply *reply,
                      const char *section, const char *title, const char *repository,
                      const char *deployment)
{
    struct tt_buf *out = &reply->body;

    reply->type = "text/html; charset=utf-8";
    tt_buf_add(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                    "<meta name=\"color-scheme\" content=\"light dark\">\n"
                    "<link rel=\"icon\" href=\"/icon.svg\" type=\"image/svg+xml\">\n");
    tt_html_put(out, "<title>", title, " &middot; trimtab</title>\n");
    tt_buf_addf(out,
                "<link rel=\"stylesheet\" href=\"/style.css\">\n"
                "<script src=\"/live.js\" defer></script>\n</head>\n"
                "<body data-page=\"%s\" data-event=\"%llu\"",
                section, (unsigned long long)request->newest_event);
    if (deployment) {
        tt_html_put(out, " data-repository=\"", repository, "\"");
        tt_html_put(out, " data-deployment=\"", deployment, "\"");
    }
    tt_buf_add(out, ">\n");
    write_top(out, section);
}

void tt_html_begin(struct tt_web_request *request, struct tt_web_reply *reply, const char *section,
                   const char *title)
{
    tt_html_begin_of(request, reply, section, title, NULL, NULL);
}

void tt_html_end(struct tt_web_reply *reply)
{
    tt_buf_add(&reply->body, "</main>\n<footer><a href=\"/api/v1/openapi.json\">API</a> &middot; "
                             "<a href=\"/metrics\">Metrics</a> &middot; trimtab " TT_VERSION
                             "</footer>\n</body>\n</html>\n");
}

void tt_html_error(struct tt_web_request *request, struct tt_web_reply *reply, int status,
                   const char *title, const char *text)
{
    reply->status = status;
    tt_html_begin(request, reply, "", title);
    tt_html_put(&reply->body, "<h1>", title, "</h1>\n");
    tt_html_put(&reply->body, "<p class=\"notice problem\">", text, "</p>\n");
    tt_html_end(reply);
}

void tt_html_form(struct tt_buf *out, const char *id, const char *action, const char *button,
                  bool open)
{
    tt_html_put(out, open ? "<div class=\"ask\" id=\"" : "<details class=\"ask\" id=\"", id, "\">");
    if (!open)
        tt_html_put(out, "<summary>", button, "</summary>");
    tt_html_put(out, "<form method=\"post\" action=\"", action, "\">");
    tt_html_put(out, "<label for=\"", id, "-token\">Operator's token</label> ");
    tt_html_put(out, "<input id=\"", id,
                "-token\" type=\"password\" name=\"token\" autocomplete=\"off\" required> ");
    tt_html_put(out, "<button>", button, "</button></form>");
    tt_buf_add(out, open ? "</div>\n" : "</details>\n");
}

void tt_html_progress(struct tt_buf *out)
{
    tt_buf_add(out, "<section id=\"progress\" class=\"card progress\" aria-label=\"Run under way\" "
                    "hidden><strong>Run under way</strong> <output></output>"
                    "<progress aria-label=\"Steps done\"></progress><ol></ol></section>\n");
}
