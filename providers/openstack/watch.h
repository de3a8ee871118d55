/*
 * Watch: one list that many threads wait by. However many wait, it is asked for once in a while,
 * by one of them.
 */
#ifndef TT_OPENSTACK_WATCH_H
#define TT_OPENSTACK_WATCH_H

#include <jansson.h>
#include <pthread.h>
#include <stdbool.h>

#include "base/clock.h"
#include "base/error.h"

struct tt_openstack_watch {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned long begun, ended; /* rounds */
    bool asking;                /* somebody goes round */
    json_t *items;              /* of the last round; NULL: it failed */
    struct tt_error error;
};

void tt_openstack_watch_init(struct tt_openstack_watch *watch);
void tt_openstack_watch_release(struct tt_openstack_watch *watch);

/* The list as it is a pause from now or later; the caller owns it. FETCH asks for it. */
int tt_openstack_look(struct tt_openstack_watch *watch, const struct tt_clock *clock,
                      int (*fetch)(const void *self, json_t **ret_items, struct tt_error *err),
                      const void *self, json_t **ret_items, struct tt_error *err);

#endif
