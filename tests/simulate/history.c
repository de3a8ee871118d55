/*
 * History: the life itself.
 */
#include "tests/simulate/history.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/simulate/disk.h"

#define START  (INT64_C(1800000000) * 1000)
#define ROUNDS 10 /* runs after the last fault until nothing may be left to do */

const char *const fault_words[] = {"throttled",       "unavailable",
                                   "timeouts before", "timeouts after",
                                   "denied",          "crashes",
                                   "second runs",     "lost stores",
                                   "deaths",          "terminations",
                                   "lost marks",      "deregistrations",
                                   "foreign members", "zones",
                                   "capacity",        "regions",
                                   "forgotten pools", "late views",
                                   "half-done calls", "crashes in the store",
                                   "a full disk",     "pauses",
                                   "wrong clocks",    "failing health checks",
                                   "lost addresses",  "zones changed by hand",
                                   "copied machines", NULL};

unsigned roll(struct history *h, unsigned sides)
{
    uint64_t z = h->dice += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (unsigned)((z ^ z >> 31) >> 16) % sides;
}

bool chance(struct history *h, unsigned per_mille)
{
    return roll(h, 1000) < per_mille;
}

bool strikes(struct history *h, enum fault_kind kind, unsigned per_mille)
{
    if (!chance(h, per_mille) || h->calm || h->limits.without & 1u << kind ||
        h->faults >= h->limits.faults)
        return false;
    h->faults++;
    return true;
}

void say(struct history *h, const char *format, ...)
{
    va_list args;

    if (!h->tell)
        return;
    va_start(args, format);
    printf("%9.1f s  %*s", (double)(h->now - START) / 1000.0, h->depth > 1 ? 4 : 0, "");
    vprintf(format, args);
    putchar('\n');
    va_end(args);
}

void broke(struct history *h, const char *format, ...)
{
    va_list args;

    if (h->broken[0])
        return;
    va_start(args, format);
    vsnprintf(h->broken, sizeof(h->broken), format, args);
    va_end(args);
    say(h, "BROKEN: %s", h->broken);
}

static tt_time cloud_now(void *self)
{
    return ((struct history *)self)->now;
}

static void cloud_sleep(void *self, tt_time delay)
{
    ((struct history *)self)->now += delay;
}

static void make_cloud(struct history *h)
{
    static const char *const zones[] = {"a", "b", "c", NULL};
    struct tt_sim_options options = {.boot = 5000 + (tt_time)roll(h, 30) * 1000,
                                     .into_service = (tt_time)roll(h, 5) * 1000,
                                     .drain = (tt_time)roll(h, 8) * 1000,
                                     .vanish = roll(h, 2) ? (tt_time)roll(h, 600) * 1000 : 0,
                                     .keep_dead_members = roll(h, 4) == 0};

    if (strikes(h, FAULT_LATE, 500)) {
        h->late = true;
        options.create_seen = (tt_time)roll(h, 10) * 1000;
        options.tags_seen = (tt_time)roll(h, 10) * 1000;
    }
    h->sim = tt_sim_new(&h->clock, &options);
    tt_sim_add_region(h->sim, "east", "r", zones);
    tt_sim_add_region(h->sim, "west", "r", zones);
    tt_sim_add_balancer(h->sim, "east", "r", "elb", NULL);
    tt_sim_add_address(h->sim, "east", "r", "203.0.113.9");
    for (int i = 1; i <= 2; i++) {
        const char *name = tt_printf(&h->arena, "old-%d", i);
        const char *id = tt_sim_add_machine(h->sim, "east", "r", zones[i], name);

        tt_strings_add(&h->arena, &h->foreign, tt_strdup(&h->arena, id));
    }
}

static void live(struct history *h)
{
    int commits = 1 + (int)roll(h, 4);

    for (int i = 0; i < commits && i < h->limits.commits && !h->broken[0]; i++) {
        commit_draw(h);
        for (unsigned run = 0, runs = 1 + roll(h, 3); run < runs && !h->broken[0]; run++) {
            if (strikes(h, FAULT_LOST_STORE, 30)) {
                say(h, "the store is lost");
                h->store_was_lost = true;
                history_close_store(h);
                disk_clear();
            }
            if (strikes(h, FAULT_CLOCK, 60))
                humans_set_clock(h);
            for (unsigned act = 0, acts = roll(h, 3); act < acts; act++)
                humans_act(h);
            process_run(h);
            h->now += 1000 * (tt_time)(1 + roll(h, chance(h, 200) ? 4000 : 60));
        }
    }
}

void history_converge(struct history *h, int rounds)
{
    int steps = -1;

    say(h, "the faults stop");
    h->calm = true;
    h->clock_error = 0;
    humans_mend(h);
    for (int i = 0; i < rounds && !h->broken[0]; i++) {
        /* what is new is seen; in the end even the hour of a recovery limit is over */
        h->now += i < 4 ? 90000 : 3700000;
        steps = process_run(h);
        if (steps == 0 && i > 0)
            break;
    }
    if (steps != 0)
        broke(h, "there is still something to do after %d runs", rounds);
    else
        referee_end(h);
}

void history_make_store(const char *folder)
{
    struct tt_store *store;
    struct tt_error err = {0};

    if (tt_store_open(folder, &store, &err) < 0) {
        fprintf(stderr, "simulate: %s\n", err.message);
        exit(2);
    }
    tt_store_close(store);
    disk_keep();
}

struct history *history_new(uint64_t seed, const struct limits *limits, bool tell,
                            const char *folder)
{
    struct history *h = calloc(1, sizeof(*h));

    if (!h)
        abort();
    h->seed = h->dice = seed;
    h->schedule = seed ^ UINT64_C(0x5bd1e995);
    h->limits = *limits;
    h->tell = tell;
    h->folder = folder;
    h->now = START;
    h->clock = (struct tt_clock){.now = cloud_now, .sleep = cloud_sleep, .self = h};
    disk_fill(-1);
    disk_restore();
    make_cloud(h);
    return h;
}

void history_free(struct history *h)
{
    history_close_store(h);
    tt_sim_free(h->sim);
    tt_arena_release(&h->arena);
    free(h);
}

int history_play(uint64_t seed, const struct limits *limits, bool tell, const char *folder,
                 char *ret_broken, size_t size, int *ret_faults)
{
    struct history *h = history_new(seed, limits, tell, folder);
    bool held;

    live(h);
    if (!h->broken[0])
        history_converge(h, ROUNDS);
    held = !h->broken[0];
    snprintf(ret_broken, size, "%s", h->broken);
    *ret_faults = h->faults;
    history_free(h);
    return held ? 0 : -1;
}
