/*
 * Check: the rules of the spec language that no single value can break: scopes, zones, regions,
 * what a provider has, what is tied to what. Reads what resolve.c made and reports; changes
 * nothing.
 */
#ifndef TT_SPECS_CHECK_H
#define TT_SPECS_CHECK_H

#include "specs/resolve.h"

void tt_specs_check(struct tt_specs *specs);

/* Its parts, for one document each. */
void tt_check_account(struct tt_specs *specs, const struct tt_document *document);
void tt_check_balancer(struct tt_specs *specs, const struct tt_document *document);
void tt_check_service(struct tt_specs *specs, const struct tt_document *document);

/* What two balancers cannot share. */
void tt_check_shared(struct tt_specs *specs);

/* Cycles of dependsOn in one deployment. */
void tt_check_cycles(struct tt_specs *specs, const struct tt_document *deployment);

/* A health check is either http or tcp. */
void tt_check_health(struct tt_specs *specs, const struct tt_document *document,
                     const struct tt_doc_health *health);

/* The second of two equal texts in a list of WHAT. */
void tt_check_twice(struct tt_specs *specs, const struct tt_document *document,
                    const struct tt_scalars *list, const char *what);

#endif
