/*
 * The planner: its stages, one after another.
 */
#include "reconciler/planner.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "model/world_json.h"
#include "reconciler/planner/balance.h"
#include "reconciler/planner/balance_zones.h"
#include "reconciler/planner/diff.h"
#include "reconciler/planner/guard.h"
#include "reconciler/planner/order.h"
#include "reconciler/planner/place.h"
#include "reconciler/planner/prove.h"
#include "reconciler/planner/target.h"
#include "reconciler/planner/told.h"
#include "reconciler/planner/view.h"

static int by_problem(const void *a, const void *b)
{
    const struct tt_problem *one = a, *other = b;
    int order = (int)one->severity - (int)other->severity;

    if (!order)
        order = tt_strcmp(one->code, other->code);
    if (!order)
        order = tt_strcmp(one->subject, other->subject);
    return order ? order : tt_strcmp(one->message, other->message);
}

static struct tt_plan *assemble(struct tt_view *view, const struct tt_steps *steps,
                                const struct tt_floors *floors, const struct tt_world *world)
{
    struct tt_plan *plan = TT_NEW(view->arena, struct tt_plan);
    const char *hash = view->options->world_hash;

    if (view->problems.count > 1)
        qsort(view->problems.items, view->problems.count, sizeof(*view->problems.items),
              by_problem);
    plan->revision = view->desired->revision;
    plan->world = hash ? hash : tt_world_hash(view->arena, world);
    TT_EACH (problem, &view->problems)
        *TT_VEC_ADD(view->arena, &plan->problems) = *problem;
    plan->steps.items = steps->items;
    plan->steps.count = steps->count;
    plan->steps.capacity = steps->count;
    plan->floors.items = floors->items;
    plan->floors.count = floors->count;
    plan->floors.capacity = floors->capacity;
    return plan;
}

int tt_planner_plan(struct tt_arena *arena, const struct tt_desired *desired,
                    const struct tt_world *world, const struct tt_memory *memory, tt_time now,
                    const struct tt_plan_options *options, struct tt_plan **ret_plan,
                    struct tt_error *err)
{
    const struct tt_world *told = tt_told_world(arena, world, memory);
    struct tt_view *view = tt_view_new(arena, desired, told, memory, now, options);
    struct tt_floors floors = {0};
    struct tt_changes *changes;
    struct tt_steps steps;

    tt_balance(view);
    tt_place(view);
    tt_balance_zones(view);
    changes = tt_diff(view);
    tt_order(view, changes, &steps);
    if (tt_order_sort(arena, &steps, err) < 0 ||
        tt_target(view, &options->targets, &steps, err) < 0)
        return -1;
    tt_guard(view, &steps);
    if (tt_prove(arena, view, &steps, &floors, err) < 0)
        return -1;
    *ret_plan = assemble(view, &steps, &floors, world);
    return 0;
}
