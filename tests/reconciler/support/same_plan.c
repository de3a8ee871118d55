/*
 * Same plan: field by field.
 */
#include "same_plan.h"

#include <string.h>

#include "base/str.h"

static bool same_strings(const struct tt_strings *a, const struct tt_strings *b)
{
    if (!a || !b)
        return a == b;
    for (size_t i = 0; a->count == b->count && i < a->count; i++)
        if (strcmp(a->items[i], b->items[i]) != 0)
            return false;
    return a->count == b->count;
}

/* NULL equals NULL here. */
static bool same(const char *a, const char *b)
{
    return tt_strcmp(a, b) == 0;
}

static bool same_subject(const struct tt_subject *a, const struct tt_subject *b)
{
    return a->kind == b->kind && a->slot == b->slot && same(a->deployment, b->deployment) &&
           same(a->name, b->name);
}

static bool same_place(const struct tt_step *a, const struct tt_step *b)
{
    return same(a->account, b->account) && same(a->region, b->region) && same(a->zone, b->zone) &&
           same(a->server, b->server) && same(a->address, b->address) &&
           same(a->balancer, b->balancer) && same(a->machine, b->machine) &&
           same_strings(a->zones, b->zones);
}

static bool same_step(const struct tt_step *a, const struct tt_step *b)
{
    if (a->action != b->action || a->because != b->because || a->held != b->held ||
        a->after.count != b->after.count || !same_subject(&a->subject, &b->subject) ||
        !same_place(a, b) || !same(a->reason, b->reason) || !same_strings(&a->fields, &b->fields))
        return false;
    return !a->after.count ||
           memcmp(a->after.items, b->after.items, a->after.count * sizeof(*a->after.items)) == 0;
}

static bool same_problem(const struct tt_problem *a, const struct tt_problem *b)
{
    return a->severity == b->severity && same(a->code, b->code) && same(a->subject, b->subject) &&
           same(a->message, b->message) && a->mark.line == b->mark.line &&
           a->mark.column == b->mark.column;
}

static bool same_floor(const struct tt_floor *a, const struct tt_floor *b)
{
    return same(a->deployment, b->deployment) && same(a->service, b->service) &&
           same(a->balancer, b->balancer) && a->now == b->now && a->floor == b->floor &&
           a->end == b->end;
}

bool tt_same_plan(const struct tt_plan *a, const struct tt_plan *b)
{
    if (a->steps.count != b->steps.count || a->problems.count != b->problems.count ||
        a->floors.count != b->floors.count || !same(a->world, b->world) ||
        !same(a->revision, b->revision))
        return false;
    for (size_t i = 0; i < a->steps.count; i++)
        if (!same_step(&a->steps.items[i], &b->steps.items[i]))
            return false;
    for (size_t i = 0; i < a->problems.count; i++)
        if (!same_problem(&a->problems.items[i], &b->problems.items[i]))
            return false;
    for (size_t i = 0; i < a->floors.count; i++)
        if (!same_floor(&a->floors.items[i], &b->floors.items[i]))
            return false;
    return true;
}
