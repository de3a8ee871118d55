/*
 * status: deployments, services, servers and balancers as they are.
 */
#include "reconciler/commands/status.h"

#include "base/str.h"
#include "model/json.h"
#include "reconciler/commands/commands.h"
#include "reconciler/planner/balance.h"
#include "reconciler/planner/members.h"

struct tt_status_counts tt_status_count(const struct tt_service_view *service)
{
    struct tt_status_counts counts = {0};

    TT_EACH (machine, &service->machines) {
        counts.running += machine->server->state == TT_SERVER_RUNNING;
        counts.healthy += machine->healthy;
        counts.pending += machine->pending;
        counts.failed += machine->failed;
    }
    return counts;
}

int tt_status_serving(const struct tt_view *view, const struct tt_service_view *service,
                      struct tt_balancer_view *balancer)
{
    struct tt_link link;
    int serving = 0;

    if (!service->spec || !balancer->spec || balancer->unseen ||
        !tt_service_is_behind(service->spec, balancer->spec))
        return -1;
    TT_EACH (machine, &balancer->machines)
        if (machine->server == balancer->serving && machine->failed)
            return 0; /* nobody is served through a machine that is down */
    link = tt_link_of(view->arena, service, balancer);
    TT_EACH (machine, &service->machines)
        serving += tt_link_serves(&link, machine);
    return serving;
}

const struct tt_server *tt_status_machine(const struct tt_balancer_view *balancer)
{
    if (balancer->serving)
        return balancer->serving;
    if (balancer->target)
        return balancer->target;
    if (balancer->machines.count)
        return balancer->machines.items[0].server;
    return balancer->fixed;
}

const struct tt_listeners *tt_status_listeners(const struct tt_balancer_view *balancer)
{
    const struct tt_server *machine = tt_status_machine(balancer);
    const struct tt_pool *pool =
        balancer->region && machine ? tt_region_pool(balancer->region, machine->id) : NULL;

    if (pool && pool->listeners)
        return pool->listeners;
    if (balancer->cloud && balancer->cloud->listeners)
        return balancer->cloud->listeners;
    return balancer->spec ? balancer->spec->listeners : NULL;
}

const char *tt_status_url(const struct tt_view *view, const struct tt_balancer_view *balancer,
                          const struct tt_listener *listener)
{
    const struct tt_server *machine = tt_status_machine(balancer);
    const char *address = balancer->spec ? balancer->spec->address : NULL;

    if (!machine || machine->state != TT_SERVER_RUNNING || listener->bound_port < 0)
        return NULL;
    if (!address)
        address = machine->public_address ? machine->public_address : machine->private_address;
    if (!address)
        return NULL;
    return tt_printf(view->arena, "%s://%s:%d", tt_protocol_words[listener->protocol], address,
                     listener->bound_port ? listener->bound_port : listener->port);
}

int tt_cmd_status(struct tt_session *session)
{
    struct tt_plan_options options = {0};
    struct tt_view *view;

    if (!tt_session_require_specs(session))
        return 1;
    if (!session->options.world) {
        tt_session_open_clouds(session, true);
        tt_session_observe(session, &(struct tt_observe_options){0});
        tt_session_remember(session);
    }
    view = tt_view_new(&session->arena, session->desired, session->world, &session->memory,
                       tt_session_now(session), &options);
    tt_balance(view);
    if (session->options.json)
        fputs(tt_json_text(&session->arena, tt_status_json(view)), stdout);
    else
        tt_status_text(stdout, view);
    return 0;
}
