/*
 * The simulated cloud as a whole: making and ending it, opening accounts of it, its table.
 */
#include "providers/sim/sim.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "providers/sim/cloud.h"

static void init(struct tt_sim *sim, const struct tt_clock *clock)
{
    *sim = (struct tt_sim){.clock = clock, .next = 1};
    pthread_mutex_init(&sim->mutex, NULL);
    tt_arena_init(&sim->arena);
}

static void release(struct tt_sim *sim)
{
    tt_arena_release(&sim->arena);
    pthread_mutex_destroy(&sim->mutex);
}

struct tt_sim *tt_sim_new(const struct tt_clock *clock, const struct tt_sim_options *options)
{
    struct tt_sim *sim = malloc(sizeof(*sim));

    if (!sim)
        abort();
    init(sim, clock);
    if (options)
        sim->options = *options;
    return sim;
}

void tt_sim_free(struct tt_sim *sim)
{
    if (!sim)
        return;
    release(sim);
    free(sim);
}

void tt_sim_set_options(struct tt_sim *sim, const struct tt_sim_options *options)
{
    pthread_mutex_lock(&sim->mutex);
    sim->options = *options;
    pthread_mutex_unlock(&sim->mutex);
}

void tt_sim_seed(struct tt_sim *sim, const struct tt_world *world)
{
    pthread_mutex_lock(&sim->mutex);
    TT_EACH (account, &world->accounts)
        tt_sim_seed_account(sim, account, sim->clock->now(sim->clock->self));
    pthread_mutex_unlock(&sim->mutex);
}

struct tt_world *tt_sim_world(struct tt_sim *sim, struct tt_arena *arena)
{
    struct tt_world *world;
    tt_time now;

    pthread_mutex_lock(&sim->mutex);
    now = sim->clock->now(sim->clock->self);
    tt_sim_settle(sim, now);
    world = tt_sim_read_world(sim, now, arena);
    pthread_mutex_unlock(&sim->mutex);
    return world;
}

unsigned tt_sim_calls(struct tt_sim *sim, const char *member)
{
    int index = tt_word_find(tt_call_member_words, member);
    unsigned calls;

    if (index < 0)
        abort();
    pthread_mutex_lock(&sim->mutex);
    calls = sim->calls[index];
    pthread_mutex_unlock(&sim->mutex);
    return calls;
}

static void close_account(struct tt_provider *provider)
{
    struct sim_provider *self = (struct sim_provider *)provider;

    if (self->store)
        release(self->sim);
}

/* The cloud of an Account is kept in a file; each call works on a fresh reading of it. */
static int open_account(const struct tt_provider_settings *settings, struct tt_arena *arena,
                        struct tt_provider **ret_provider, struct tt_error *err)
{
    const struct tt_account *account = settings->account;
    struct sim_provider *self = TT_NEW(arena, struct sim_provider);
    int result;

    if (!tt_is_dns_label(account->name))
        return tt_fail(err, TT_ERR_SPEC, "'%s' cannot name a simulated cloud", account->name);
    if (account->endpoint && !tt_starts_with(account->endpoint, "file://"))
        return tt_fail(err, TT_ERR_SPEC,
                       "the endpoint of a simulated cloud is file://PATH of a snapshot, not %s",
                       account->endpoint);
    *self = (struct sim_provider){
        .base = {.ops = tt_sim_ops()},
        .sim = TT_NEW(arena, struct tt_sim),
        .account = account->name,
        .owner = settings->owner,
        .store = TT_NEW(arena, struct sim_store),
    };
    *self->store = (struct sim_store){
        .account = account,
        .base_folder = settings->base_folder,
        .folder = tt_printf(arena, "%s/sim", settings->state_folder),
        .lock = -1,
    };
    init(self->sim, settings->clock);
    self->sim->persists = true;
    pthread_mutex_lock(&self->sim->mutex);
    result = tt_sim_store_load(self, false, err);
    pthread_mutex_unlock(&self->sim->mutex);
    if (result < 0)
        release(self->sim);
    else
        *ret_provider = &self->base;
    return result;
}

const struct tt_provider_ops *tt_sim_ops(void)
{
    static const struct tt_provider_ops ops = {
        .name = "sim",
        .features =
            TT_FEATURE_CLOUD_BALANCER | TT_FEATURE_ELASTIC_ADDRESS | TT_FEATURE_START_SERVER,
        .open = open_account,
        .close = close_account,
        .observe = tt_sim_observe,
        .create_server = tt_sim_create_server,
        .delete_server = tt_sim_delete_server,
        .start_server = tt_sim_start_server,
        .enroll = tt_sim_enroll,
        .withdraw = tt_sim_withdraw,
        .set_zones = tt_sim_set_zones,
        .set_listeners = tt_sim_set_listeners,
        .set_health_check = tt_sim_set_health_check,
        .move_address = tt_sim_move_address,
        .fence = tt_sim_fence,
        .tag = tt_sim_tag,
        .run = tt_sim_run,
    };

    return &ops;
}

struct tt_provider *tt_sim_account(struct tt_sim *sim, struct tt_arena *arena, const char *account,
                                   const char *owner)
{
    struct sim_provider *self = TT_NEW(arena, struct sim_provider);

    *self = (struct sim_provider){
        .base = {.ops = tt_sim_ops()},
        .sim = sim,
        .account = tt_strdup(arena, account),
        .owner = tt_strdup(arena, owner),
    };
    return &self->base;
}
