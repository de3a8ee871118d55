/*
 * status: deployments, services, servers and balancers as they are.
 */
#include <string.h>

#include "base/str.h"
#include "model/json.h"
#include "reconciler/commands/commands.h"
#include "reconciler/planner/members.h"
#include "reconciler/planner/view.h"

struct counts {
    int running, healthy, pending, failed;
};

static struct counts count_machines(const struct tt_service_view *service)
{
    struct counts counts = {0};

    TT_EACH (machine, &service->machines) {
        counts.running += machine->server->state == TT_SERVER_RUNNING;
        counts.healthy += machine->healthy;
        counts.pending += machine->pending;
        counts.failed += machine->failed;
    }
    return counts;
}

static int count_serving(struct tt_session *session, const struct tt_service_view *service,
                         struct tt_balancer_view *balancer)
{
    struct tt_link link = tt_link_of(&session->arena, service, balancer);
    int serving = 0;

    TT_EACH (machine, &service->machines)
        serving += tt_link_serves(&link, machine);
    return serving;
}

/* The machine that serves: for status alone, the first healthy one with the fullest pool. */
static const struct tt_server *serving_machine(const struct tt_balancer_view *balancer)
{
    const struct tt_server *best = balancer->fixed;

    TT_EACH (machine, &balancer->machines)
        if (machine->healthy && !best)
            best = machine->server;
    return best;
}

/* Where clients reach the listeners: the ports that the machine says it listens at. */
static void print_listeners(const struct tt_balancer_view *balancer,
                            const struct tt_server *machine)
{
    const struct tt_pool *pool =
        balancer->region ? tt_region_pool(balancer->region, machine->id) : NULL;
    const struct tt_listeners *listeners =
        pool && pool->listeners ? pool->listeners : balancer->spec->listeners;
    const char *address = balancer->spec->address;

    if (!address)
        address = machine->public_address ? machine->public_address : machine->private_address;
    if (!listeners || !address)
        return;
    TT_EACH (listener, listeners)
        if (listener->bound_port >= 0)
            printf("    %s://%s:%d\n", tt_protocol_words[listener->protocol], address,
                   listener->bound_port ? listener->bound_port : listener->port);
        else
            printf("    %s port %d waits for a certificate\n",
                   tt_protocol_words[listener->protocol], listener->port);
}

static void print_balancer(const struct tt_balancer_view *balancer)
{
    const struct tt_server *machine = serving_machine(balancer);

    printf("  LoadBalancer %s", balancer->name);
    if (balancer->spec)
        printf(" (%s, %s)", tt_balancer_type_words[balancer->spec->type],
               tt_scope_words[balancer->spec->scope]);
    if (balancer->unseen)
        printf(": not observed");
    else if (balancer->cloud)
        printf(": %s, %zu members", balancer->cloud->id, balancer->cloud->members.count);
    else if (machine)
        printf(": %s, %s%s%s", machine->id, tt_server_state_words[machine->state],
               machine->private_address ? " at " : "",
               machine->private_address ? machine->private_address : "");
    else
        printf(": no machine");
    printf("\n");
    if (machine && balancer->spec)
        print_listeners(balancer, machine);
}

static void print_service(struct tt_session *session, const struct tt_service_view *service)
{
    struct counts counts = count_machines(service);

    printf("  Service %s%s: %d wanted, %d running, %d healthy", service->name,
           service->spec ? "" : " (left Git)", service->wanted, counts.running, counts.healthy);
    if (counts.pending)
        printf(", %d booting", counts.pending);
    if (counts.failed)
        printf(", %d failed", counts.failed);
    printf("\n");
    TT_EACH (balancer, &service->deployment->balancers)
        if (service->spec && (*balancer)->spec && !(*balancer)->unseen &&
            tt_service_is_behind(service->spec, (*balancer)->spec))
            printf("    %d in service behind %s\n", count_serving(session, service, *balancer),
                   (*balancer)->name);
    TT_EACH (machine, &service->machines)
        printf("    %-3d %-28s %-10s %-8s %-8s %s\n", machine->slot, machine->server->id,
               machine->server->zone ? machine->server->zone : "-",
               tt_server_state_words[machine->server->state],
               tt_health_words[machine->server->health],
               machine->server->private_address ? machine->server->private_address : "-");
}

static void print_text(struct tt_session *session, const struct tt_view *view)
{
    TT_EACH (deployment, &view->deployments) {
        printf("Deployment %s: %s\n", (*deployment)->name,
               !(*deployment)->spec     ? "left Git (orphan)"
               : (*deployment)->running ? "running"
                                        : "stopped");
        TT_EACH (balancer, &(*deployment)->balancers)
            print_balancer(*balancer);
        TT_EACH (service, &(*deployment)->services)
            print_service(session, *service);
    }
    TT_EACH (problem, &view->problems)
        printf("%s[%s] %s: %s\n", tt_severity_words[problem->severity], problem->code,
               problem->subject, problem->message);
}

static json_t *service_json(struct tt_session *session, const struct tt_service_view *service)
{
    struct counts counts = count_machines(service);
    json_t *object = json_object(), *serving = json_object(), *servers = json_array();

    json_object_set_new(object, "name", json_string(service->name));
    json_object_set_new(object, "orphan", json_boolean(!service->spec));
    json_object_set_new(object, "wanted", json_integer(service->wanted));
    json_object_set_new(object, "running", json_integer(counts.running));
    json_object_set_new(object, "healthy", json_integer(counts.healthy));
    TT_EACH (balancer, &service->deployment->balancers)
        if (service->spec && (*balancer)->spec && !(*balancer)->unseen &&
            tt_service_is_behind(service->spec, (*balancer)->spec))
            json_object_set_new(serving, (*balancer)->name,
                                json_integer(count_serving(session, service, *balancer)));
    TT_EACH (machine, &service->machines) {
        json_t *server = json_object();

        json_object_set_new(server, "id", json_string(machine->server->id));
        json_object_set_new(server, "slot",
                            machine->slot < 0 ? json_null() : json_integer(machine->slot));
        json_object_set_new(server, "zone", tt_json_from_string(machine->server->zone));
        json_object_set_new(server, "state",
                            json_string(tt_server_state_words[machine->server->state]));
        json_object_set_new(server, "health",
                            json_string(tt_health_words[machine->server->health]));
        json_object_set_new(server, "address",
                            tt_json_from_string(machine->server->private_address));
        json_array_append_new(servers, server);
    }
    json_object_set_new(object, "serving", serving);
    json_object_set_new(object, "servers", servers);
    return object;
}

static json_t *balancer_json(const struct tt_balancer_view *balancer)
{
    const struct tt_server *machine = serving_machine(balancer);
    json_t *object = json_object();

    json_object_set_new(object, "name", json_string(balancer->name));
    json_object_set_new(
        object, "type",
        tt_json_from_string(balancer->spec ? tt_balancer_type_words[balancer->spec->type] : NULL));
    json_object_set_new(object, "machine", tt_json_from_string(machine ? machine->id : NULL));
    json_object_set_new(
        object, "state",
        tt_json_from_string(machine ? tt_server_state_words[machine->state] : NULL));
    json_object_set_new(object, "address",
                        tt_json_from_string(machine ? machine->private_address : NULL));
    json_object_set_new(object, "listeners",
                        tt_json_from_listeners(balancer->spec ? balancer->spec->listeners : NULL));
    return object;
}

static void print_json(struct tt_session *session, const struct tt_view *view)
{
    json_t *root = json_object(), *deployments = json_array();

    TT_EACH (deployment, &view->deployments) {
        json_t *object = json_object(), *services = json_array(), *balancers = json_array();

        TT_EACH (balancer, &(*deployment)->balancers)
            json_array_append_new(balancers, balancer_json(*balancer));
        TT_EACH (service, &(*deployment)->services)
            json_array_append_new(services, service_json(session, *service));
        json_object_set_new(object, "name", json_string((*deployment)->name));
        json_object_set_new(object, "orphan", json_boolean(!(*deployment)->spec));
        json_object_set_new(object, "state",
                            json_string((*deployment)->running ? "running" : "stopped"));
        json_object_set_new(object, "balancers", balancers);
        json_object_set_new(object, "services", services);
        json_array_append_new(deployments, object);
    }
    json_object_set_new(root, "format", json_string("trimtab.status/v1"));
    json_object_set_new(root, "revision", json_string(session->desired->revision));
    json_object_set_new(root, "deployments", deployments);
    fputs(tt_json_text(&session->arena, root), stdout);
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
    }
    view = tt_view_new(&session->arena, session->desired, session->world, &session->memory,
                       tt_session_now(session), &options);
    TT_EACH (deployment, &view->deployments)
        TT_EACH (balancer, &(*deployment)->balancers)
            (*balancer)->serving = (*balancer)->target = serving_machine(*balancer);
    if (session->options.json)
        print_json(session, view);
    else
        print_text(session, view);
    return 0;
}
