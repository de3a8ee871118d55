/*
 * Limits: a plan that calls limits too tight must be right.
 */
#include "limits_law.h"

#include <string.h>

#include "base/str.h"
#include "bounds.h"
#include "playground.h"
#include "serving.h"

static bool is_floor_of(const struct tt_floor *floor, const struct tt_service *service)
{
    return tt_streq(floor->service, service->name) &&
           tt_streq(floor->deployment, service->deployment->name);
}

/* True when some balancer has too few members the moment SERVER goes. */
static bool is_missed(struct tt_playground *p, const struct tt_service *service,
                      struct tt_server *server)
{
    enum tt_server_state state = server->state;
    bool missed = false;

    TT_EACH (floor, &p->plan->floors) {
        const struct tt_balancer *balancer = tt_floor_balancer(p, floor);
        const char *machine = NULL;

        if (!is_floor_of(floor, service))
            continue;
        if (balancer->type != TT_BALANCER_CLOUD)
            machine = tt_serving_machine(p, balancer, NULL);
        server->state = TT_SERVER_GONE;
        missed |=
            tt_serving_count(p, floor, machine) < tt_bounds_members(service, balancer, floor->now);
        server->state = state;
    }
    return missed;
}

static int check(struct tt_playground *p, const struct tt_service *service, const char *message,
                 struct tt_error *err)
{
    int most = tt_bounds_machines(service, 0), machines = 0, named = 0;

    TT_EACH (step, &p->plan->steps)
        if (tt_streq(step->subject.name, service->name) &&
            tt_streq(step->subject.deployment, service->deployment->name))
            return tt_fail(err, TT_ERR_INTERNAL, "limits: %s is stuck and has steps",
                           service->name);
    TT_EACH (account, &p->world.accounts)
        TT_EACH (region, &account->regions)
            TT_EACH (server, &region->servers) {
                if (!tt_playground_is_of(p, service, server))
                    continue;
                machines++;
                if (!strstr(message, server->id))
                    continue;
                named++;
                if (!is_missed(p, service, server))
                    return tt_fail(err, TT_ERR_INTERNAL, "limits: nobody would miss %s",
                                   server->id);
            }
    if (machines < most || !named)
        return tt_fail(err, TT_ERR_INTERNAL, "limits: %s has %d machines and may have %d: %s",
                       service->name, machines, most, message);
    return 0;
}

int tt_limits_law_check(struct tt_arena *arena, const struct tt_case *what,
                        const struct tt_plan *plan, struct tt_error *err)
{
    struct tt_playground ground = {0};

    tt_playground_init(&ground, arena, what->desired, what->world, plan);
    TT_EACH (problem, &plan->problems)
        TT_EACH (deployment, &what->desired->deployments)
            TT_EACH (service, &(*deployment)->services) {
                const char *subject =
                    tt_printf(arena, "Service/%s/%s", (*deployment)->name, (*service)->name);

                if (strcmp(problem->code, "limits-too-tight") == 0 &&
                    tt_streq(problem->subject, subject) &&
                    check(&ground, *service, problem->message, err) < 0)
                    return -1;
            }
    return 0;
}
