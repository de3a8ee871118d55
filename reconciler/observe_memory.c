/*
 * What observe remembers between runs. Failures are of one row when no more than ten intervals lie
 * between them, a minute at least: whoever looks seldom must not make one of what happened today
 * and yesterday.
 */
#include "reconciler/observe_memory.h"

#include <stdlib.h>
#include <string.h>

#define INTERVALS     10
#define LEAST_ROW_GAP (INT64_C(60) * 1000)

static int compare(const void *one, const void *other)
{
    const struct tt_failing_port *a = one, *b = other;
    int order = strcmp(a->account, b->account);

    if (order == 0)
        order = strcmp(a->region, b->region);
    if (order == 0)
        order = strcmp(a->server, b->server);
    return order ? order : (a->port > b->port) - (a->port < b->port);
}

static const struct tt_failing_port *find(const struct tt_observe_options *options,
                                          const struct tt_watched *watched)
{
    struct tt_failing_port key = {.account = watched->account,
                                  .region = watched->region,
                                  .server = watched->server,
                                  .port = watched->port};

    if (!options->remembered || !options->remembered->count)
        return NULL;
    return bsearch(&key, options->remembered->items, options->remembered->count, sizeof(key),
                   compare);
}

int tt_observe_recall(const struct tt_observe_options *options, const struct tt_watched *watched,
                      tt_time now)
{
    const struct tt_failing_port *found = find(options, watched);
    tt_time gap = watched->interval * INTERVALS;

    if (gap < LEAST_ROW_GAP)
        gap = LEAST_ROW_GAP;
    return found && now - found->at <= gap ? found->failures : 0;
}

void tt_observe_note(struct tt_arena *arena, const struct tt_observe_options *options,
                     const struct tt_watched *watched, int failures, tt_time now)
{
    if (options->ret_failing && (failures || find(options, watched)))
        *TT_VEC_ADD(arena, options->ret_failing) =
            (struct tt_failing_port){.account = watched->account,
                                     .region = watched->region,
                                     .server = watched->server,
                                     .port = watched->port,
                                     .failures = failures,
                                     .at = now};
}
