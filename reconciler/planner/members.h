/*
 * Members: who is enrolled where. Looks a machine up in a cloud balancer's members or in the pool
 * of a balancer's machine.
 */
#ifndef TT_PLANNER_MEMBERS_H
#define TT_PLANNER_MEMBERS_H

#include "reconciler/planner/view.h"

/* The entries of one balancer for one reader: a cloud balancer's members, or a machine's pool.
 * Empty when there is neither. */
struct tt_roster {
    const struct tt_cloud_balancer *cloud;
    const struct tt_pool *pool;
};

/* The roster of BALANCER: its cloud members, or the pool of MACHINE (NULL: none). */
struct tt_roster tt_roster_of(const struct tt_balancer_view *balancer,
                              const struct tt_server *machine);

size_t tt_roster_count(const struct tt_roster *roster);

/* The index of MACHINE's entry as a member of SERVICE ("DEPLOYMENT.SERVICE" and PORT for a pool),
 * or -1. ADDRESS: where the pool reaches it. */
int tt_roster_find(const struct tt_roster *roster, const struct tt_server *machine,
                   const char *service, const char *address, int port);

/* True when POOL has an entry of SERVICE at ADDRESS, whatever its port. */
bool tt_pool_reaches(const struct tt_pool *pool, const char *service, const char *address);

enum tt_member_state tt_roster_state(const struct tt_roster *roster, int entry);

/* The address at which BALANCER reaches MACHINE: its private one within the balancer's account and
 * region, else its public one; NULL: unknown. */
const char *tt_member_address(const struct tt_balancer_view *balancer,
                              const struct tt_machine *machine);

/* "storefront.web" */
char *tt_pool_service(struct tt_arena *arena, const struct tt_service_view *service);

/* A service and one balancer that it is behind. */
struct tt_link {
    struct tt_balancer_view *balancer;
    const struct tt_service_view *service;
    const char *pool_service;
    struct tt_roster target;  /* of the machine that is to serve; empty when it is yet to be made */
    struct tt_roster serving; /* of the machine that serves now */
    bool usable;              /* steps may go through the balancer */
};

struct tt_link tt_link_of(struct tt_arena *arena, const struct tt_service_view *service,
                          struct tt_balancer_view *balancer);

/* True when the balancer covers MACHINE and sends something to its zone: a data-center balancer
 * sends nothing to a zone that it does not balance to. */
bool tt_link_takes(const struct tt_link *link, const struct tt_machine *machine);

/* The index of MACHINE's entry at the target, or -1. */
int tt_link_entry(const struct tt_link *link, const struct tt_machine *machine);

/* True when MACHINE has an entry in service at the machine that serves now, healthy or not. */
bool tt_link_enrolled(const struct tt_link *link, const struct tt_machine *machine);

/* True when MACHINE is healthy and in service through the machine that serves now. */
bool tt_link_serves(const struct tt_link *link, const struct tt_machine *machine);

/* True when MACHINE serves now and will not at the target: it is enrolled there, too, but not in
 * service. (What is missing there is enrolled before the switch.) */
bool tt_link_is_lost(const struct tt_link *link, const struct tt_machine *machine);

#endif
