/*
 * What an earlier run began, and nobody saw the end of: its open intents. The world was looked at
 * since, so all calls but creates are resolved by it: the plan was made from what they left. A
 * create is resolved when its machine is there: clouds show a new one later than they answer, so
 * its intent stays open until then. One that is not there may still appear: so a step that asks for
 * the same machine asks for it with the same incarnation and token, and no second one is made. An
 * intent whose machine nobody wants any more is given up after an hour.
 */
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "base/str.h"
#include "reconciler/apply_run.h"

#define GIVEN_UP_AFTER (INT64_C(3600) * 1000)

static const struct tt_server_spec *spec_of(const struct tt_apply_run *run,
                                            const struct tt_step *step)
{
    const struct tt_service *service = tt_apply_service(run, step);
    const struct tt_placement *placement = service ? tt_apply_placement(service, step) : NULL;
    const struct tt_balancer *balancer = service ? NULL : tt_apply_balancer(run, step);

    if (placement)
        return &placement->server;
    return balancer ? &balancer->server : NULL;
}

char *tt_apply_request_name(struct tt_arena *arena, const struct tt_apply_run *run,
                            const struct tt_step *step)
{
    const struct tt_server_spec *spec = spec_of(run, step);
    const char *text = tt_printf(arena, "%s\n%s", step->zone ? step->zone : "",
                                 spec ? tt_server_spec_hash(arena, spec) : "");

    return tt_sha256_hex(arena, text, strlen(text));
}

static int close_intent(struct tt_apply_run *run, int64_t intent, const char *outcome,
                        struct tt_error *err)
{
    const struct tt_apply_request *request = run->request;

    return tt_store_resolve_intent(request->store, intent, outcome,
                                   request->clock->now(request->clock->self), err);
}

static const struct tt_server *find_machine(const struct tt_region *region,
                                            const struct tt_open_intent *intent)
{
    TT_EACH (server, &region->servers)
        if (tt_streq(server->tags.incarnation, intent->incarnation))
            return server;
    return NULL;
}

/* The step that asks for what INTENT asked for; -1: none does. */
static int find_step(struct tt_apply_run *run, const struct tt_open_intent *intent)
{
    struct tt_arena scratch = {0};
    int found = -1;

    for (size_t i = 0; i < run->plan->steps.count && found < 0; i++) {
        const struct tt_step *step = &run->plan->steps.items[i];

        if (step->action == TT_STEP_CREATE_SERVER && !run->steps[i].resumed &&
            tt_streq(step->account, intent->account) && tt_streq(step->region, intent->region) &&
            tt_streq(tt_subject_text(&scratch, &step->subject), intent->subject) &&
            tt_streq(tt_apply_request_name(&scratch, run, step), intent->request))
            found = (int)i;
    }
    tt_arena_release(&scratch);
    return found;
}

static int resolve_create(struct tt_apply_run *run, const struct tt_open_intent *intent,
                          const struct tt_region *region, struct tt_error *err)
{
    tt_time now = run->request->clock->now(run->request->clock->self);
    struct tt_step_run *state;
    int step;

    if (find_machine(region, intent))
        return close_intent(run, intent->id, "done: its machine was found", err);
    step = intent->token ? find_step(run, intent) : -1;
    if (step < 0)
        return llabs(now - intent->at) < GIVEN_UP_AFTER /* the clock may have been set */
                   ? 0
                   : close_intent(run, intent->id, "given up: no machine was found", err);
    state = &run->steps[step];
    state->resumed = intent->id;
    memcpy(state->incarnation, intent->incarnation, strlen(intent->incarnation) + 1);
    memcpy(state->token, intent->token, strlen(intent->token) + 1);
    return 0;
}

static int resolve(struct tt_apply_run *run, const struct tt_open_intent *intent,
                   struct tt_error *err)
{
    const struct tt_region *region =
        tt_world_region(run->request->world, intent->account, intent->region);

    if (!region || !region->observed)
        return 0; /* nobody can say */
    if (!intent->incarnation || strlen(intent->incarnation) > TT_INCARNATION_LENGTH ||
        (intent->token && strlen(intent->token) > TT_TOKEN_LENGTH))
        return close_intent(run, intent->id, "resolved: the world was looked at", err);
    return resolve_create(run, intent, region, err);
}

int tt_apply_resolve(struct tt_apply_run *run, struct tt_error *err)
{
    struct tt_arena scratch = {0};
    struct tt_strings deployments = {0};
    tt_open_intents intents = {0};
    int result = 0;

    if (!run->request->store)
        return 0;
    TT_EACH (step, &run->plan->steps)
        if (!tt_strings_has(&deployments, step->subject.deployment))
            tt_strings_add(&scratch, &deployments, step->subject.deployment);
    result = tt_store_read_open(run->request->store, &scratch, &deployments, &intents, err);
    TT_EACH (intent, &intents)
        if (result == 0)
            result = resolve(run, intent, err);
    tt_arena_release(&scratch);
    return result;
}

int tt_apply_close_resumed(struct tt_apply_run *run, int step, struct tt_error *err)
{
    int64_t intent = run->steps[step].resumed;

    return intent ? close_intent(run, intent, "taken up by a later run", err) : 0;
}

static bool is_seen(struct tt_apply_run *run, int step)
{
    bool seen;

    pthread_mutex_lock(&run->lock);
    seen = run->steps[step].made.seen || run->progress[step].state == TT_STEP_STATE_FAILED;
    pthread_mutex_unlock(&run->lock);
    return seen;
}

void tt_apply_close_seen(struct tt_apply_run *run, const int *steps, int count)
{
    struct tt_arena scratch = {0};
    struct tt_error ignored = {0}; /* the next look, or the next run, closes them */
    TT_VEC(int64_t) intents = {0};

    for (int i = 0; i < count; i++)
        if (run->steps[steps[i]].intent && is_seen(run, steps[i]))
            *TT_VEC_ADD(&scratch, &intents) = run->steps[steps[i]].intent;
    if (intents.count &&
        tt_store_close_intents(run->request->store, intents.items, intents.count, &ignored) == 0)
        for (int i = 0; i < count; i++)
            if (is_seen(run, steps[i]))
                run->steps[steps[i]].intent = 0;
    tt_arena_release(&scratch);
}

/* --- before anything is planned --------------------------------------------------------------- */

static bool may_appear(const struct tt_open_intent *intent, const struct tt_desired *desired,
                       const struct tt_world *world, tt_time seen)
{
    const struct tt_account *account = tt_desired_account(desired, intent->account);
    const struct tt_region *region = tt_world_region(world, intent->account, intent->region);

    return intent->incarnation && account && region && region->observed &&
           tt_time_is_recent(intent->at, seen, tt_provider_kind_lateness(account->provider)) &&
           !find_machine(region, intent);
}

int tt_apply_count_unseen(struct tt_store *store, const struct tt_desired *desired,
                          const struct tt_world *world, tt_time seen, struct tt_error *err)
{
    struct tt_arena scratch = {0};
    struct tt_strings deployments = {0};
    tt_open_intents intents = {0};
    int count = 0;

    TT_EACH (deployment, &desired->deployments)
        tt_strings_add(&scratch, &deployments, (*deployment)->name);
    if (tt_store_read_open(store, &scratch, &deployments, &intents, err) < 0)
        count = -1;
    TT_EACH (intent, &intents)
        count += may_appear(intent, desired, world, seen);
    tt_arena_release(&scratch);
    return count;
}
