/*
 * OpenStack: the provider `openstack`. Machines are Nova's servers, cloud balancers Octavia's,
 * elastic addresses Neutron's floating ones; docs/openstack.md tells the whole of it.
 */
#ifndef TT_OPENSTACK_H
#define TT_OPENSTACK_H

#include "providers/provider.h"

const struct tt_provider_ops *tt_openstack_ops(void);

#endif
