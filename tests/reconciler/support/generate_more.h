/*
 * Generate more: what makes a generated case harder, drawn for each thing by its name, so that
 * leaving out one server while shrinking changes nothing for the others.
 */
#ifndef TT_TESTS_GENERATE_MORE_H
#define TT_TESTS_GENERATE_MORE_H

#include "laws.h"

/* A number under SIDES that only SEED, WHAT and NAME decide. */
unsigned tt_draw(uint64_t seed, const char *what, const char *name, unsigned sides);

/* Private addresses that repeat from region to region and are used again after a machine is gone,
 * guards, memory of earlier runs, templates that a region does not list, firewalls, user data,
 * health checks, listeners, and a second deployment and one that left Git. */
void tt_generate_more(struct tt_arena *arena, uint64_t seed, struct tt_case *what);

#endif
