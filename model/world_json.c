/*
 * World snapshots: reading (world_json_write.c writes).
 */
#include "model/world_json.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "model/json.h"

static void release_json(json_t **json)
{
    json_decref(*json);
}

static int read_tags(struct tt_arena *arena, const struct tt_json *server, struct tt_tags *tags,
                     struct tt_error *err)
{
    struct tt_json json = tt_json_member(server, "tags");
    const char *slot = NULL;

    tags->slot = -1;
    if (!json.value)
        return 0;
    if (tt_json_object(&json, err) < 0 ||
        tt_json_string(arena, &json, "trimtab:owner", &tags->owner, err) < 0 ||
        tt_json_string(arena, &json, "trimtab:deployment", &tags->deployment, err) < 0 ||
        tt_json_string(arena, &json, "trimtab:service", &tags->service, err) < 0 ||
        tt_json_string(arena, &json, "trimtab:balancer", &tags->balancer, err) < 0 ||
        tt_json_string(arena, &json, "trimtab:slot", &slot, err) < 0 ||
        tt_json_string(arena, &json, "trimtab:incarnation", &tags->incarnation, err) < 0 ||
        tt_json_string(arena, &json, "trimtab:spec", &tags->spec, err) < 0 ||
        tt_json_string(arena, &json, "trimtab:host-key", &tags->host_key, err) < 0)
        return -1;
    if (slot && *slot && strlen(slot) < 9 && strspn(slot, "0123456789") == strlen(slot))
        tags->slot = atoi(slot);
    return 0;
}

static int read_server(struct tt_arena *arena, const struct tt_json *json, struct tt_server *server,
                       struct tt_error *err)
{
    int state = TT_SERVER_RUNNING, health = TT_HEALTH_UNKNOWN;

    server->created_at = TT_TIME_UNKNOWN;
    if (tt_json_object(json, err) < 0 ||
        tt_json_required_string(arena, json, "id", &server->id, err) < 0 ||
        tt_json_string(arena, json, "name", &server->name, err) < 0 ||
        tt_json_string(arena, json, "zone", &server->zone, err) < 0 ||
        tt_json_word(json, "state", tt_server_state_words, &state, err) < 0 ||
        tt_json_word(json, "health", tt_health_words, &health, err) < 0 ||
        tt_json_string(arena, json, "template", &server->template, err) < 0 ||
        tt_json_string(arena, json, "size", &server->size, err) < 0 ||
        tt_json_strings(arena, json, "firewalls", &server->firewalls, err) < 0 ||
        tt_json_string(arena, json, "key", &server->key, err) < 0 ||
        tt_json_string(arena, json, "network", &server->network, err) < 0 ||
        tt_json_string(arena, json, "privateAddress", &server->private_address, err) < 0 ||
        tt_json_string(arena, json, "publicAddress", &server->public_address, err) < 0 ||
        tt_json_time(json, "createdAt", &server->created_at, err) < 0)
        return -1;
    server->state = (enum tt_server_state)state;
    server->health = (enum tt_health)health;
    return read_tags(arena, json, &server->tags, err);
}

static int read_zone(struct tt_arena *arena, const struct tt_json *json, struct tt_zone *zone,
                     struct tt_error *err)
{
    int state = TT_ZONE_AVAILABLE;

    if (tt_json_object(json, err) < 0 ||
        tt_json_required_string(arena, json, "name", &zone->name, err) < 0 ||
        tt_json_word(json, "state", tt_zone_state_words, &state, err) < 0)
        return -1;
    zone->state = (enum tt_zone_state)state;
    return 0;
}

static int read_member(struct tt_arena *arena, const struct tt_json *json, struct tt_member *member,
                       struct tt_error *err)
{
    int state = TT_MEMBER_UNKNOWN;

    if (tt_json_object(json, err) < 0 ||
        tt_json_required_string(arena, json, "server", &member->server, err) < 0 ||
        tt_json_word(json, "state", tt_member_state_words, &state, err) < 0)
        return -1;
    member->state = (enum tt_member_state)state;
    return 0;
}

/* Reads array KEY of OBJECT into LIST, an item at a time by READER. */
#define READ_LIST(arena, object, key, list, reader, err)                                           \
    __extension__({                                                                                \
        struct tt_json array_;                                                                     \
        size_t count_;                                                                             \
        int result_ = tt_json_array(object, key, &array_, &count_, err);                           \
                                                                                                   \
        if (!result_ && count_) {                                                                  \
            (list)->items = tt_alloc_array(arena, count_, sizeof(*(list)->items));                 \
            (list)->capacity = count_;                                                             \
        }                                                                                          \
        for (size_t i_ = 0; !result_ && i_ < count_; i_++) {                                       \
            struct tt_json item_ = tt_json_item(&array_, i_);                                      \
            result_ = reader(arena, &item_, &(list)->items[(list)->count++], err);                 \
        }                                                                                          \
        result_;                                                                                   \
    })

static int read_balancer(struct tt_arena *arena, const struct tt_json *json,
                         struct tt_cloud_balancer *balancer, struct tt_error *err)
{
    if (tt_json_object(json, err) < 0 ||
        tt_json_required_string(arena, json, "id", &balancer->id, err) < 0 ||
        tt_json_string(arena, json, "name", &balancer->name, err) < 0 ||
        tt_json_strings(arena, json, "zones", &balancer->zones, err) < 0 ||
        tt_json_listeners(arena, json, "listeners", &balancer->listeners, err) < 0 ||
        tt_json_health(arena, json, "healthCheck", &balancer->health, err) < 0)
        return -1;
    return READ_LIST(arena, json, "members", &balancer->members, read_member, err);
}

static int read_pool_member(struct tt_arena *arena, const struct tt_json *json,
                            struct tt_pool_member *member, struct tt_error *err)
{
    int state = TT_MEMBER_UNKNOWN;

    if (tt_json_object(json, err) < 0 ||
        tt_json_required_string(arena, json, "service", &member->service, err) < 0 ||
        tt_json_required_string(arena, json, "address", &member->address, err) < 0 ||
        tt_json_int(json, "port", 1, 65535, &member->port, err) < 0 ||
        tt_json_word(json, "state", tt_member_state_words, &state, err) < 0)
        return -1;
    if (member->port == 0)
        return tt_json_fail(json, err, "port is missing");
    member->state = (enum tt_member_state)state;
    return 0;
}

static int read_pool(struct tt_arena *arena, const struct tt_json *json, struct tt_pool *pool,
                     struct tt_error *err)
{
    int software = TT_SOFTWARE_HAPROXY;

    if (tt_json_object(json, err) < 0 ||
        tt_json_required_string(arena, json, "machine", &pool->machine, err) < 0 ||
        tt_json_word(json, "software", tt_software_words, &software, err) < 0 ||
        tt_json_listeners(arena, json, "listeners", &pool->listeners, err) < 0)
        return -1;
    pool->software = (enum tt_software)software;
    return READ_LIST(arena, json, "members", &pool->members, read_pool_member, err);
}

static int read_address(struct tt_arena *arena, const struct tt_json *json,
                        struct tt_elastic_address *address, struct tt_error *err)
{
    if (tt_json_object(json, err) < 0 ||
        tt_json_required_string(arena, json, "address", &address->address, err) < 0)
        return -1;
    return tt_json_string(arena, json, "server", &address->server, err);
}

static int read_region(struct tt_arena *arena, const struct tt_json *json, struct tt_region *region,
                       struct tt_error *err)
{
    static const char *const statuses[] = {"unreachable", "observed", NULL};
    int status = 1;

    if (tt_json_object(json, err) < 0 ||
        tt_json_required_string(arena, json, "name", &region->name, err) < 0 ||
        tt_json_word(json, "status", statuses, &status, err) < 0 ||
        tt_json_string(arena, json, "error", &region->error, err) < 0)
        return -1;
    region->observed = status == 1;
    if (!region->observed)
        return 0;
    if (tt_json_strings(arena, json, "templates", &region->templates, err) < 0 ||
        READ_LIST(arena, json, "zones", &region->zones, read_zone, err) < 0 ||
        READ_LIST(arena, json, "servers", &region->servers, read_server, err) < 0 ||
        READ_LIST(arena, json, "balancers", &region->balancers, read_balancer, err) < 0 ||
        READ_LIST(arena, json, "pools", &region->pools, read_pool, err) < 0)
        return -1;
    return READ_LIST(arena, json, "addresses", &region->addresses, read_address, err);
}

static int read_features(struct tt_arena *arena, const struct tt_json *json,
                         struct tt_world_account *account, struct tt_error *err)
{
    int kind = account->provider ? tt_word_find(tt_provider_kind_words, account->provider) : -1;
    unsigned own = kind < 0 ? 0 : tt_provider_kind_features((enum tt_provider_kind)kind);
    const struct tt_strings *capabilities = NULL;

    if (tt_json_strings(arena, json, "capabilities", &capabilities, err) < 0)
        return -1;
    account->features = capabilities ? own & TT_FEATURE_START_SERVER : own;
    if (capabilities)
        TT_EACH (word, capabilities) {
            int feature = tt_word_find(tt_feature_words, *word);

            if (feature >= 0)
                account->features |= 1u << feature;
        }
    return 0;
}

static int read_account(struct tt_arena *arena, const struct tt_json *json,
                        struct tt_world_account *account, struct tt_error *err)
{
    if (tt_json_object(json, err) < 0 ||
        tt_json_required_string(arena, json, "name", &account->name, err) < 0 ||
        tt_json_string(arena, json, "provider", &account->provider, err) < 0 ||
        read_features(arena, json, account, err) < 0)
        return -1;
    return READ_LIST(arena, json, "regions", &account->regions, read_region, err);
}

int tt_world_from_json(struct tt_arena *arena, const char *text, size_t size, const char *name,
                       struct tt_world **ret_world, struct tt_error *err)
{
    __attribute__((cleanup(release_json))) json_t *root = NULL;
    struct tt_world *world = TT_NEW(arena, struct tt_world);
    struct tt_json document = {0};

    if (tt_json_parse(text, size, name, &root, err) < 0)
        return -1;
    document.value = root;
    world->taken_at = TT_TIME_UNKNOWN;
    if (tt_json_format(&document, "trimtab.world/v1", err) < 0 ||
        tt_json_time(&document, "takenAt", &world->taken_at, err) < 0 ||
        READ_LIST(arena, &document, "accounts", &world->accounts, read_account, err) < 0)
        return tt_wrap(err, "%s", name);
    tt_world_sort(world);
    *ret_world = world;
    return 0;
}
