/*
 * Hunt: the generated case of a seed, held to every law.
 */
#ifndef TT_TESTS_HUNT_H
#define TT_TESTS_HUNT_H

#include <stdbool.h>
#include <stdint.h>

/* True when the case of SEED keeps every law. */
bool tt_hunt_holds(uint64_t seed);

/* Leaves out of the case of SEED, which fails, whatever is not needed for that, and prints to
 * standard error the law that is broken, what is desired, the world and the plan. */
void tt_hunt_report(uint64_t seed);

#endif
