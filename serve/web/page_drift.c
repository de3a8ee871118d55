/*
 * Drift: what differs from what Git asks for, by class, with what is desired and what was observed.
 */
#include <string.h>

#include "serve/web/html.h"

#define SHOWN 200

static const char *const classes[][2] = {
    {"failed", "it does not work any more"},
    {"missing", "it should exist and does not"},
    {"changed", "somebody changed it"},
    {"foreign", "not ours, where only ours should be"},
    {"ours", "a change in Git that is not applied yet"},
};

static bool is_of(const json_t *item, const char *class)
{
    return strcmp(tt_web_text(item, "class"), class) == 0;
}

static size_t count_of(const json_t *drift, const char *class)
{
    const json_t *item;
    size_t i, count = 0;

    json_array_foreach (drift, i, item) {
        count += is_of(item, class);
    }
    return count;
}

static void write_name(struct tt_buf *out, const json_t *item)
{
    const json_t *slot = json_object_get(item, "slot");

    tt_html_put(out, "", tt_web_text(item, "name"), "");
    if (json_is_integer(slot))
        tt_buf_addf(out, "-%lld", (long long)json_integer_value(slot));
    tt_html_put(out, "<small>", tt_web_text(item, "kind"), "</small>");
    if (json_is_true(json_object_get(item, "held")))
        tt_html_word(out, "held");
}

/* A row for each thing that differs; the name stands before all of them. */
static void write_item(struct tt_buf *out, const json_t *item)
{
    const json_t *differs = json_object_get(item, "differs"), *one;
    size_t count = json_array_size(differs), i;

    tt_buf_addf(out, "<tr><th scope=\"row\" rowspan=\"%zu\">", count ? count : 1);
    write_name(out, item);
    tt_buf_add(out, "</th>");
    if (!count)
        tt_html_put(out, "<td></td><td></td><td></td><td>", tt_web_text(item, "reason"),
                    "</td></tr>\n");
    json_array_foreach (differs, i, one) {
        tt_html_put(out, i ? "<tr><td>" : "<td>", tt_web_text(one, "what"), "</td>");
        tt_html_put(out, "<td class=\"want\">", tt_web_text(one, "desired"), "</td>");
        tt_html_put(out, "<td class=\"have\">", tt_web_text(one, "observed"), "</td>");
        if (i == 0) {
            tt_buf_addf(out, "<td rowspan=\"%zu\">", count);
            tt_html_put(out, "", tt_web_text(item, "reason"), "</td>");
        }
        tt_buf_add(out, "</tr>\n");
    }
}

static void write_class(struct tt_buf *out, const json_t *drift, const char *class,
                        const char *meaning)
{
    size_t count = count_of(drift, class), shown = 0, i;
    const json_t *item;

    if (!count)
        return;
    tt_buf_add(out, "<div class=\"card table\"><table><caption>");
    tt_html_word(out, class);
    tt_buf_addf(out,
                " %zu: %s</caption>\n<thead><tr><th scope=\"col\">Resource</th>"
                "<th scope=\"col\">What</th><th scope=\"col\">Desired</th>"
                "<th scope=\"col\">Observed</th><th scope=\"col\">Why</th></tr></thead>\n<tbody>\n",
                count, meaning);
    json_array_foreach (drift, i, item) {
        if (!is_of(item, class))
            continue;
        if (shown++ == SHOWN)
            break;
        write_item(out, item);
    }
    if (count > SHOWN)
        tt_buf_addf(out, "<tr><td colspan=\"5\">and %zu more</td></tr>\n", count - SHOWN);
    tt_buf_add(out, "</tbody></table></div>\n");
}

void tt_page_drift(struct tt_buf *out, const json_t *drift)
{
    tt_buf_add(out, "<section aria-labelledby=\"drift\"><h2 id=\"drift\">Drift</h2>\n");
    if (!json_array_size(drift))
        tt_buf_add(out, "<p class=\"card empty\">No drift: the world is as Git asks for.</p>\n");
    for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++)
        write_class(out, drift, classes[i][0], classes[i][1]);
    tt_buf_add(out, "</section>\n");
}
