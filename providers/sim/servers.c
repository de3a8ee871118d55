/*
 * Servers of the simulated cloud: creating, deleting, starting, fencing and tagging them.
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "providers/copy.h"
#include "providers/sim/cloud.h"

static int conflict(struct tt_error *err, const char *code, const char *what, const char *which)
{
    tt_fail(err, TT_ERR_CONFLICT, "%s %s", what, which);
    if (err)
        snprintf(err->code, sizeof(err->code), "%s", code);
    return -1;
}

static int count_in_zone(const struct sim_region *region, const char *zone)
{
    int count = 0;

    TT_EACH (server, &region->servers)
        if ((*server)->is.state != TT_SERVER_GONE && tt_streq((*server)->is.zone, zone))
            count++;
    return count;
}

static bool has_room(const struct sim_region *region, const struct sim_zone *zone)
{
    return zone->state == TT_ZONE_AVAILABLE &&
           (zone->capacity < 0 || count_in_zone(region, zone->name) < zone->capacity);
}

/* The emptiest zone with room, the first of several. */
static const struct sim_zone *choose_zone(const struct sim_region *region)
{
    const struct sim_zone *best = NULL;
    int least = 0;

    TT_EACH (zone, &region->zones) {
        int count = count_in_zone(region, zone->name);

        if (has_room(region, zone) && (!best || count < least)) {
            best = zone;
            least = count;
        }
    }
    return best;
}

static const struct sim_zone *find_zone(const struct sim_region *region, const char *name,
                                        struct tt_error *err)
{
    const struct sim_zone *zone = name ? tt_sim_find_zone(region, name) : choose_zone(region);

    if (!zone && name)
        tt_fail(err, TT_ERR_SPEC, "region %s has no zone %s", region->name, name);
    else if (!zone)
        conflict(err, "no-capacity", "no zone has room in region", region->name);
    else if (zone->state != TT_ZONE_AVAILABLE)
        conflict(err, "zone-impaired", "nothing can be created in the impaired zone", zone->name);
    else if (!has_room(region, zone))
        conflict(err, "no-capacity", "no capacity left in zone", zone->name);
    else
        return zone;
    return NULL;
}

/* What an earlier call with the same token, or for the same incarnation, has made. */
static const char *find_made(const struct sim_visit *visit, const struct tt_create_request *request)
{
    const struct tt_tags *tags = &request->tags;

    if (request->client_token)
        TT_EACH (token, &visit->account->tokens)
            if (strcmp(token->token, request->client_token) == 0)
                return token->id;
    if (tags->incarnation)
        TT_EACH (server, &visit->region->servers)
            if ((*server)->is.state != TT_SERVER_GONE &&
                tt_streq((*server)->is.tags.owner, tags->owner) &&
                tt_streq((*server)->is.tags.incarnation, tags->incarnation))
                return (*server)->is.id;
    return NULL;
}

static int check_spec(const struct sim_region *region, const struct tt_server_spec *spec,
                      struct tt_error *err)
{
    if (!spec->template)
        return tt_fail(err, TT_ERR_SPEC, "a server cannot be made without a template");
    if (region->templates && !tt_strings_has(region->templates, spec->template))
        return tt_fail(err, TT_ERR_SPEC, "region %s has no template %s", region->name,
                       spec->template);
    return 0;
}

static void describe(struct tt_sim *sim, struct sim_server *server,
                     const struct tt_create_request *request, tt_time now)
{
    const struct tt_server_spec *spec = request->spec;
    struct tt_arena *arena = &sim->arena;

    server->is.name = tt_strdup(arena, request->name);
    server->is.state = TT_SERVER_PENDING;
    server->is.template = tt_strdup(arena, spec->template);
    server->is.size = tt_strdup(arena, spec->size);
    server->is.firewalls = tt_copy_strings(arena, spec->firewalls);
    server->is.key = tt_strdup(arena, spec->key);
    server->is.network = tt_strdup(arena, spec->network);
    server->is.created_at = now;
    server->is.tags = tt_copy_tags(arena, &request->tags);
    server->running_at = now + sim->options.boot;
    server->seen_at = now + sim->options.create_seen;
    server->tags_seen_at = now + sim->options.tags_seen;
    if (request->setup) {
        server->balances = true;
        server->pool.machine = server->is.id;
        server->pool.software = request->setup->software;
        server->pool.listeners = tt_copy_listeners(arena, request->setup->listeners);
    }
}

static int create(const struct sim_visit *visit, const struct tt_create_request *request,
                  const char **ret_id, struct tt_error *err)
{
    struct tt_sim *sim = visit->sim;
    const struct sim_zone *zone;
    struct sim_server *server;

    *ret_id = find_made(visit, request);
    if (*ret_id)
        return 0;
    if (check_spec(visit->region, request->spec, err) < 0)
        return -1;
    zone = find_zone(visit->region, request->zone, err);
    if (!zone)
        return -1;
    server = tt_sim_make_server(sim, visit->account, visit->region);
    describe(sim, server, request, visit->now);
    server->is.zone = zone->name;
    if (request->client_token)
        *TT_VEC_ADD(&sim->arena, &visit->account->tokens) =
            (struct sim_token){tt_strdup(&sim->arena, request->client_token), server->is.id};
    *ret_id = server->is.id;
    return 0;
}

int tt_sim_create_server(struct tt_provider *provider, const struct tt_create_request *request,
                         struct tt_arena *arena, const char **ret_id, struct tt_error *err)
{
    struct sim_visit visit;
    const char *id = NULL;
    int result;

    if (tt_sim_enter(provider, TT_CALL_CREATE_SERVER, true, request->region, &visit, err) < 0)
        return -1;
    result = create(&visit, request, &id, err);
    if (result == 0)
        id = tt_strdup(arena, id);
    result = tt_sim_leave(&visit, result, err);
    if (result == 0)
        *ret_id = id;
    return result;
}

static bool is_owned(const struct sim_visit *visit, const struct sim_server *server)
{
    return tt_streq(server->is.tags.owner, visit->provider->owner);
}

static int not_ours(const struct sim_server *server, struct tt_error *err)
{
    return tt_fail(err, TT_ERR_DENIED, "machine %s (%s) does not carry the owner's mark",
                   server->is.id, server->is.name ? server->is.name : "nameless");
}

static int no_machine(const struct sim_visit *visit, const char *id, struct tt_error *err)
{
    return tt_fail(err, TT_ERR_NOT_FOUND, "region %s has no machine %s", visit->region->name, id);
}

int tt_sim_delete_server(struct tt_provider *provider, const char *region, const char *id,
                         struct tt_error *err)
{
    struct sim_server *server;
    struct sim_visit visit;
    int result = 0;

    if (tt_sim_enter(provider, TT_CALL_DELETE_SERVER, true, region, &visit, err) < 0)
        return -1;
    server = tt_sim_find_server(visit.region, id);
    if (server && !is_owned(&visit, server))
        result = not_ours(server, err);
    else if (server && server->is.state != TT_SERVER_GONE)
        tt_sim_end_server(visit.region, server, visit.now + visit.sim->options.vanish);
    return tt_sim_leave(&visit, result, err);
}

static int start(const struct sim_visit *visit, const char *id, struct tt_error *err)
{
    struct sim_server *server = tt_sim_find_server(visit->region, id);

    if (!server || server->is.state == TT_SERVER_GONE)
        return no_machine(visit, id, err);
    if (server->is.state == TT_SERVER_FAILED)
        return conflict(err, "machine-failed", "a failed machine cannot be started:", id);
    if (server->is.state == TT_SERVER_STOPPED) {
        server->is.state = TT_SERVER_PENDING;
        server->running_at = visit->now + visit->sim->options.boot;
    }
    return 0;
}

int tt_sim_start_server(struct tt_provider *provider, const char *region, const char *id,
                        struct tt_error *err)
{
    struct sim_visit visit;

    if (tt_sim_enter(provider, TT_CALL_START_SERVER, true, region, &visit, err) < 0)
        return -1;
    return tt_sim_leave(&visit, start(&visit, id, err), err);
}

int tt_sim_fence(struct tt_provider *provider, const char *region, const char *machine,
                 struct tt_error *err)
{
    struct sim_server *server;
    struct sim_visit visit;
    int result = 0;

    if (tt_sim_enter(provider, TT_CALL_FENCE, true, region, &visit, err) < 0)
        return -1;
    server = tt_sim_find_server(visit.region, machine);
    if (server && !is_owned(&visit, server))
        result = not_ours(server, err);
    else if (server && server->is.state != TT_SERVER_GONE)
        server->is.state = TT_SERVER_STOPPED;
    return tt_sim_leave(&visit, result, err);
}

/* TAGS over what is there; what is seen stays as it was until the change has spread. */
static void put_tags(const struct sim_visit *visit, struct sim_server *server,
                     const struct tt_tags *tags)
{
    struct tt_tags *own = &server->is.tags;
    struct tt_arena *arena = &visit->sim->arena;

    if (server->tags_seen_at <= visit->now)
        server->tags_before = *own;
    server->tags_seen_at = visit->now + visit->sim->options.tags_seen;
    own->owner = tags->owner ? tt_strdup(arena, tags->owner) : own->owner;
    own->deployment = tags->deployment ? tt_strdup(arena, tags->deployment) : own->deployment;
    own->service = tags->service ? tt_strdup(arena, tags->service) : own->service;
    own->balancer = tags->balancer ? tt_strdup(arena, tags->balancer) : own->balancer;
    own->slot = tags->slot >= 0 ? tags->slot : own->slot;
    own->incarnation = tags->incarnation ? tt_strdup(arena, tags->incarnation) : own->incarnation;
    own->spec = tags->spec ? tt_strdup(arena, tags->spec) : own->spec;
}

int tt_sim_tag(struct tt_provider *provider, const char *region, const char *server,
               const struct tt_tags *tags, struct tt_error *err)
{
    struct sim_server *found;
    struct sim_visit visit;
    int result = 0;

    if (tt_sim_enter(provider, TT_CALL_TAG, true, region, &visit, err) < 0)
        return -1;
    found = tt_sim_find_server(visit.region, server);
    if (found && found->is.state != TT_SERVER_GONE)
        put_tags(&visit, found, tags);
    else
        result = no_machine(&visit, server, err);
    return tt_sim_leave(&visit, result, err);
}
