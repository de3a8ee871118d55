/*
 * Endpoints: where AWS's services are.
 */
#ifndef TT_PROVIDERS_AWS_ENDPOINT_H
#define TT_PROVIDERS_AWS_ENDPOINT_H

#include "base/arena.h"

/* Where SERVICE of REGION is; ENDPOINT, when it is given, is for all. */
char *tt_aws_url(struct tt_arena *arena, const char *endpoint, const char *service,
                 const char *region);

#endif
