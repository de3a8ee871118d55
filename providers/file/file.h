/*
 * File: an account whose world is a snapshot (format trimtab.world/v1) in the repository or on this
 * host. It can be observed and never changed; what its cloud could do is what the snapshot's
 * `capabilities` say.
 */
#ifndef TT_PROVIDERS_FILE_FILE_H
#define TT_PROVIDERS_FILE_FILE_H

#include "providers/provider.h"

const struct tt_provider_ops *tt_file_ops(void);

#endif
