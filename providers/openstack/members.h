/*
 * Members: making the pools of a balancer what those who wait for them wish.
 */
#ifndef TT_OPENSTACK_MEMBERS_H
#define TT_OPENSTACK_MEMBERS_H

#include "providers/openstack/turn.h"

/* Fulfils all WISHES (a list by `next`) in every pool of BALANCER (its name or id). It is the
 * caller's turn. */
int tt_openstack_fulfil(const struct tt_openstack_visit *visit, const char *balancer,
                        const struct tt_openstack_wish *wishes, struct tt_error *err);

#endif
