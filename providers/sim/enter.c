/*
 * The way in and out of the cloud: each call is counted, delayed, throttled and refused here, so
 * that the members see a cloud that is locked, brought up to now and reachable.
 */
#include <stdio.h>

#include "providers/sim/cloud.h"

static int fail_with(struct tt_error *err, enum tt_error_class class, const char *code,
                     const char *message)
{
    tt_fail(err, class, "%s", message);
    if (err)
        snprintf(err->code, sizeof(err->code), "%s", code);
    return -1;
}

static void take_time(struct tt_sim *sim)
{
    tt_time delay;

    pthread_mutex_lock(&sim->mutex);
    delay = sim->options.call;
    pthread_mutex_unlock(&sim->mutex);
    if (delay > 0)
        sim->clock->sleep(sim->clock->self, delay);
}

static bool is_too_often(struct tt_sim *sim, tt_time now)
{
    if (!sim->options.calls_per_second)
        return false;
    if (now / 1000 != sim->second) {
        sim->second = now / 1000;
        sim->calls_in_second = 0;
    }
    return ++sim->calls_in_second > sim->options.calls_per_second;
}

static int find_place(struct sim_visit *visit, const char *region, struct tt_error *err)
{
    visit->account = tt_sim_find_account(visit->sim, visit->provider->account);
    visit->region = visit->account ? tt_sim_find_region(visit->account, region) : NULL;
    if (!visit->region)
        return tt_fail(err, TT_ERR_SPEC, "account %s has no region %s", visit->provider->account,
                       region);
    if (visit->region->unreachable)
        return fail_with(err, TT_ERR_UNAVAILABLE, "unreachable", "the region does not answer");
    return 0;
}

int tt_sim_enter(struct tt_provider *provider, enum tt_call_member member, bool changes,
                 const char *region, struct sim_visit *ret_visit, struct tt_error *err)
{
    struct sim_provider *self = (struct sim_provider *)provider;
    struct tt_sim *sim = self->sim;
    struct sim_visit visit = {.provider = self, .sim = sim, .changes = changes};
    int result = 0;

    take_time(sim);
    pthread_mutex_lock(&sim->mutex);
    sim->calls[member]++;
    if (self->store)
        result = tt_sim_store_load(self, changes, err);
    visit.now = sim->clock->now(sim->clock->self);
    if (result == 0 && is_too_often(sim, visit.now))
        result = fail_with(err, TT_ERR_THROTTLED, "throttled", "too many calls in this second");
    if (result == 0) {
        tt_sim_settle(sim, visit.now);
        result = find_place(&visit, region, err);
    }
    if (result == 0) {
        *ret_visit = visit;
        return 0;
    }
    if (self->store)
        tt_sim_store_unlock(self->store);
    pthread_mutex_unlock(&sim->mutex);
    return -1;
}

int tt_sim_leave(struct sim_visit *visit, int result, struct tt_error *err)
{
    struct sim_store *store = visit->provider->store;

    if (store && visit->changes && result == 0)
        result = tt_sim_store_save(visit->provider, err);
    if (store)
        tt_sim_store_unlock(store);
    pthread_mutex_unlock(&visit->sim->mutex);
    return result;
}
