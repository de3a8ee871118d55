/*
 * Extras: what the simulated cloud knows and a world snapshot cannot say, as JSON. All keys are
 * optional, so that a person can write a seed by hand:
 *
 *   "sim": {"next": 7, "unreachable": ["r1"], "options": {"boot": "2s", "callsPerSecond": 20},
 *           "capacity": {"r1/a": 3}, "tokens": {"token": "i-1"},
 *           "servers": {"i-1": {"runningAt": 1700000000000, "agentExit": 0}},
 *           "members": {"r1/elb": {"i-1": {"servesAt": ..., "leavesAt": ...}}}}
 *
 * Instants are milliseconds since 1970.
 */
#include <jansson.h>
#include <string.h>

#include "base/str.h"
#include "providers/sim/cloud.h"

struct option {
    const char *key;
    size_t offset;
};

static const struct option durations[] = {
    {"boot", offsetof(struct tt_sim_options, boot)},
    {"intoService", offsetof(struct tt_sim_options, into_service)},
    {"drain", offsetof(struct tt_sim_options, drain)},
    {"vanish", offsetof(struct tt_sim_options, vanish)},
    {"createSeen", offsetof(struct tt_sim_options, create_seen)},
    {"tagsSeen", offsetof(struct tt_sim_options, tags_seen)},
    {"call", offsetof(struct tt_sim_options, call)},
};

#define DURATIONS (sizeof(durations) / sizeof(durations[0]))

static tt_time *duration_of(struct tt_sim_options *options, size_t index)
{
    return (tt_time *)((char *)options + durations[index].offset);
}

static void put_time(json_t *object, const char *key, tt_time time)
{
    if (time != TT_TIME_UNKNOWN)
        json_object_set_new(object, key, json_integer(time));
}

static tt_time get_time(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_integer(value) ? json_integer_value(value) : TT_TIME_UNKNOWN;
}

static json_t *write_options(struct tt_sim *sim)
{
    json_t *json = json_object();

    for (size_t i = 0; i < DURATIONS; i++)
        json_object_set_new(
            json, durations[i].key,
            json_string(tt_duration_format(&sim->arena, *duration_of(&sim->options, i))));
    json_object_set_new(json, "callsPerSecond", json_integer(sim->options.calls_per_second));
    json_object_set_new(json, "keepDeadMembers", json_boolean(sim->options.keep_dead_members));
    return json;
}

static json_t *write_server(const struct sim_server *server)
{
    json_t *json = json_object();

    put_time(json, "runningAt", server->running_at);
    if (server->is.state == TT_SERVER_GONE)
        put_time(json, "vanishesAt", server->vanishes_at);
    put_time(json, "seenAt", server->seen_at);
    put_time(json, "tagsSeenAt", server->tags_seen_at);
    if (server->agent_exit)
        json_object_set_new(json, "agentExit", json_integer(server->agent_exit));
    if (server->is.health == TT_HEALTH_FAILING)
        json_object_set_new(json, "failing", json_true());
    return json;
}

static json_t *write_members(const struct sim_balancer *balancer)
{
    json_t *json = json_object();

    TT_EACH (member, &balancer->members) {
        json_t *times = json_object();

        put_time(times, "servesAt", member->serves_at);
        put_time(times, "leavesAt", member->leaves_at);
        json_object_set_new(json, member->server, times);
    }
    return json;
}

void tt_sim_extras_write(struct json_t *root, struct tt_sim *sim, const struct sim_account *account)
{
    json_t *extras = json_object(), *unreachable = json_array(), *capacity = json_object();
    json_t *tokens = json_object(), *servers = json_object(), *members = json_object();

    TT_EACH (item, &account->regions) {
        const struct sim_region *region = *item;

        if (region->unreachable)
            json_array_append_new(unreachable, json_string(region->name));
        TT_EACH (zone, &region->zones)
            if (zone->capacity >= 0)
                json_object_set_new(capacity,
                                    tt_printf(&sim->arena, "%s/%s", region->name, zone->name),
                                    json_integer(zone->capacity));
        TT_EACH (server, &region->servers)
            json_object_set_new(servers, (*server)->is.id, write_server(*server));
        TT_EACH (balancer, &region->balancers)
            json_object_set_new(members,
                                tt_printf(&sim->arena, "%s/%s", region->name, (*balancer)->id),
                                write_members(*balancer));
    }
    TT_EACH (token, &account->tokens)
        json_object_set_new(tokens, token->token, json_string(token->id));
    json_object_set_new(extras, "next", json_integer(sim->next));
    json_object_set_new(extras, "options", write_options(sim));
    json_object_set_new(extras, "unreachable", unreachable);
    json_object_set_new(extras, "capacity", capacity);
    json_object_set_new(extras, "tokens", tokens);
    json_object_set_new(extras, "servers", servers);
    json_object_set_new(extras, "members", members);
    json_object_set_new(root, "sim", extras);
}

static int read_options(const json_t *json, const char *path, struct tt_sim_options *options,
                        struct tt_error *err)
{
    for (size_t i = 0; i < DURATIONS; i++) {
        const json_t *value = json_object_get(json, durations[i].key);

        if (!value)
            continue;
        if (!json_is_string(value) ||
            tt_duration_parse(json_string_value(value), duration_of(options, i)) < 0)
            return tt_fail(err, TT_ERR_SPEC, "%s: sim.options.%s is not a duration such as 2s",
                           path, durations[i].key);
    }
    options->calls_per_second = (int)json_integer_value(json_object_get(json, "callsPerSecond"));
    options->keep_dead_members = json_is_true(json_object_get(json, "keepDeadMembers"));
    return 0;
}

static void read_server(const json_t *json, struct sim_server *server)
{
    if (!json)
        return;
    server->running_at = get_time(json, "runningAt");
    server->vanishes_at = get_time(json, "vanishesAt");
    server->seen_at = get_time(json, "seenAt");
    server->tags_seen_at = get_time(json, "tagsSeenAt");
    server->agent_exit = (int)json_integer_value(json_object_get(json, "agentExit"));
    /* the snapshot speaks of the health of running machines alone */
    if (server->is.health == TT_HEALTH_UNKNOWN)
        server->is.health =
            json_is_true(json_object_get(json, "failing")) ? TT_HEALTH_FAILING : TT_HEALTH_PASSING;
}

static void read_members(const json_t *json, struct sim_balancer *balancer)
{
    TT_EACH (member, &balancer->members) {
        const json_t *times = json_object_get(json, member->server);

        if (times) {
            member->serves_at = get_time(times, "servesAt");
            member->leaves_at = get_time(times, "leavesAt");
        }
    }
}

static void read_region(const json_t *extras, struct tt_sim *sim, struct sim_region *region)
{
    const json_t *capacity = json_object_get(extras, "capacity");
    const json_t *servers = json_object_get(extras, "servers");
    const json_t *members = json_object_get(extras, "members");
    const json_t *unreachable = json_object_get(extras, "unreachable");
    const json_t *name;
    size_t i;

    json_array_foreach (unreachable, i, name)
        if (tt_streq(json_string_value(name), region->name))
            region->unreachable = true;
    TT_EACH (zone, &region->zones) {
        const json_t *limit =
            json_object_get(capacity, tt_printf(&sim->arena, "%s/%s", region->name, zone->name));

        if (json_is_integer(limit))
            zone->capacity = (int)json_integer_value(limit);
    }
    TT_EACH (server, &region->servers)
        read_server(json_object_get(servers, (*server)->is.id), *server);
    TT_EACH (balancer, &region->balancers)
        read_members(json_object_get(
                         members, tt_printf(&sim->arena, "%s/%s", region->name, (*balancer)->id)),
                     *balancer);
}

int tt_sim_extras_options(struct json_t *extras, const char *path, struct tt_sim *sim,
                          struct tt_error *err)
{
    if (extras && !json_is_object(extras))
        return tt_fail(err, TT_ERR_SPEC, "%s: sim is not an object", path);
    return read_options(json_object_get(extras, "options"), path, &sim->options, err);
}

void tt_sim_extras_read(struct json_t *extras, struct tt_sim *sim, struct sim_account *account)
{
    const json_t *next = json_object_get(extras, "next");
    json_t *token;
    const char *key;

    if (json_is_integer(next) && json_integer_value(next) > 0)
        sim->next = json_integer_value(next);
    json_object_foreach (json_object_get(extras, "tokens"), key, token)
        if (json_is_string(token))
            *TT_VEC_ADD(&sim->arena, &account->tokens) = (struct sim_token){
                tt_strdup(&sim->arena, key), tt_strdup(&sim->arena, json_string_value(token))};
    TT_EACH (region, &account->regions)
        read_region(extras, sim, *region);
}
