/*
 * Tally: a short sorted list under a lock; there are a few dozen APIs at most.
 */
#include "providers/tally.h"

#include <string.h>

#include "base/str.h"

void tt_tally_init(struct tt_tally *tally)
{
    *tally = (struct tt_tally){0};
    pthread_mutex_init(&tally->lock, NULL);
}

void tt_tally_release(struct tt_tally *tally)
{
    tt_arena_release(&tally->arena);
    pthread_mutex_destroy(&tally->lock);
}

static int compare(const struct tt_tally_line *line, const char *account, const char *api)
{
    int order = tt_strcmp(line->account, account);

    return order ? order : tt_strcmp(line->api, api);
}

static struct tt_tally_line *find_or_insert(struct tt_tally *tally, const char *account,
                                            const char *api)
{
    size_t at = 0;

    while (at < tally->lines.count && compare(&tally->lines.items[at], account, api) < 0)
        at++;
    if (at < tally->lines.count && compare(&tally->lines.items[at], account, api) == 0)
        return &tally->lines.items[at];
    (void)TT_VEC_ADD(&tally->arena, &tally->lines);
    memmove(&tally->lines.items[at + 1], &tally->lines.items[at],
            (tally->lines.count - 1 - at) * sizeof(*tally->lines.items));
    tally->lines.items[at] = (struct tt_tally_line){
        .account = tt_strdup(&tally->arena, account),
        .api = tt_strdup(&tally->arena, api),
    };
    return &tally->lines.items[at];
}

void tt_tally_add(struct tt_tally *tally, const char *account, const char *api)
{
    if (!tally)
        return;
    pthread_mutex_lock(&tally->lock);
    find_or_insert(tally, account, api)->count++;
    pthread_mutex_unlock(&tally->lock);
}
