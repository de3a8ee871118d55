/*
 * Order: the order in which a plan lists its steps.
 *
 * The level of a step is the length of the longest way to it; sorting by level within a deployment
 * puts every step after those it waits for, and reads as the plan will run.
 */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "reconciler/planner/order.h"

struct entry {
    const struct tt_step *step;
    int old;
    int level;
};

/* The steps of one cycle, of those that WAIT still: each waits for the next, the last for the
 * first. A cycle is a bug of order.h. */
static int fail_cycle(struct tt_arena *scratch, const struct tt_steps *steps, const int *waiting,
                      struct tt_error *err)
{
    bool *seen = TT_NEW_ARRAY(scratch, steps->count, bool);
    struct tt_strings names = {0};
    int current = 0, first;

    while (!waiting[current])
        current++;
    /* Whatever waits still waits for another one that does: so one gets into a cycle. */
    for (first = -1; current != first;) {
        const struct tt_step *step = &steps->items[current];

        if (seen[current] && first < 0)
            first = current;
        if (first >= 0)
            tt_strings_add(scratch, &names,
                           tt_printf(scratch, "%s of %s", tt_action_words[step->action],
                                     tt_subject_text(scratch, &step->subject)));
        seen[current] = true;
        TT_EACH (index, &step->after)
            if (waiting[*index]) {
                current = *index;
                break;
            }
    }
    return tt_fail(err, TT_ERR_INTERNAL,
                   "steps of the plan wait for each other (%s): this is a bug in the planner",
                   tt_strings_join(scratch, &names, ""));
}

/* The levels, by taking steps off that wait for nothing more. */
static int level_steps(struct tt_arena *scratch, const struct tt_steps *steps,
                       struct entry *entries, struct tt_error *err)
{
    struct tt_indices *later = TT_NEW_ARRAY(scratch, steps->count, struct tt_indices);
    int *waiting = TT_NEW_ARRAY(scratch, steps->count, int);
    int *queue = TT_NEW_ARRAY(scratch, steps->count, int);
    size_t head = 0, tail = 0;

    for (size_t i = 0; i < steps->count; i++) {
        waiting[i] = (int)steps->items[i].after.count;
        TT_EACH (index, &steps->items[i].after)
            *TT_VEC_ADD(scratch, &later[*index]) = (int)i;
        if (!waiting[i])
            queue[tail++] = (int)i;
    }
    while (head < tail) {
        int current = queue[head++];

        TT_EACH (next, &later[current]) {
            if (entries[*next].level <= entries[current].level)
                entries[*next].level = entries[current].level + 1;
            if (--waiting[*next] == 0)
                queue[tail++] = *next;
        }
    }
    return tail == steps->count ? 0 : fail_cycle(scratch, steps, waiting, err);
}

static int compare_subjects(const struct tt_subject *a, const struct tt_subject *b)
{
    int order = (a->kind == TT_SUBJECT_SERVICE) - (b->kind == TT_SUBJECT_SERVICE);

    if (!order)
        order = strcmp(a->name, b->name);
    return order ? order : (a->slot > b->slot) - (a->slot < b->slot);
}

static int compare(const void *a, const void *b)
{
    const struct entry *one = a, *other = b;
    const struct tt_step *s = one->step, *t = other->step;
    int order = strcmp(s->subject.deployment, t->subject.deployment);

    if (!order)
        order = one->level - other->level;
    if (!order)
        order = compare_subjects(&s->subject, &t->subject);
    if (!order)
        order = (int)s->action - (int)t->action;
    if (!order)
        order = tt_strcmp(s->balancer, t->balancer);
    if (!order)
        order = tt_strcmp(s->account, t->account);
    if (!order)
        order = tt_strcmp(s->region, t->region);
    if (!order)
        order = tt_strcmp(s->server, t->server);
    if (!order)
        order = tt_strcmp(s->address, t->address);
    if (!order)
        order = tt_strcmp(s->machine, t->machine);
    return order ? order : tt_strcmp(s->reason, t->reason);
}

static int by_number(const void *a, const void *b)
{
    return (*(const int *)a > *(const int *)b) - (*(const int *)a < *(const int *)b);
}

/* Translates, sorts and drops what stands twice. */
static void rewrite_after(struct tt_step *step, const int *new_index)
{
    size_t kept = 0;

    for (size_t i = 0; i < step->after.count; i++)
        step->after.items[i] = new_index[step->after.items[i]];
    if (step->after.count > 1)
        qsort(step->after.items, step->after.count, sizeof(int), by_number);
    for (size_t i = 0; i < step->after.count; i++)
        if (!kept || step->after.items[kept - 1] != step->after.items[i])
            step->after.items[kept++] = step->after.items[i];
    step->after.count = kept;
}

int tt_order_sort(struct tt_arena *arena, struct tt_steps *steps, struct tt_error *err)
{
    struct tt_step *sorted = TT_NEW_ARRAY(arena, steps->count, struct tt_step);
    struct entry *entries;
    int *new_index;
    struct tt_arena scratch;

    if (!steps->count)
        return 0;
    tt_arena_init(&scratch);
    entries = TT_NEW_ARRAY(&scratch, steps->count, struct entry);
    new_index = TT_NEW_ARRAY(&scratch, steps->count, int);
    for (size_t i = 0; i < steps->count; i++)
        entries[i] = (struct entry){.step = &steps->items[i], .old = (int)i};
    if (level_steps(&scratch, steps, entries, err) < 0) {
        tt_arena_release(&scratch);
        return -1;
    }
    qsort(entries, steps->count, sizeof(*entries), compare);
    for (size_t i = 0; i < steps->count; i++) {
        sorted[i] = *entries[i].step;
        new_index[entries[i].old] = (int)i;
    }
    for (size_t i = 0; i < steps->count; i++)
        rewrite_after(&sorted[i], new_index);
    steps->items = sorted;
    steps->capacity = steps->count;
    tt_arena_release(&scratch);
    return 0;
}
