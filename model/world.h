/*
 * World: what was observed of the clouds at one moment.
 *
 * Providers make it region by region (tt_provider_ops.observe), or it is read from a snapshot
 * (model/world_json.h). Everything in it lives in one arena. NULL, TT_TIME_UNKNOWN and -1 mean
 * unknown; what is unknown is not compared.
 */
#ifndef TT_MODEL_WORLD_H
#define TT_MODEL_WORLD_H

#include "base/clock.h"
#include "model/desired.h"
#include "model/words.h"

struct tt_zone {
    const char *name;
    enum tt_zone_state state;
};

/* The marks of ownership that trimtab puts on a machine; NULL: not there. */
struct tt_tags {
    const char *owner;
    const char *deployment;
    const char *service;  /* a server of a service ... */
    const char *balancer; /* ... or the machine of a balancer */
    int slot;             /* -1: none */
    const char *incarnation;
    const char *spec; /* tt_server_spec_hash of what it was made from */
    /* "ssh-ed25519 AAAA...": the machine published it as its tag trimtab:host-key; never set by us
     */
    const char *host_key;
};

struct tt_server {
    const char *id;
    const char *name;
    const char *zone;
    enum tt_server_state state;
    enum tt_health health;
    const char *template;
    const char *size;
    const struct tt_strings *firewalls;
    const char *key;
    const char *network;
    const char *private_address;
    const char *public_address;
    tt_time created_at;
    struct tt_tags tags;
};

/* A member of a cloud balancer. */
struct tt_member {
    const char *server; /* its id */
    enum tt_member_state state;
};

struct tt_cloud_balancer {
    const char *id;
    const char *name;
    const struct tt_strings *zones;       /* NULL: unknown */
    const struct tt_listeners *listeners; /* NULL: unknown */
    const struct tt_health_check *health; /* NULL: unknown; an interval of 0: there is none */
    TT_VEC(struct tt_member) members;
};

/* An entry in the pool of a balancer machine. */
struct tt_pool_member {
    const char *service; /* "DEPLOYMENT.SERVICE" */
    const char *address;
    int port;
    enum tt_member_state state;
};

struct tt_pool {
    const char *machine; /* the server's id */
    enum tt_software software;
    const struct tt_listeners *listeners; /* NULL: unknown; key "listeners", ours */
    TT_VEC(struct tt_pool_member) members;
};

struct tt_elastic_address {
    const char *address;
    const char *server; /* the id of the machine that has it; NULL: none */
};

struct tt_region {
    const char *name;
    bool observed;                      /* else unreachable: everything below is empty */
    const char *error;                  /* why it is unreachable; NULL when observed */
    const struct tt_strings *templates; /* NULL: not listed */
    TT_VEC(struct tt_zone) zones;
    TT_VEC(struct tt_server) servers;
    TT_VEC(struct tt_cloud_balancer) balancers;
    TT_VEC(struct tt_pool) pools;
    TT_VEC(struct tt_elastic_address) addresses;
};

struct tt_world_account {
    const char *name;
    const char *provider;
    unsigned features; /* TT_FEATURE_*: the snapshot's capabilities */
    TT_VEC(struct tt_region) regions;
};

struct tt_world {
    tt_time taken_at;
    TT_VEC(struct tt_world_account) accounts;
};

/* Lookups by name or id; NULL: there is none. */
const struct tt_world_account *tt_world_account(const struct tt_world *world, const char *name);
const struct tt_region *tt_world_region(const struct tt_world *world, const char *account,
                                        const char *region);
const struct tt_zone *tt_region_zone(const struct tt_region *region, const char *name);
const struct tt_server *tt_region_server(const struct tt_region *region, const char *id);
/* As tt_region_server, in a sorted world: by bisection, for those who ask about every server. ID
 * may be NULL. */
const struct tt_server *tt_region_find_server(const struct tt_region *region, const char *id);
const struct tt_pool *tt_region_pool(const struct tt_region *region, const char *machine);
const struct tt_cloud_balancer *tt_region_balancer(const struct tt_region *region,
                                                   const char *name_or_id);

/* Brings every list into a canonical order (by name, id, address ...), in place; a server, a member
 * or an entry that is listed twice is one. Every maker of a world calls it once at the end; the
 * planner relies on it. */
void tt_world_sort(struct tt_world *world);

#endif
