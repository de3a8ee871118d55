/*
 * Plan text: a plan for people.
 */
#include "reconciler/plan_text.h"

#include <string.h>

struct page {
    struct tt_buf *out;
    struct tt_arena arena;
    const struct tt_plan *plan;
    bool color;
};

static const char *const symbols[] = {
    [TT_STEP_CREATE_SERVER] = "+", [TT_STEP_START_SERVER] = "~",
    [TT_STEP_DELETE_SERVER] = "-", [TT_STEP_ENROLL] = ">",
    [TT_STEP_WITHDRAW] = "<",      [TT_STEP_SET_ZONES] = "~",
    [TT_STEP_SET_LISTENERS] = "~", [TT_STEP_SET_HEALTH_CHECK] = "~",
    [TT_STEP_MOVE_ADDRESS] = "~",  [TT_STEP_FENCE] = "!",
    [TT_STEP_TAG] = "~",
};

static const char *const colours[] = {
    [TT_STEP_CREATE_SERVER] = "32", [TT_STEP_START_SERVER] = "33",
    [TT_STEP_DELETE_SERVER] = "31", [TT_STEP_ENROLL] = "36",
    [TT_STEP_WITHDRAW] = "35",      [TT_STEP_SET_ZONES] = "33",
    [TT_STEP_SET_LISTENERS] = "33", [TT_STEP_SET_HEALTH_CHECK] = "33",
    [TT_STEP_MOVE_ADDRESS] = "33",  [TT_STEP_FENCE] = "31",
    [TT_STEP_TAG] = "33",
};

static const char *machine_name(struct tt_arena *arena, const struct tt_step *step)
{
    if (step->subject.slot < 0)
        return step->subject.name;
    return tt_printf(arena, "%s-%d", step->subject.name, step->subject.slot);
}

static const char *id_text(struct tt_arena *arena, const struct tt_step *step)
{
    return step->server ? tt_printf(arena, " (%s)", step->server) : "";
}

static const char *zone_text(struct tt_arena *arena, const struct tt_step *step)
{
    return step->zone ? tt_printf(arena, " in zone %s", step->zone) : "";
}

static const char *verb_text(struct tt_arena *arena, const struct tt_step *step)
{
    const char *name = machine_name(arena, step);
    const char *id = id_text(arena, step);

    switch (step->action) {
    case TT_STEP_CREATE_SERVER:
        return tt_printf(arena, "create %s%s", name, zone_text(arena, step));
    case TT_STEP_START_SERVER:
        return tt_printf(arena, "start %s%s", name, id);
    case TT_STEP_DELETE_SERVER:
        return tt_printf(arena, "delete %s%s", name, id);
    case TT_STEP_ENROLL:
        return tt_printf(arena, "enroll %s%s at %s", name, id, step->balancer);
    case TT_STEP_WITHDRAW:
        if (step->subject.kind == TT_SUBJECT_LOAD_BALANCER) /* of no service that is known */
            return tt_printf(arena, "withdraw %s from %s",
                             step->address  ? step->address
                             : step->server ? step->server
                                            : name,
                             step->balancer);
        return tt_printf(arena, "withdraw %s%s from %s", name,
                         step->address ? tt_printf(arena, " (%s)", step->address) : id,
                         step->balancer);
    case TT_STEP_SET_ZONES:
        return tt_printf(arena, "set the zones of %s to %s", step->balancer,
                         tt_strings_join(arena, step->zones, "none"));
    case TT_STEP_SET_LISTENERS:
        return tt_printf(arena, "set the listeners of %s", step->balancer);
    case TT_STEP_SET_HEALTH_CHECK:
        return tt_printf(arena, "set the health check of %s", step->balancer);
    case TT_STEP_MOVE_ADDRESS:
        return tt_printf(arena, "move the address of %s", step->balancer);
    case TT_STEP_FENCE:
        return tt_printf(arena, "fence %s%s", name, id);
    case TT_STEP_TAG:
        return tt_printf(arena, "tag %s%s", name, id);
    }
    return "";
}

char *tt_step_text(struct tt_arena *arena, const struct tt_step *step)
{
    return tt_printf(arena, "%s %s", symbols[step->action], verb_text(arena, step));
}

static void add_colored(struct page *page, const char *colour, const char *text)
{
    if (page->color)
        tt_buf_addf(page->out, "\033[%sm%s\033[0m", colour, text);
    else
        tt_buf_add(page->out, text);
}

static void add_problems(struct page *page)
{
    static const char *const severity_colours[] = {
        [TT_SEVERITY_ERROR] = "31", [TT_SEVERITY_WARNING] = "33", [TT_SEVERITY_INFO] = "36"};

    TT_EACH (problem, &page->plan->problems) {
        add_colored(
            page, severity_colours[problem->severity],
            tt_printf(&page->arena, "%s[%s]", tt_severity_words[problem->severity], problem->code));
        tt_buf_addf(page->out, " %s: %s", problem->subject, problem->message);
        if (problem->mark.file)
            tt_buf_addf(page->out, " (%s:%d:%d)", problem->mark.file, problem->mark.line,
                        problem->mark.column);
        tt_buf_add(page->out, "\n");
    }
    if (page->plan->problems.count)
        tt_buf_add(page->out, "\n");
}

static void add_after(struct page *page, const struct tt_step *step)
{
    if (!step->after.count)
        return;
    tt_buf_add(page->out, " (after");
    for (size_t i = 0; i < step->after.count; i++) {
        if (i == 4) {
            tt_buf_addf(page->out, " and %zu more", step->after.count - i);
            break;
        }
        tt_buf_addf(page->out, " s%d", step->after.items[i] + 1);
    }
    tt_buf_add(page->out, ")");
}

static void add_step(struct page *page, const struct tt_step *step)
{
    long number = step - page->plan->steps.items + 1;

    tt_buf_addf(page->out, "    %4s  ", tt_printf(&page->arena, "s%ld", number));
    add_colored(page, colours[step->action], tt_step_text(&page->arena, step));
    if (step->held)
        add_colored(page, "33", " [held]");
    tt_buf_addf(page->out, ", %s: %s", tt_because_words[step->because], step->reason);
    add_after(page, step);
    tt_buf_add(page->out, "\n");
}

static bool same_group(const struct tt_step *a, const struct tt_step *b)
{
    return a->subject.kind == b->subject.kind &&
           strcmp(a->subject.deployment, b->subject.deployment) == 0 &&
           strcmp(a->subject.name, b->subject.name) == 0;
}

/* The steps of the service or balancer that STEP is the first of. */
static void add_group(struct page *page, size_t first, size_t end, bool *written)
{
    const struct tt_step *head = &page->plan->steps.items[first];

    tt_buf_addf(page->out, "  %s %s\n", tt_subject_kind_words[head->subject.kind],
                head->subject.name);
    for (size_t i = first; i < end; i++)
        if (!written[i] && same_group(head, &page->plan->steps.items[i])) {
            add_step(page, &page->plan->steps.items[i]);
            written[i] = true;
        }
}

static void add_steps(struct page *page)
{
    size_t count = page->plan->steps.count;
    bool *written = TT_NEW_ARRAY(&page->arena, count, bool);
    const struct tt_step *steps = page->plan->steps.items;

    for (size_t begin = 0, end; begin < count; begin = end) {
        for (end = begin + 1; end < count && strcmp(steps[end].subject.deployment,
                                                    steps[begin].subject.deployment) == 0;)
            end++;
        add_colored(page, "1",
                    tt_printf(&page->arena, "Deployment %s", steps[begin].subject.deployment));
        tt_buf_add(page->out, "\n");
        for (size_t i = begin; i < end; i++)
            if (!written[i])
                add_group(page, i, end, written);
        tt_buf_add(page->out, "\n");
    }
}

static void add_floors(struct page *page)
{
    TT_EACH (floor, &page->plan->floors)
        tt_buf_addf(page->out, "%s behind %s: %d now, never below %d, %d at the end\n",
                    floor->service, floor->balancer, floor->now, floor->floor, floor->end);
    if (page->plan->floors.count)
        tt_buf_add(page->out, "\n");
}

void tt_plan_text(struct tt_buf *out, const struct tt_plan *plan, const struct tt_desired *desired,
                  bool color)
{
    struct page page = {.out = out, .plan = plan, .color = color};
    struct tt_summary summary = tt_plan_summary(plan);

    (void)desired;
    tt_arena_init(&page.arena);
    add_problems(&page);
    add_steps(&page);
    add_floors(&page);
    if (plan->steps.count)
        tt_buf_addf(out, "Plan: %d to add, %d to change, %d to destroy.\n", summary.create,
                    summary.enroll + summary.withdraw + summary.change, summary.delete);
    else
        tt_buf_add(out, tt_plan_result(plan) == TT_RESULT_ERROR
                            ? "Nothing is planned: see the errors above.\n"
                        : plan->problems.count
                            ? "No changes are planned; see above for what was noticed.\n"
                            : "No changes. What runs is what Git asks for.\n");
    tt_arena_release(&page.arena);
}
