/*
 * Health: every check is made once; those that failed are made again, each at its interval, until
 * it passes or failed often enough. The checks that are due at the same time share a round, so that
 * the whole takes as long as the slowest check.
 */
#include "reconciler/observe_health.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/str.h"
#include "providers/http/probe.h"
#include "reconciler/observe_listeners.h"
#include "reconciler/observe_memory.h"
#include "reconciler/observe_pools.h"

#define BOOTS       (-1) /* for failures: too young to be counted */
#define ROUND_SLACK 20   /* ms: what is due so soon goes with the round */

/* One port of one server, to be checked. */
struct watch {
    struct tt_watched self;
    struct tt_server *server;
    struct tt_health_check check;
    const char *address;
    bool tls, any_status; /* of struct tt_probe */
    int failures;         /* in a row */
    tt_time due;          /* from now */
    bool resolved;
};

struct watches {
    const struct tt_desired *desired;
    const struct tt_observe_options *options;
    const struct tt_map *only;
    const char *account, *region; /* whose servers are added */
    tt_time now;
    struct tt_arena scratch;
    TT_VEC(struct watch) items;
};

bool tt_observe_reaches(const struct tt_account *account)
{
    return account->provider != TT_PROVIDER_FILE && account->provider != TT_PROVIDER_SIM;
}

/* The watch can be told more; NULL: the server has no address, or nothing to ask for. */
static struct watch *add_watch(struct watches *watches, struct tt_server *server,
                               const struct tt_health_check *check, int port)
{
    const char *address =
        server->private_address ? server->private_address : server->public_address;
    struct watch *watch;

    if (!address || port <= 0)
        return NULL;
    watch = TT_VEC_ADD(&watches->scratch, &watches->items);
    *watch = (struct watch){.self = {.account = watches->account,
                                     .region = watches->region,
                                     .server = server->id,
                                     .port = port,
                                     .interval = check->interval},
                            .server = server,
                            .check = *check,
                            .address = address};
    watch->failures = tt_observe_recall(watches->options, &watch->self, watches->now);
    return watch;
}

static void add_service_server(struct watches *watches, struct tt_server *server)
{
    const struct tt_deployment *deployment =
        tt_desired_deployment(watches->desired, server->tags.deployment);
    const struct tt_service *service = deployment && deployment->running
                                           ? tt_deployment_service(deployment, server->tags.service)
                                           : NULL;

    if (service && service->health)
        add_watch(watches, server, service->health, service->port);
}

/* Whoever answers a request lives, whatever it says: what is behind a balancer is another matter.
 */
static void add_balancer_machine(struct watches *watches, const struct tt_balancer *balancer,
                                 const struct tt_region *region, struct tt_server *server)
{
    tt_listener_checks checks = {0};

    tt_observe_listeners(&watches->scratch, balancer, region, server, &checks);
    TT_EACH (listener, &checks) {
        struct watch *watch = add_watch(watches, server, &listener->check, listener->port);

        if (watch) {
            watch->tls = listener->tls;
            watch->any_status = true;
        }
    }
}

static void add_server(struct watches *watches, const char *account, const struct tt_region *region,
                       struct tt_server *server)
{
    const struct tt_tags *tags = &server->tags;
    const struct tt_balancer *balancer;

    if (server->state != TT_SERVER_RUNNING || server->health == TT_HEALTH_FAILING ||
        (watches->only && !tt_map_get(watches->only, server->id)))
        return;
    if (!tags->deployment || !tt_streq(tags->owner, watches->desired->owner))
        return;
    if (tags->service) {
        add_service_server(watches, server);
    } else if (tags->balancer) {
        balancer = tt_observe_balancer_of(watches->desired, account, region->name, server);
        if (balancer)
            add_balancer_machine(watches, balancer, region, server);
    }
}

static void add_watches(struct watches *watches, struct tt_world *world)
{
    TT_EACH (account, &world->accounts) {
        const struct tt_account *spec = tt_desired_account(watches->desired, account->name);

        if (!spec || !tt_observe_reaches(spec))
            continue;
        watches->account = account->name;
        TT_EACH (region, &account->regions) {
            watches->region = region->name;
            TT_EACH (server, &region->servers)
                add_server(watches, account->name, region, server);
        }
    }
    /* the verdict comes from here alone; several ports share a server */
    TT_EACH (watch, &watches->items)
        watch->server->health = TT_HEALTH_UNKNOWN;
}

static bool boots(const struct watch *watch, tt_time now)
{
    return tt_time_is_recent(watch->server->created_at, now, watch->check.grace);
}

static void judge(struct watch *watch, bool passed, bool single, tt_time now)
{
    struct tt_server *server = watch->server;

    if (passed) {
        watch->failures = 0;
        if (server->health == TT_HEALTH_UNKNOWN)
            server->health = TT_HEALTH_PASSING;
    } else if (single || boots(watch, now)) {
        /* one port that is not yet known to answer outweighs others that do */
        watch->failures = BOOTS;
    } else if (++watch->failures >= watch->check.unhealthy_after) {
        server->health = TT_HEALTH_FAILING;
    } else {
        watch->due = watch->check.interval;
        return;
    }
    watch->resolved = true;
}

/* Fills PROBES with what is due and returns how many; RET_WAIT: until the next is due, -1: none is
 * left. */
static size_t collect_due(struct watches *watches, struct tt_probe *probes, struct watch **owners,
                          tt_time *ret_wait)
{
    size_t count = 0;

    *ret_wait = -1;
    TT_EACH (watch, &watches->items) {
        if (watch->resolved)
            continue;
        if (watch->due <= ROUND_SLACK) {
            owners[count] = watch;
            probes[count++] = (struct tt_probe){.address = watch->address,
                                                .port = watch->self.port,
                                                .check = &watch->check,
                                                .tls = watch->tls,
                                                .any_status = watch->any_status};
        } else if (*ret_wait < 0 || watch->due < *ret_wait) {
            *ret_wait = watch->due;
        }
    }
    return count;
}

static void pass_time(struct watches *watches, tt_time elapsed)
{
    TT_EACH (watch, &watches->items)
        watch->due -= elapsed;
}

static void run_rounds(struct watches *watches, const struct tt_clock *clock, bool single)
{
    struct tt_probe *probes =
        TT_NEW_ARRAY(&watches->scratch, watches->items.count, struct tt_probe);
    struct watch **owners = TT_NEW_ARRAY(&watches->scratch, watches->items.count, struct watch *);

    for (;;) {
        tt_time wait, began = tt_monotonic();
        size_t due = collect_due(watches, probes, owners, &wait);

        if (due) {
            tt_probe_all(probes, due);
            pass_time(watches, tt_monotonic() - began);
            for (size_t i = 0; i < due; i++)
                judge(owners[i], probes[i].passed, single, clock->now(clock->self));
        } else if (wait > 0) {
            clock->sleep(clock->self, wait);
            pass_time(watches, wait);
        } else {
            return;
        }
    }
}

/* A server that did not answer within its grace still boots; with a single probe nothing is said.
 */
static void conclude_unanswered(struct watches *watches, bool single)
{
    TT_EACH (watch, &watches->items) {
        if (watch->failures != BOOTS || watch->server->health == TT_HEALTH_FAILING)
            continue;
        watch->server->health = TT_HEALTH_UNKNOWN;
        if (!single)
            watch->server->state = TT_SERVER_PENDING;
    }
}

/* With a single probe nothing is learnt. */
static void remember(struct tt_arena *arena, struct watches *watches, tt_time now)
{
    TT_EACH (watch, &watches->items)
        if (watch->failures != BOOTS)
            tt_observe_note(arena, watches->options, &watch->self, watch->failures, now);
}

void tt_observe_health(struct tt_arena *arena, const struct tt_desired *desired,
                       const struct tt_clock *clock, const struct tt_observe_options *options,
                       const struct tt_map *only, struct tt_world *world)
{
    struct watches watches = {
        .desired = desired, .options = options, .only = only, .now = clock->now(clock->self)};

    add_watches(&watches, world);
    if (watches.items.count)
        run_rounds(&watches, clock, options->single_probe);
    conclude_unanswered(&watches, options->single_probe);
    if (!options->single_probe)
        remember(arena, &watches, clock->now(clock->self));
    tt_arena_release(&watches.scratch);
}
