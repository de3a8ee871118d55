/*
 * Turn: whose turn it is to change a balancer. Octavia takes one change of a balancer at a time
 * and refuses all others meanwhile. So one thread changes, the others wait; what they want of the
 * members is gathered, and who comes next takes all of it along in one call for each pool.
 */
#ifndef TT_OPENSTACK_TURN_H
#define TT_OPENSTACK_TURN_H

#include "providers/openstack/cloud.h"

#define TT_OPENSTACK_REMOVE (-1)

/* What is to become of one server in all pools of a balancer. */
struct tt_openstack_wish {
    const char *server;         /* its id */
    const char *name;           /* NULL: unknown */
    const struct tt_tags *tags; /* of the server, as it joins; NULL: none */
    const char *address; /* NULL: unknown, then only an entry that tells its server is found */
    const char *subnet;  /* NULL: unknown */
    int port;            /* 0: the listener's own */
    int weight;          /* 0: no new connections; TT_OPENSTACK_REMOVE */
    /* what came of it */
    bool done;
    int result;
    struct tt_error error;
    struct tt_openstack_wish *next;
};

/* Fulfils WISH, perhaps with those of others. Errors: NOT_FOUND (the balancer), CONFLICT (it stays
 * busy or is broken). */
int tt_openstack_change_member(const struct tt_openstack_visit *visit, const char *balancer,
                               struct tt_openstack_wish *wish, struct tt_error *err);

/* Does WORK while nobody else of us does anything under that NAME: a balancer's, an incarnation's.
 */
int tt_openstack_alone(const struct tt_openstack_visit *visit, const char *name,
                       int (*work)(const struct tt_openstack_visit *visit, void *self,
                                   struct tt_error *err),
                       void *self, struct tt_error *err);

/* Waits until the balancer ID takes changes. Errors: CONFLICT (not within a minute; in ERROR). */
int tt_openstack_wait_active(const struct tt_openstack_visit *visit, const char *id,
                             struct tt_error *err);

/* Until when a change is made again that another's came between. */
tt_time tt_openstack_deadline(const struct tt_openstack_visit *visit);

/* One try to change the balancer ID, and its end. 1: another's change was under way, and is over.
 */
int tt_openstack_try_change(const struct tt_openstack_visit *visit, const char *id,
                            const struct tt_openstack_request *request, tt_time deadline,
                            json_t **ret_answer, struct tt_error *err);

/* One change of the balancer ID: waits until it can be made, makes it, and waits for its end.
 * REQUEST is made again where another's change came between. */
int tt_openstack_change(const struct tt_openstack_visit *visit, const char *id,
                        const struct tt_openstack_request *request, json_t **ret_answer,
                        struct tt_error *err);

#endif
