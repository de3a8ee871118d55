/*
 * Servers: what power.c needs of servers.c.
 */
#ifndef TT_OPENSTACK_SERVERS_H
#define TT_OPENSTACK_SERVERS_H

#include "providers/openstack/cloud.h"

/* 1: the server is there and ours; 0: it is gone; -1: neither can be said, or it is another's. */
int tt_openstack_find_own(const struct tt_openstack_visit *visit, const char *id,
                          json_t **ret_machine, struct tt_error *err);

/* One that is gone is success. */
int tt_openstack_delete_machine(const struct tt_openstack_visit *visit, const char *id,
                                struct tt_error *err);

#endif
