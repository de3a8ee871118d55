/*
 * SSH: an account of machines that no cloud API manages. They are named by their addresses, reached
 * by SSH, and never made, deleted or restarted: LoadBalancers of type vm-static use them.
 */
#ifndef TT_PROVIDERS_SSH_PROVIDER_H
#define TT_PROVIDERS_SSH_PROVIDER_H

#include "providers/provider.h"

const struct tt_provider_ops *tt_ssh_ops(void);

#endif
