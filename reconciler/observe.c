/*
 * Observe: regions first, all at once, then pools (observe_pools.h), then health
 * (observe_health.h).
 *
 * Each region is read by a thread of its own into an arena of its own, which the world takes over
 * at the end. A region that could not be read is kept with its reason, because what was not seen
 * must not look empty.
 */
#include "reconciler/observe.h"

#include "base/str.h"
#include "reconciler/observe_health.h"
#include "reconciler/observe_pools.h"
#include "reconciler/parallel.h"

#define MOST_REGIONS 64
#define TRIES        3
#define FIRST_DELAY  250 /* ms, doubled with every try */

/* One region of one account, to be read. */
struct reading {
    const struct tt_cloud *cloud;
    struct tt_observe_request request;
    struct tt_arena arena;
    struct tt_region region;
};

struct readings {
    const struct tt_clock *clock;
    TT_VEC(struct reading) items;
};

static void add_once(struct tt_arena *arena, struct tt_strings *list, const char *word)
{
    if (word && !tt_strings_has(list, word))
        tt_strings_add(arena, list, word);
}

/* The words that a machine is made from. */
static void add_words(struct tt_arena *arena, const struct tt_server_spec *server,
                      struct tt_observe_request *request)
{
    add_once(arena, &request->templates, server->template);
    add_once(arena, &request->sizes, server->size);
    add_once(arena, &request->networks, server->network);
    if (server->firewalls)
        TT_EACH (firewall, server->firewalls)
            add_once(arena, &request->firewalls, *firewall);
}

static void add_of_balancer(struct tt_arena *arena, const struct tt_balancer *balancer,
                            struct tt_observe_request *request)
{
    add_once(arena, &request->machines, balancer->machine);
    add_once(arena, &request->balancers, balancer->cloud_name);
    add_once(arena, &request->addresses, balancer->address);
    if (balancer->type == TT_BALANCER_VM_DYNAMIC)
        add_words(arena, &balancer->server, request);
}

/* What the specs name of ACCOUNT and REGION. */
static void add_named(struct tt_arena *arena, const struct tt_desired *desired, const char *account,
                      struct tt_observe_request *request)
{
    TT_EACH (deployment, &desired->deployments) {
        TT_EACH (item, &(*deployment)->balancers) {
            const struct tt_balancer *balancer = *item;

            if (tt_streq(balancer->account->name, account) &&
                tt_streq(balancer->region, request->region))
                add_of_balancer(arena, balancer, request);
        }
        TT_EACH (service, &(*deployment)->services)
            TT_EACH (placement, &(*service)->placements)
                if (tt_streq(placement->account->name, account) &&
                    tt_streq(placement->region, request->region))
                    add_words(arena, &placement->server, request);
    }
}

/* Machines that Git named once: nothing depends on them. */
static void add_lent(struct tt_arena *arena, const tt_lent_members *lent, const char *account,
                     struct tt_observe_request *request)
{
    TT_EACH (item, lent) {
        const struct tt_told_member *member = &item->member;

        if (tt_streq(member->account, account) && tt_streq(member->region, request->region) &&
            !tt_strings_has(&request->machines, member->machine)) {
            tt_strings_add(arena, &request->machines, member->machine);
            tt_strings_add(arena, &request->former, member->machine);
        }
    }
}

static void add_readings(struct tt_arena *arena, const struct tt_clouds *clouds,
                         const struct tt_desired *desired, const struct tt_observe_options *options,
                         struct readings *readings)
{
    TT_EACH (cloud, &clouds->items) {
        if (options->only_accounts && !tt_strings_has(options->only_accounts, cloud->account->name))
            continue;
        TT_EACH (region, &cloud->account->regions) {
            struct reading *reading = TT_VEC_ADD(arena, &readings->items);

            reading->cloud = cloud;
            reading->request = (struct tt_observe_request){
                .region = *region,
                .owner = desired->owner,
                .everything = options->everything,
            };
            add_named(arena, desired, cloud->account->name, &reading->request);
            for (struct tt_desired *const *also = options->also; also && *also; also++)
                add_named(arena, *also, cloud->account->name, &reading->request);
            if (options->lent)
                add_lent(arena, options->lent, cloud->account->name, &reading->request);
        }
    }
}

static int read_once(struct reading *reading, struct tt_error *err)
{
    reading->region = (struct tt_region){.name = reading->request.region};
    if (tt_provider_observe(reading->cloud->provider, &reading->request, &reading->arena,
                            &reading->region, err) < 0)
        return -1;
    reading->region.name = reading->request.region;
    reading->region.observed = true;
    return 0;
}

/* With a few tries: a request limit hit for a moment must not hide a whole region. */
static int read_patiently(const struct tt_clock *clock, struct reading *reading,
                          struct tt_error *err)
{
    tt_time delay = FIRST_DELAY;

    if (!reading->cloud->provider)
        return tt_fail(err, TT_ERR_UNAVAILABLE, "%s",
                       reading->cloud->error ? reading->cloud->error : "the account is not open");
    for (int tries = 1; read_once(reading, err) < 0; tries++, delay *= 2) {
        if (tries == TRIES || !tt_error_is_retryable(err))
            return -1;
        clock->sleep(clock->self, delay);
    }
    return 0;
}

static void read_region(void *self, size_t index)
{
    const struct readings *readings = self;
    struct reading *reading = &readings->items.items[index];
    struct tt_error err = {0};

    if (read_patiently(readings->clock, reading, &err) < 0)
        reading->region = (struct tt_region){
            .name = reading->request.region,
            .error = tt_strdup(&reading->arena, err.message),
        };
}

static struct tt_world_account *account_of(struct tt_arena *arena, struct tt_world *world,
                                           const struct tt_cloud *cloud)
{
    struct tt_world_account *account;

    TT_EACH (known, &world->accounts)
        if (tt_streq(known->name, cloud->account->name))
            return known;
    account = TT_VEC_ADD(arena, &world->accounts);
    account->name = cloud->account->name;
    account->provider = tt_provider_kind_words[cloud->account->provider];
    account->features = cloud->provider ? cloud->provider->ops->features
                                        : tt_provider_kind_features(cloud->account->provider);
    return account;
}

struct tt_world *tt_observe(struct tt_arena *arena, const struct tt_clouds *clouds,
                            const struct tt_desired *desired, const struct tt_clock *clock,
                            const struct tt_observe_options *options)
{
    struct tt_world *world = TT_NEW(arena, struct tt_world);
    struct readings readings = {.clock = clock};
    struct tt_map only = {0};

    world->taken_at = clock->now(clock->self);
    add_readings(arena, clouds, desired, options, &readings);
    tt_parallel(clock, readings.items.count, MOST_REGIONS, read_region, &readings);
    TT_EACH (reading, &readings.items) {
        struct tt_world_account *account = account_of(arena, world, reading->cloud);

        *TT_VEC_ADD(arena, &account->regions) = reading->region;
        tt_arena_adopt(arena, &reading->arena);
    }
    if (options->only_machines) {
        tt_map_init(&only, arena);
        TT_EACH (id, options->only_machines)
            tt_map_put(&only, *id, world);
    }
    tt_observe_pools(arena, clouds, desired, clock, options, options->only_machines ? &only : NULL,
                     world);
    if (!options->skip_health)
        tt_observe_health(arena, desired, clock, options, options->only_machines ? &only : NULL,
                          world);
    tt_world_sort(world);
    return world;
}
