/*
 * Observe: from the open clouds to a world.
 *
 * Every region of every account is asked for at the same time; then each balancer machine is asked
 * for its pool (listProxy), and the services' and balancers' health checks are made: a server that
 * answers is `passing`; one that fails `unhealthyAfter` times in a row at its `interval` is
 * `failing`, or still `pending` within its grace after creation. All of it in shared rounds: the
 * time is that of the slowest check, not the sum. What a run before found failing a moment ago
 * (memory) fails at its next failure.
 */
#ifndef TT_RECONCILER_OBSERVE_H
#define TT_RECONCILER_OBSERVE_H

#include "model/memory.h"
#include "model/world.h"
#include "reconciler/clouds.h"

struct tt_observe_options {
    /* NULL, or a list with NULL at its end: what these name is looked at, too; other commits */
    struct tt_desired *const *also;
    bool everything;   /* foreign machines and templates, too (observe, offers) */
    bool skip_health;  /* leave health unknown: for a quick look */
    bool single_probe; /* one probe a server: failing ones stay `unknown` (waits of apply) */
    /* NULL: all; else only these accounts' regions are asked, the rest is left out */
    const struct tt_strings *only_accounts;
    /* NULL: all; else only the machines with these ids are probed and asked for their pools */
    const struct tt_strings *only_machines;
    /* NULL, or what vm-static machines were told: they are looked at though no spec names them */
    const tt_lent_members *lent;
    /* NULL, or what earlier runs saw fail: their failures count as the first in a row */
    const tt_failing_ports *remembered;
    /* NULL, or gets what fails now, and what was remembered and passes; lives with the world */
    tt_failing_ports *ret_failing;
};

/* Never fails as a whole: what could not be seen is an unreachable region with its reason. The
 * world is sorted. */
struct tt_world *tt_observe(struct tt_arena *arena, const struct tt_clouds *clouds,
                            const struct tt_desired *desired, const struct tt_clock *clock,
                            const struct tt_observe_options *options);

#endif
