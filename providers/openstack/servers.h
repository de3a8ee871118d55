/*
 * Servers: what power.c needs of servers.c.
 */
#ifndef TT_OPENSTACK_SERVERS_H
#define TT_OPENSTACK_SERVERS_H

#include "providers/openstack/cloud.h"

/* One that is gone is success. */
int tt_openstack_delete_machine(const struct tt_openstack_visit *visit, const char *id,
                                struct tt_error *err);

#endif
