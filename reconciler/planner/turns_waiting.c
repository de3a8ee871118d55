/*
 * Turns: who got none, and what it waits for.
 *
 * Most wait for members that are out of service, and such may come back. When all that stays is in
 * service and nothing of the service is under way, nothing will: one that goes serves where another
 * that goes does not, so neither can go, and with them here there is no room for the one that would
 * release them. Only wider limits help then, which is for people to say.
 */
#include "base/str.h"
#include "reconciler/planner/turns_schedule.h"

static struct tt_strings those_without_a_turn(const struct tt_schedule *s)
{
    struct tt_strings waiting = {0};

    for (size_t i = 0; i < s->leaver_count; i++)
        if (!s->leavers[i].scheduled)
            tt_strings_add(s->arena, &waiting,
                           tt_machine_text(s->arena, s->leavers[i].departure->machine->server));
    for (size_t i = 0; i < s->comer_count; i++)
        if (!s->comers[i].scheduled && !s->comers[i].predecessor)
            tt_strings_add(s->arena, &waiting,
                           tt_printf(s->arena, "slot %d", s->comers[i].arrival->create->slot));
    return waiting;
}

/* True when the plan has a step of the service. */
static bool has_steps(const struct tt_schedule *s)
{
    const struct tt_service_view *service = s->change->service;

    TT_EACH (step, &s->emitter->steps)
        if (step->subject.kind == TT_SUBJECT_SERVICE &&
            tt_streq(step->subject.name, service->name) &&
            tt_streq(step->subject.deployment, service->deployment->name))
            return true;
    return false;
}

/* True when a plan after this one may find more than this one did: something is under way. */
static bool is_under_way(const struct tt_schedule *s)
{
    if (has_steps(s))
        return true;
    TT_EACH (arrival, &s->change->arrivals)
        if (arrival->machine)
            return true;
    for (size_t i = 0; i < s->comer_count; i++)
        if (s->comers[i].scheduled)
            return true;
    for (size_t i = 0; i < s->leaver_count; i++)
        if (s->leavers[i].scheduled || s->leavers[i].stuck || s->leavers[i].catch_ups)
            return true;
    TT_EACH (link, &s->change->links) {
        const struct tt_balancer_view *balancer = link->balancer;

        if (!link->usable || balancer->create || balancer->replaced || balancer->settling ||
            balancer->zones_first || balancer->zones_last)
            return true;
    }
    return false;
}

/* True when MACHINE can begin to serve somewhere without wider limits: by itself, or once the error
 * that names it is mended. */
static bool may_come_back(const struct tt_schedule *s, const struct tt_machine *machine)
{
    if (!machine->healthy || machine->barred)
        return true;
    TT_EACH (link, &s->change->links)
        if (!tt_link_serves(link, machine) && tt_link_entry(link, machine) >= 0 &&
            tt_balances_to(link->balancer, machine->server->zone))
            return true;
    return false;
}

/* True when all that is wanted is in sight, is here or would be made, and whoever is here does what
 * it can. */
static bool is_all_there(const struct tt_schedule *s)
{
    const struct tt_service_view *service = s->change->service;
    size_t count = s->comer_count;

    if (service->wanted != tt_service_count(service->spec))
        return false;
    TT_EACH (machine, &service->machines) {
        if (may_come_back(s, machine))
            return false;
        count += machine->fate == TT_FATE_KEEP;
    }
    return s->comer_count && count == (size_t)service->wanted;
}

void tt_report_waiting(struct tt_schedule *s)
{
    struct tt_view *view = s->emitter->view;
    const struct tt_service_view *service = s->change->service;
    struct tt_strings waiting = those_without_a_turn(s);
    const char *who = tt_strings_join(s->arena, &waiting, "");

    if (!waiting.count)
        return;
    if (is_under_way(s) || !is_all_there(s))
        tt_view_problem(view, TT_SEVERITY_INFO, "waiting", tt_service_subject(view, service),
                        &service->spec->mark,
                        "%s %s for members that are not in service yet: a change now would "
                        "leave fewer than maxUnavailable allows, or more than maxSurge",
                        who, waiting.count == 1 ? "waits" : "wait");
    else
        tt_view_problem(view, TT_SEVERITY_WARNING, "limits-too-tight",
                        tt_service_subject(view, service), &service->spec->mark,
                        "%s wait for each other: none may leave its balancers (maxUnavailable is "
                        "%d), and there is no room for another server (maxSurge is %d); with a "
                        "maxSurge of %d they can go on",
                        who, service->unavailable, service->surge,
                        (int)service->machines.count + 1 - service->wanted);
}
