/*
 * Digest: whether two commits ask for the same of a deployment.
 */
#ifndef TT_MODEL_DIGEST_H
#define TT_MODEL_DIGEST_H

#include "model/desired.h"

/* A hash of all that DEPLOYMENT depends on: its services and balancers, the accounts that they
 * name, its policy, the fleet's defaults. Where in a file it stands is left out, so that a change
 * of a neighbour's lines touches nobody. */
const char *tt_deployment_digest(struct tt_arena *arena, const struct tt_desired *desired,
                                 struct tt_deployment *deployment);

/* True when a service or a balancer of DEPLOYMENT is in ACCOUNT. */
bool tt_deployment_uses(const struct tt_deployment *deployment, const struct tt_account *account);

#endif
