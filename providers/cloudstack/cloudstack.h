/*
 * CloudStack: machines of a zone, and the balancing rules of its virtual router.
 *
 * A zone of CloudStack is a region here; it has one zone, of the same name. A cloud balancer is a
 * public address with all its balancing rules. Source of all facts: the API reference of Apache
 * CloudStack 4.18 (https://cloudstack.apache.org/api/apidocs-4.18/).
 */
#ifndef TT_CLOUDSTACK_CLOUDSTACK_H
#define TT_CLOUDSTACK_CLOUDSTACK_H

#include "providers/provider.h"

const struct tt_provider_ops *tt_cloudstack_ops(void);

#endif
