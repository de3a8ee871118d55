/*
 * Playground: a copy of a world in which steps of a plan are carried out, as a perfect cloud would.
 * Written from the design alone; it knows nothing of the planner.
 */
#ifndef TT_TESTS_PLAYGROUND_H
#define TT_TESTS_PLAYGROUND_H

#include "model/desired.h"
#include "model/memory.h"
#include "model/plan.h"
#include "model/world.h"

struct tt_playground {
    struct tt_arena *arena;
    const struct tt_desired *desired;
    const struct tt_plan *plan;
    struct tt_world world;
    const char **made;              /* by step: the id of the machine that a create made */
    const struct tt_memory *memory; /* NULL: none */
    int run; /* which run in a row this is, from 0: so that ids and addresses differ */
};

void tt_playground_init(struct tt_playground *p, struct tt_arena *arena,
                        const struct tt_desired *desired, const struct tt_world *world,
                        const struct tt_plan *plan);

/* Carries out one step. */
void tt_playground_step(struct tt_playground *p, int step);

/* What happens without us in the end: what boots is up, and members whose server is healthy, and
 * whose zone the balancer has, are in service. */
void tt_playground_settle(struct tt_playground *p);

/* Lookups in the world as it is now. */
struct tt_region *tt_playground_region(struct tt_playground *p, const char *account,
                                       const char *region);
struct tt_server *tt_playground_server(struct tt_region *region, const char *id);

/* The machines of a vm-dynamic balancer that exist, or the machine of a vm-static one. */
size_t tt_playground_machines(struct tt_playground *p, const struct tt_balancer *balancer,
                              struct tt_server **ret, struct tt_region **ret_regions, size_t most);

/* True when SERVER is a machine of SERVICE that exists. */
bool tt_playground_is_of(const struct tt_playground *p, const struct tt_service *service,
                         const struct tt_server *server);

struct tt_pool *tt_playground_pool(struct tt_region *region, const char *machine);

#endif
