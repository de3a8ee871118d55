/*
 * Sim: a cloud in memory, complete enough for every test: regions and zones, servers that take time
 * to boot, cloud balancers that exist beforehand, elastic addresses, and balancer machines whose
 * agent scripts are understood by `run`. Time is the clock it is given, mostly a virtual one.
 *
 * Two ways in:
 *  - tests make a cloud (tt_sim_new), shape it as people at a console would (tt_sim_add_..., the
 *    "human" functions below), and open accounts of it (tt_sim_account);
 *  - the program opens an Account with `provider: sim` (tt_sim_ops): its cloud persists in the file
 *    STATE_FOLDER/sim/ACCOUNT.json, a world snapshot with an extra key "sim", and starts as the
 *    snapshot that the Account's endpoint `file://PATH` names (relative to the repository), or as
 *    empty regions with the zones REGION-a, -b and -c.
 *
 * Every function may be called from several threads at once; the cloud has one lock.
 */
#ifndef TT_PROVIDERS_SIM_SIM_H
#define TT_PROVIDERS_SIM_SIM_H

#include <stdatomic.h>

#include "providers/provider.h"

const struct tt_provider_ops *tt_sim_ops(void);

/* Virtual time: sleeping moves it forward, and nothing else does. Sleeps of several threads
 * overlap as real ones do. Not to be moved in memory after init. */
struct tt_sim_clock {
    struct tt_clock clock;
    _Atomic tt_time now;
};

void tt_sim_clock_init(struct tt_sim_clock *clock, tt_time start);

/* How the cloud behaves; zeroed is a cloud without delays and limits. */
struct tt_sim_options {
    tt_time boot;           /* from create or start to running */
    tt_time into_service;   /* from enroll to in-service */
    tt_time drain;          /* how long connections really last; withdraw's own limit is kept */
    tt_time vanish;         /* how long a deleted machine is still seen, as gone */
    tt_time create_seen;    /* eventual consistency: a new machine is observed only after this */
    tt_time tags_seen;      /* ... and its marks, new or changed, only after this */
    tt_time call;           /* each call takes so long */
    int calls_per_second;   /* past it THROTTLED; 0: no limit */
    bool keep_dead_members; /* members stay in a balancer after their machine is gone */
};

struct tt_sim;

/* CLOCK is borrowed. OPTIONS NULL: no delays. */
struct tt_sim *tt_sim_new(const struct tt_clock *clock, const struct tt_sim_options *options);
void tt_sim_free(struct tt_sim *sim); /* after all its accounts were closed */
void tt_sim_set_options(struct tt_sim *sim, const struct tt_sim_options *options);

/* Opens an account of the cloud for OWNER; made in ARENA. It need not have regions yet. */
struct tt_provider *tt_sim_account(struct tt_sim *sim, struct tt_arena *arena, const char *account,
                                   const char *owner);

/* Adds everything that a world shows; its unreachable regions become unreachable ones here. */
void tt_sim_seed(struct tt_sim *sim, const struct tt_world *world);

/* The whole truth at this moment, without delays of consistency, pools included; sorted. */
struct tt_world *tt_sim_world(struct tt_sim *sim, struct tt_arena *arena);

/* Calls of a provider member ("create_server") since the beginning, refused ones included. */
unsigned tt_sim_calls(struct tt_sim *sim, const char *member);

/* What people (and misfortune) do. The account and the region are made when they are new; a thing
 * that is named and does not exist is a bug of the caller and aborts. */

/* ZONES ends with NULL. */
void tt_sim_add_region(struct tt_sim *sim, const char *account, const char *region,
                       const char *const *zones);
/* From the first one on, the region refuses other templates. */
void tt_sim_add_template(struct tt_sim *sim, const char *account, const char *region,
                         const char *template);
/* A cloud balancer with all zones of the region, or ZONES. */
void tt_sim_add_balancer(struct tt_sim *sim, const char *account, const char *region,
                         const char *name, const char *const *zones);
void tt_sim_add_address(struct tt_sim *sim, const char *account, const char *region,
                        const char *address);
/* A running machine that carries no marks; the id lives as long as the cloud. */
const char *tt_sim_add_machine(struct tt_sim *sim, const char *account, const char *region,
                               const char *zone, const char *name);
/* Membership in a cloud balancer, in service at once, or ended at once. */
void tt_sim_add_member(struct tt_sim *sim, const char *account, const char *region,
                       const char *balancer, const char *server);
void tt_sim_remove_member(struct tt_sim *sim, const char *account, const char *region,
                          const char *balancer, const char *server);

/* The zones of a cloud balancer become ZONES. */
void tt_sim_set_balancer_zones(struct tt_sim *sim, const char *account, const char *region,
                               const char *balancer, const struct tt_strings *zones);
/* No machine has the address any more. */
void tt_sim_release_address(struct tt_sim *sim, const char *account, const char *region,
                            const char *address);
void tt_sim_set_zone_state(struct tt_sim *sim, const char *account, const char *region,
                           const char *zone, enum tt_zone_state state);
/* At most LIMIT machines in the zone; -1: no limit. */
void tt_sim_set_capacity(struct tt_sim *sim, const char *account, const char *region,
                         const char *zone, int limit);
void tt_sim_set_reachable(struct tt_sim *sim, const char *account, const char *region,
                          bool reachable);
/* TT_SERVER_GONE: it vanishes at once, with its memberships. */
void tt_sim_set_server_state(struct tt_sim *sim, const char *account, const char *region,
                             const char *server, enum tt_server_state state);
void tt_sim_set_health(struct tt_sim *sim, const char *account, const char *region,
                       const char *server, enum tt_health health);
/* All marks of a machine become TAGS. */
void tt_sim_set_tags(struct tt_sim *sim, const char *account, const char *region,
                     const char *server, const struct tt_tags *tags);
/* The pool of a balancer machine is empty, as after a restart that forgot it. */
void tt_sim_forget_pool(struct tt_sim *sim, const char *account, const char *region,
                        const char *machine);
/* The agent scripts of a machine end with EXIT_CODE and change nothing (0: they work again);
 * 127: the image has none. */
void tt_sim_set_agent(struct tt_sim *sim, const char *account, const char *region,
                      const char *machine, int exit_code);

#endif
