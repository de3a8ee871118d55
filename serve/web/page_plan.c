/*
 * A plan for people: its problems, its steps as a difference, service by service and balancer by
 * balancer, and the floors. Of very many steps the first are told, and how many more there are.
 */
#include <string.h>

#include "model/plan.h"
#include "reconciler/plan_text.h"
#include "serve/web/html.h"

#define SHOWN_OF_GROUP 200
#define SHOWN_IN_ALL   1000

void tt_page_problems(struct tt_buf *out, const struct tt_plan *plan)
{
    if (!plan->problems.count)
        return;
    tt_buf_add(out, "<ul class=\"problems\" aria-label=\"Problems\">\n");
    TT_EACH (problem, &plan->problems) {
        tt_buf_addf(out, "<li class=\"notice %s\">", tt_severity_words[problem->severity]);
        tt_html_word(out, tt_severity_words[problem->severity]);
        tt_html_put(out, " <code>", problem->code, "</code> ");
        tt_html_put(out, "<strong>", problem->subject, "</strong> ");
        tt_html_text(out, problem->message);
        if (problem->mark.file) {
            tt_html_put(out, " <small><code>", problem->mark.file, "");
            tt_buf_addf(out, ":%d:%d</code></small>", problem->mark.line, problem->mark.column);
        }
        tt_buf_add(out, "</li>\n");
    }
    tt_buf_add(out, "</ul>\n");
}

/* --- steps ------------------------------------------------------------------------------------ */

static const char *class_of(const struct tt_step *step)
{
    if (step->action == TT_STEP_CREATE_SERVER)
        return "add";
    return step->action == TT_STEP_DELETE_SERVER || step->action == TT_STEP_FENCE ? "delete"
                                                                                  : "change";
}

static void write_after(struct tt_buf *out, const struct tt_step *step)
{
    for (size_t i = 0; i < step->after.count; i++) {
        if (i == 4) {
            tt_buf_addf(out, " and %zu more", step->after.count - i);
            break;
        }
        tt_buf_addf(out, "%s s%d", i ? "" : "; after", step->after.items[i] + 1);
    }
}

static void write_step(struct tt_buf *out, const struct tt_plan *plan, const struct tt_step *step)
{
    struct tt_arena scratch;
    const char *text;

    tt_arena_init(&scratch);
    text = tt_step_text(&scratch, step); /* "+ create web-0 in zone a" */
    tt_buf_addf(out, "<li class=\"%s%s\"><span class=\"sign\">", class_of(step),
                step->held ? " held" : "");
    tt_html_text(out, tt_strndup(&scratch, text, 1));
    tt_buf_addf(out, "</span><code class=\"id\">s%zu</code><span class=\"what\">",
                (size_t)(step - plan->steps.items) + 1);
    tt_html_put(out, "", *text ? text + 2 : text, "</span><span class=\"why\">");
    if (step->held) {
        tt_html_word(out, "held");
        tt_buf_add(out, " ");
    }
    tt_html_put(out, "", tt_because_words[step->because], ": ");
    tt_html_text(out, step->reason);
    write_after(out, step);
    tt_buf_add(out, "</span></li>\n");
    tt_arena_release(&scratch);
}

static bool same_group(const struct tt_step *a, const struct tt_step *b)
{
    return a->subject.kind == b->subject.kind && strcmp(a->subject.name, b->subject.name) == 0;
}

/* The steps of the service or balancer that step FIRST is of; the number of those written. */
static size_t write_group(struct tt_buf *out, const struct tt_plan *plan, size_t first,
                          bool *written, size_t room)
{
    const struct tt_step *steps = plan->steps.items;
    size_t count = 0, most = room < SHOWN_OF_GROUP ? room : SHOWN_OF_GROUP;

    for (size_t i = first; i < plan->steps.count; i++)
        count += same_group(&steps[first], &steps[i]);
    tt_html_put(out, "<section class=\"card diff\"><h3>",
                tt_subject_kind_words[steps[first].subject.kind], " ");
    tt_html_put(out, "", steps[first].subject.name, "");
    tt_buf_addf(out, " <small>%zu %s</small></h3>\n<ol>\n", count, count == 1 ? "step" : "steps");
    for (size_t i = first, shown = 0; i < plan->steps.count; i++) {
        if (!same_group(&steps[first], &steps[i]))
            continue;
        written[i] = true;
        if (shown++ < most)
            write_step(out, plan, &steps[i]);
    }
    tt_buf_add(out, "</ol>\n");
    if (count > most)
        tt_buf_addf(out, "<p class=\"empty\">and %zu more</p>\n", count - most);
    tt_buf_add(out, "</section>\n");
    return count < most ? count : most;
}

void tt_page_plan(struct tt_buf *out, const struct tt_plan *plan, const char *json)
{
    struct tt_summary summary = tt_plan_summary(plan);
    size_t room = SHOWN_IN_ALL;
    struct tt_arena scratch;
    bool *written;

    tt_buf_add(out, "<section aria-labelledby=\"plan\"><h2 id=\"plan\">Plan</h2>\n");
    if (!plan->steps.count) {
        tt_buf_add(out, tt_plan_result(plan) == TT_RESULT_ERROR
                            ? "<p class=\"card empty\">Nothing is planned: see the errors "
                              "above.</p></section>\n"
                            : "<p class=\"card empty\">No changes: what runs is what Git asks "
                              "for.</p></section>\n");
        return;
    }
    tt_buf_addf(out,
                "<p class=\"tally\"><span class=\"add\">+ %d to add</span><span "
                "class=\"change\">~ %d to change</span><span class=\"delete\">&minus; %d to "
                "destroy</span></p>\n",
                summary.create, summary.enroll + summary.withdraw + summary.change, summary.delete);
    tt_arena_init(&scratch);
    written = TT_NEW_ARRAY(&scratch, plan->steps.count, bool);
    for (size_t i = 0; i < plan->steps.count; i++)
        if (!written[i])
            room -= write_group(out, plan, i, written, room);
    tt_arena_release(&scratch);
    tt_html_put(out, "<p><small><a href=\"", json, "\">The whole plan as JSON</a></small></p>");
    tt_buf_add(out, "</section>\n");
}

/* --- floors ----------------------------------------------------------------------------------- */

void tt_page_floors(struct tt_buf *out, const struct tt_plan *plan)
{
    if (!plan->floors.count)
        return;
    tt_buf_add(out, "<section aria-labelledby=\"floors\"><h2 id=\"floors\">Floors</h2>\n"
                    "<div class=\"card table\"><table><caption>Members in service now, at the "
                    "worst moment of any way the plan may go, and at its end</caption>\n"
                    "<thead><tr><th scope=\"col\">Service</th><th scope=\"col\">Behind</th>"
                    "<th scope=\"col\" class=\"number\">Now</th><th scope=\"col\" "
                    "class=\"number\">Never below</th><th scope=\"col\" class=\"number\">At the "
                    "end</th></tr></thead>\n<tbody>\n");
    TT_EACH (floor, &plan->floors) {
        tt_html_put(out, "<tr><th scope=\"row\">", floor->service, "</th><td>");
        tt_html_text(out, floor->balancer);
        tt_buf_addf(out,
                    "</td><td class=\"number\">%d</td><td class=\"number\">%d</td>"
                    "<td class=\"number\">%d</td></tr>\n",
                    floor->now, floor->floor, floor->end);
    }
    tt_buf_add(out, "</tbody></table></div></section>\n");
}
