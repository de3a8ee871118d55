/*
 * Surplus: a merge of lists. The candidates of each rank and zone stand sorted by age; the next to
 * go is the head of the fullest zone's list within the lowest rank that has any left.
 */
#include "reconciler/planner/surplus.h"

#include <stdlib.h>
#include <string.h>

int tt_newer_first(const struct tt_machine *a, const struct tt_machine *b)
{
    if (a->server->created_at != b->server->created_at)
        return a->server->created_at > b->server->created_at ? -1 : 1;
    if (a->slot != b->slot)
        return a->slot > b->slot ? -1 : 1;
    return strcmp(a->server->id, b->server->id);
}

static int by_rank(const void *a, const void *b)
{
    const struct tt_candidate *one = a, *other = b;

    if (one->rank != other->rank)
        return one->rank < other->rank ? -1 : 1;
    if (one->zone != other->zone)
        return one->zone < other->zone ? -1 : 1;
    return tt_newer_first(one->machine, other->machine);
}

/* A run of candidates of one rank and zone. */
struct run {
    size_t next, end;
    int zone;
};

static size_t cut_runs(const struct tt_candidate *candidates, size_t begin, size_t end,
                       struct run *runs)
{
    size_t count = 0;

    for (size_t i = begin; i < end; i++) {
        if (i == begin || candidates[i].zone != candidates[i - 1].zone)
            runs[count++] = (struct run){.next = i, .zone = candidates[i].zone};
        runs[count - 1].end = i + 1;
    }
    return count;
}

/* Of zones that are equally full the one with the newest machine. */
static bool goes_first(const struct run *one, const struct run *other, const int *fill,
                       const struct tt_candidate *sorted)
{
    int more = fill[one->zone + 1] - fill[other->zone + 1];

    return more ? more > 0
                : tt_newer_first(sorted[one->next].machine, sorted[other->next].machine) < 0;
}

static struct run *fullest(struct run *runs, size_t count, const int *fill,
                           const struct tt_candidate *sorted)
{
    struct run *best = NULL;

    for (size_t i = 0; i < count; i++)
        if (runs[i].next < runs[i].end && (!best || goes_first(&runs[i], best, fill, sorted)))
            best = &runs[i];
    return best;
}

size_t tt_surplus_choose(struct tt_arena *scratch, struct tt_candidate *candidates, size_t total,
                         size_t zones, size_t count)
{
    struct tt_candidate *sorted = TT_NEW_ARRAY(scratch, total, struct tt_candidate);
    bool *taken = TT_NEW_ARRAY(scratch, total, bool);
    struct run *runs = TT_NEW_ARRAY(scratch, zones + 1, struct run);
    int *fill = TT_NEW_ARRAY(scratch, zones + 1, int); /* of zone I at I + 1; 0: outside */
    size_t chosen = 0, begin = 0, rest;

    if (total)
        memcpy(sorted, candidates, total * sizeof(*sorted));
    qsort(sorted, total, sizeof(*sorted), by_rank);
    for (size_t i = 0; i < total; i++)
        fill[sorted[i].zone + 1] += sorted[i].rank != TT_RANK_FAILED;
    while (begin < total && sorted[begin].rank != TT_RANK_FIXED && chosen < count) {
        size_t end = begin, number;
        struct run *next;

        while (end < total && sorted[end].rank == sorted[begin].rank)
            end++;
        number = cut_runs(sorted, begin, end, runs);
        while (chosen < count && (next = fullest(runs, number, fill, sorted))) {
            fill[next->zone + 1] -= sorted[next->next].rank != TT_RANK_FAILED;
            taken[next->next] = true;
            candidates[chosen++] = sorted[next->next++];
        }
        begin = end;
    }
    rest = chosen;
    for (size_t i = 0; i < total; i++)
        if (!taken[i])
            candidates[rest++] = sorted[i];
    return chosen;
}
