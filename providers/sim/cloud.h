/*
 * The inside of the simulated cloud: what it is made of, and how a call gets in and out. Shared by
 * the files of this folder alone.
 */
#ifndef TT_PROVIDERS_SIM_CLOUD_H
#define TT_PROVIDERS_SIM_CLOUD_H

#include <pthread.h>

#include "providers/intercept.h"
#include "providers/sim/sim.h"

#define SIM_MEMBERS (TT_CALL_RUN + 1)

struct sim_zone {
    const char *name;
    enum tt_zone_state state;
    int capacity; /* -1: no limit */
};

struct sim_server {
    struct tt_server is;        /* the truth; `gone` until it vanishes */
    struct tt_tags tags_before; /* what is seen until tags_seen_at */
    tt_time running_at;         /* pending becomes running */
    tt_time vanishes_at;        /* of a gone one */
    tt_time seen_at;
    tt_time tags_seen_at;
    int agent_exit;      /* 0: the agent's scripts work */
    bool balances;       /* it has a pool */
    struct tt_pool pool; /* member states are worked out when they are read */
};

struct sim_member {
    const char *server;
    tt_time serves_at;
    tt_time leaves_at; /* TT_TIME_UNKNOWN: it stays */
};

struct sim_balancer {
    const char *id;
    const char *name;
    const struct tt_strings *zones; /* NULL: all */
    const struct tt_listeners *listeners;
    const struct tt_health_check *health;
    TT_VEC(struct sim_member) members;
};

struct sim_region {
    const char *name;
    bool unreachable;
    struct tt_strings *templates; /* NULL: anything goes */
    TT_VEC(struct sim_zone) zones;
    TT_VEC(struct sim_server *) servers;
    TT_VEC(struct sim_balancer *) balancers;
    TT_VEC(struct tt_elastic_address) addresses;
};

/* A client token that made a machine; kept after the machine is gone. */
struct sim_token {
    const char *token;
    const char *id;
};

struct sim_account {
    const char *name;
    unsigned mark; /* part of its ids and addresses, so that no two accounts share one */
    TT_VEC(struct sim_region *) regions;
    TT_VEC(struct sim_token) tokens;
};

struct tt_sim {
    pthread_mutex_t mutex; /* guards everything below */
    const struct tt_clock *clock;
    struct tt_sim_options options;
    struct tt_arena arena; /* of the cloud's things */
    TT_VEC(struct sim_account *) accounts;
    int64_t next;  /* number of the next id and address */
    bool persists; /* other accounts exist elsewhere */
    unsigned calls[SIM_MEMBERS];
    tt_time second; /* the second in which calls are counted for throttling */
    int calls_in_second;
};

/* Where an account's cloud is kept between processes. */
struct sim_store {
    const struct tt_account *account;
    const char *base_folder;
    const char *folder;
    int lock; /* descriptor while a call changes something; -1 else */
};

struct sim_provider {
    struct tt_provider base;
    struct tt_sim *sim;
    const char *account;
    const char *owner;
    struct sim_store *store; /* NULL: in memory only; then the cloud is borrowed */
};

/* What a call sees while it holds the cloud. */
struct sim_visit {
    struct sim_provider *provider;
    struct tt_sim *sim;
    struct sim_account *account;
    struct sim_region *region;
    tt_time now;
    bool changes; /* it is kept when the call succeeds */
};

/* enter.c: takes the lock, counts the call, brings the cloud up to now and finds the region; -1:
 * nothing is held. leave gives RESULT back, or -1 when what changed could not be kept. */
int tt_sim_enter(struct tt_provider *provider, enum tt_call_member member, bool changes,
                 const char *region, struct sim_visit *ret_visit, struct tt_error *err);
int tt_sim_leave(struct sim_visit *visit, int result, struct tt_error *err);

/* cloud.c: lookups (NULL: there is none) and what time brings. */
struct sim_account *tt_sim_find_account(struct tt_sim *sim, const char *name);
struct sim_account *tt_sim_make_account(struct tt_sim *sim, const char *name);
struct sim_region *tt_sim_find_region(const struct sim_account *account, const char *name);
struct sim_region *tt_sim_make_region(struct tt_sim *sim, const char *account, const char *name);
struct sim_zone *tt_sim_find_zone(const struct sim_region *region, const char *name);
void tt_sim_make_zone(struct tt_sim *sim, struct sim_region *region, const char *name);
struct sim_server *tt_sim_find_server(const struct sim_region *region, const char *id);
struct sim_balancer *tt_sim_find_balancer(const struct sim_region *region, const char *name_or_id);
struct sim_member *tt_sim_find_member(const struct sim_balancer *balancer, const char *server);
void tt_sim_drop_member(struct sim_balancer *balancer, const char *server);
void tt_sim_settle(struct tt_sim *sim, tt_time now);
struct sim_server *tt_sim_make_server(struct tt_sim *sim, struct sim_account *account,
                                      struct sim_region *region);
void tt_sim_end_server(struct sim_region *region, struct sim_server *server, tt_time vanishes_at);
bool tt_sim_serves(const struct sim_server *server);
/* SERVER is the member's machine; NULL: it is gone. */
enum tt_member_state tt_sim_member_state(const struct sim_balancer *balancer,
                                         const struct sim_member *member,
                                         const struct sim_server *server, tt_time now);
enum tt_member_state tt_sim_pool_state(const struct tt_sim *sim, const char *address);

/* seed.c: takes over what a world shows of an account; what is under way there began at NOW. */
void tt_sim_seed_account(struct tt_sim *sim, const struct tt_world_account *from, tt_time now);

/* reading.c: how the cloud looks to somebody. REQUEST NULL: all of the truth. */
struct tt_region tt_sim_read_region(const struct tt_sim *sim, const struct sim_region *region,
                                    const struct tt_observe_request *request, tt_time now,
                                    struct tt_arena *arena);
struct tt_world *tt_sim_read_world(const struct tt_sim *sim, tt_time now, struct tt_arena *arena);

/* store.c */
int tt_sim_store_load(struct sim_provider *provider, bool changes, struct tt_error *err);
int tt_sim_store_save(struct sim_provider *provider, struct tt_error *err);
void tt_sim_store_unlock(struct sim_store *store);

/* extras.c: what a snapshot cannot say, kept under its key "sim". */
struct json_t;
void tt_sim_extras_write(struct json_t *root, struct tt_sim *sim,
                         const struct sim_account *account);
int tt_sim_extras_options(struct json_t *extras, const char *path, struct tt_sim *sim,
                          struct tt_error *err);
void tt_sim_extras_read(struct json_t *extras, struct tt_sim *sim, struct sim_account *account);

/* The members: servers.c, balancers.c, agent.c. */
int tt_sim_observe(struct tt_provider *provider, const struct tt_observe_request *request,
                   struct tt_arena *arena, struct tt_region *ret_region, struct tt_error *err);
int tt_sim_create_server(struct tt_provider *provider, const struct tt_create_request *request,
                         struct tt_arena *arena, const char **ret_id, struct tt_error *err);
int tt_sim_delete_server(struct tt_provider *provider, const char *region, const char *id,
                         struct tt_error *err);
int tt_sim_start_server(struct tt_provider *provider, const char *region, const char *id,
                        struct tt_error *err);
int tt_sim_fence(struct tt_provider *provider, const char *region, const char *machine,
                 struct tt_error *err);
int tt_sim_tag(struct tt_provider *provider, const char *region, const char *server,
               const struct tt_tags *tags, struct tt_error *err);
int tt_sim_enroll(struct tt_provider *provider, const char *region, const char *balancer,
                  const char *server, struct tt_error *err);
int tt_sim_withdraw(struct tt_provider *provider, const char *region, const char *balancer,
                    const char *server, tt_time drain, struct tt_error *err);
int tt_sim_set_zones(struct tt_provider *provider, const char *region, const char *balancer,
                     const struct tt_strings *zones, struct tt_error *err);
int tt_sim_set_listeners(struct tt_provider *provider, const char *region, const char *balancer,
                         const struct tt_listeners *listeners, struct tt_error *err);
int tt_sim_set_health_check(struct tt_provider *provider, const char *region, const char *balancer,
                            const struct tt_health_check *health, struct tt_error *err);
int tt_sim_move_address(struct tt_provider *provider, const char *region, const char *address,
                        const char *machine, struct tt_error *err);
int tt_sim_run(struct tt_provider *provider, const struct tt_run_request *request,
               struct tt_arena *arena, struct tt_run_result *ret_result, struct tt_error *err);

#endif
