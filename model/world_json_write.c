/*
 * World snapshots: writing, and the hash over the canonical form.
 */
#include <stdio.h>
#include <string.h>

#include "base/sha256.h"
#include "model/json.h"
#include "model/world_json.h"

/* A list that may be in any order, in byte order. */
static json_t *write_set(const struct tt_strings *list)
{
    struct tt_strings sorted = {0};
    struct tt_arena arena;
    json_t *array;

    if (!list)
        return json_null();
    tt_arena_init(&arena);
    TT_EACH (item, list)
        tt_strings_add(&arena, &sorted, *item);
    tt_strings_sort(&sorted);
    array = tt_json_from_strings(&sorted);
    tt_arena_release(&arena);
    return array;
}

static void set_set(json_t *object, const char *key, const struct tt_strings *list)
{
    if (list)
        json_object_set_new(object, key, write_set(list));
}

static json_t *write_tags(const struct tt_tags *tags)
{
    json_t *object = json_object();
    char slot[16];

    tt_json_set_known(object, "trimtab:owner", tags->owner);
    tt_json_set_known(object, "trimtab:deployment", tags->deployment);
    tt_json_set_known(object, "trimtab:service", tags->service);
    tt_json_set_known(object, "trimtab:balancer", tags->balancer);
    if (tags->slot >= 0) {
        snprintf(slot, sizeof(slot), "%d", tags->slot);
        json_object_set_new(object, "trimtab:slot", json_string(slot));
    }
    tt_json_set_known(object, "trimtab:incarnation", tags->incarnation);
    tt_json_set_known(object, "trimtab:spec", tags->spec);
    tt_json_set_known(object, "trimtab:host-key", tags->host_key);
    return object;
}

static void set_time(json_t *object, const char *key, tt_time time)
{
    struct tt_arena arena;

    if (time == TT_TIME_UNKNOWN)
        return;
    tt_arena_init(&arena);
    json_object_set_new(object, key, json_string(tt_time_format_exact(&arena, time)));
    tt_arena_release(&arena);
}

static json_t *write_server(const struct tt_server *server)
{
    json_t *object = json_object();

    json_object_set_new(object, "id", json_string(server->id));
    tt_json_set_known(object, "name", server->name);
    tt_json_set_known(object, "zone", server->zone);
    json_object_set_new(object, "state", json_string(tt_server_state_words[server->state]));
    tt_json_set_known(object, "template", server->template);
    tt_json_set_known(object, "size", server->size);
    set_set(object, "firewalls", server->firewalls);
    json_object_set_new(object, "privateAddress", tt_json_from_string(server->private_address));
    json_object_set_new(object, "publicAddress", tt_json_from_string(server->public_address));
    json_object_set_new(object, "health", json_string(tt_health_words[server->health]));
    tt_json_set_known(object, "key", server->key);
    tt_json_set_known(object, "network", server->network);
    set_time(object, "createdAt", server->created_at);
    json_object_set_new(object, "tags", write_tags(&server->tags));
    return object;
}

static json_t *write_zone(const struct tt_zone *zone)
{
    json_t *object = json_object();

    json_object_set_new(object, "name", json_string(zone->name));
    json_object_set_new(object, "state", json_string(tt_zone_state_words[zone->state]));
    return object;
}

static json_t *write_balancer(const struct tt_cloud_balancer *balancer)
{
    json_t *object = json_object();
    json_t *members = json_array();

    json_object_set_new(object, "id", json_string(balancer->id));
    tt_json_set_known(object, "name", balancer->name);
    set_set(object, "zones", balancer->zones);
    if (balancer->listeners)
        json_object_set_new(object, "listeners", tt_json_from_listeners(balancer->listeners));
    if (balancer->health)
        json_object_set_new(object, "healthCheck", tt_json_from_health(balancer->health));
    TT_EACH (member, &balancer->members) {
        json_t *entry = json_object();

        json_object_set_new(entry, "server", json_string(member->server));
        json_object_set_new(entry, "state", json_string(tt_member_state_words[member->state]));
        json_array_append_new(members, entry);
    }
    json_object_set_new(object, "members", members);
    return object;
}

static json_t *write_pool(const struct tt_pool *pool)
{
    json_t *object = json_object();
    json_t *members = json_array();

    json_object_set_new(object, "machine", json_string(pool->machine));
    json_object_set_new(object, "software", json_string(tt_software_words[pool->software]));
    if (pool->listeners)
        json_object_set_new(object, "listeners", tt_json_from_listeners(pool->listeners));
    TT_EACH (member, &pool->members) {
        json_t *entry = json_object();

        json_object_set_new(entry, "service", json_string(member->service));
        json_object_set_new(entry, "address", json_string(member->address));
        json_object_set_new(entry, "port", json_integer(member->port));
        json_object_set_new(entry, "state", json_string(tt_member_state_words[member->state]));
        json_array_append_new(members, entry);
    }
    json_object_set_new(object, "members", members);
    return object;
}

static json_t *write_address(const struct tt_elastic_address *address)
{
    json_t *object = json_object();

    json_object_set_new(object, "address", json_string(address->address));
    json_object_set_new(object, "server", tt_json_from_string(address->server));
    return object;
}

#define SET_LIST(object, key, list, writer)                                                        \
    do {                                                                                           \
        json_t *array_ = json_array();                                                             \
                                                                                                   \
        TT_EACH (item_, list)                                                                      \
            json_array_append_new(array_, writer(item_));                                          \
        json_object_set_new(object, key, array_);                                                  \
    } while (0)

static json_t *write_region(const struct tt_region *region)
{
    json_t *object = json_object();

    json_object_set_new(object, "name", json_string(region->name));
    json_object_set_new(object, "status",
                        json_string(region->observed ? "observed" : "unreachable"));
    json_object_set_new(object, "error", tt_json_from_string(region->error));
    set_set(object, "templates", region->templates);
    SET_LIST(object, "zones", &region->zones, write_zone);
    SET_LIST(object, "servers", &region->servers, write_server);
    SET_LIST(object, "balancers", &region->balancers, write_balancer);
    SET_LIST(object, "pools", &region->pools, write_pool);
    SET_LIST(object, "addresses", &region->addresses, write_address);
    return object;
}

static json_t *write_account(const struct tt_world_account *account)
{
    json_t *object = json_object();

    json_object_set_new(object, "name", json_string(account->name));
    tt_json_set_known(object, "provider", account->provider);
    json_object_set_new(object, "capabilities", tt_json_from_features(account->features));
    SET_LIST(object, "regions", &account->regions, write_region);
    return object;
}

char *tt_world_to_json(struct tt_arena *arena, const struct tt_world *world)
{
    json_t *root = json_object();

    json_object_set_new(root, "format", json_string("trimtab.world/v1"));
    set_time(root, "takenAt", world->taken_at);
    SET_LIST(root, "accounts", &world->accounts, write_account);
    return tt_json_text(arena, root);
}

char *tt_world_hash(struct tt_arena *arena, const struct tt_world *world)
{
    json_t *root = json_object();
    struct tt_arena scratch;
    const char *text;
    char *hash;

    tt_arena_init(&scratch);
    SET_LIST(root, "accounts", &world->accounts, write_account);
    text = tt_json_compact(&scratch, root);
    hash = tt_printf(arena, "sha256:%s", tt_sha256_hex(&scratch, text, strlen(text)));
    tt_arena_release(&scratch);
    return hash;
}
