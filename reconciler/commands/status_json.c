/*
 * Status as JSON: format trimtab.status/v1.
 */
#include "model/json.h"
#include "reconciler/commands/events.h"
#include "reconciler/commands/status.h"

static json_t *server_json(const struct tt_server *server, int slot)
{
    json_t *object = json_object();

    json_object_set_new(object, "id", json_string(server->id));
    json_object_set_new(object, "slot", slot < 0 ? json_null() : json_integer(slot));
    json_object_set_new(object, "zone", tt_json_from_string(server->zone));
    json_object_set_new(object, "state", json_string(tt_server_state_words[server->state]));
    json_object_set_new(object, "health", json_string(tt_health_words[server->health]));
    json_object_set_new(object, "address", tt_json_from_string(server->private_address));
    json_object_set_new(object, "publicAddress", tt_json_from_string(server->public_address));
    return object;
}

static json_t *service_json(const struct tt_view *view, const struct tt_service_view *service)
{
    struct tt_status_counts counts = tt_status_count(service);
    json_t *object = json_object(), *serving = json_object(), *servers = json_array();

    TT_EACH (balancer, &service->deployment->balancers) {
        int number = tt_status_serving(view, service, *balancer);

        if (number >= 0)
            json_object_set_new(serving, (*balancer)->name, json_integer(number));
    }
    TT_EACH (machine, &service->machines)
        json_array_append_new(servers, server_json(machine->server, machine->slot));
    json_object_set_new(object, "name", json_string(service->name));
    json_object_set_new(object, "orphan", json_boolean(!service->spec));
    json_object_set_new(object, "wanted", json_integer(service->wanted));
    json_object_set_new(object, "running", json_integer(counts.running));
    json_object_set_new(object, "healthy", json_integer(counts.healthy));
    json_object_set_new(object, "pending", json_integer(counts.pending));
    json_object_set_new(object, "failed", json_integer(counts.failed));
    json_object_set_new(object, "serving", serving);
    json_object_set_new(object, "servers", servers);
    return object;
}

static json_t *urls_json(const struct tt_view *view, const struct tt_balancer_view *balancer)
{
    const struct tt_listeners *listeners = tt_status_listeners(balancer);
    json_t *urls = json_array();

    if (listeners)
        TT_EACH (listener, listeners) {
            const char *url = tt_status_url(view, balancer, listener);

            if (url)
                json_array_append_new(urls, json_string(url));
        }
    return urls;
}

static json_t *balancer_json(const struct tt_view *view, const struct tt_balancer_view *balancer)
{
    const struct tt_server *machine = tt_status_machine(balancer);
    const struct tt_balancer *spec = balancer->spec;
    json_t *object = json_object(), *machines = json_array();

    TT_EACH (each, &balancer->machines)
        json_array_append_new(machines, server_json(each->server, -1));
    if (balancer->fixed)
        json_array_append_new(machines, server_json(balancer->fixed, -1));
    json_object_set_new(object, "name", json_string(balancer->name));
    json_object_set_new(object, "orphan", json_boolean(!spec));
    json_object_set_new(object, "type",
                        tt_json_from_string(spec ? tt_balancer_type_words[spec->type] : NULL));
    json_object_set_new(object, "scope",
                        tt_json_from_string(spec ? tt_scope_words[spec->scope] : NULL));
    json_object_set_new(object, "observed", json_boolean(!balancer->unseen));
    json_object_set_new(object, "cloud",
                        tt_json_from_string(balancer->cloud ? balancer->cloud->id : NULL));
    json_object_set_new(object, "zones",
                        tt_json_from_strings(balancer->cloud ? balancer->cloud->zones : NULL));
    json_object_set_new(object, "machine", tt_json_from_string(machine ? machine->id : NULL));
    json_object_set_new(
        object, "state",
        tt_json_from_string(machine ? tt_server_state_words[machine->state] : NULL));
    json_object_set_new(object, "address",
                        tt_json_from_string(machine ? machine->private_address : NULL));
    json_object_set_new(object, "machines", machines);
    json_object_set_new(object, "listeners", tt_json_from_listeners(tt_status_listeners(balancer)));
    json_object_set_new(object, "urls", urls_json(view, balancer));
    return object;
}

static json_t *deployment_json(const struct tt_view *view,
                               const struct tt_deployment_view *deployment)
{
    json_t *object = json_object(), *services = json_array(), *balancers = json_array();

    TT_EACH (balancer, &deployment->balancers)
        json_array_append_new(balancers, balancer_json(view, *balancer));
    TT_EACH (service, &deployment->services)
        json_array_append_new(services, service_json(view, *service));
    json_object_set_new(object, "name", json_string(deployment->name));
    json_object_set_new(object, "orphan", json_boolean(!deployment->spec));
    json_object_set_new(object, "state", json_string(deployment->running ? "running" : "stopped"));
    json_object_set_new(object, "balancers", balancers);
    json_object_set_new(object, "services", services);
    return object;
}

json_t *tt_status_json(const struct tt_view *view)
{
    json_t *root = json_object(), *deployments = json_array(), *problems = json_array();

    TT_EACH (deployment, &view->deployments)
        json_array_append_new(deployments, deployment_json(view, *deployment));
    TT_EACH (problem, &view->problems)
        json_array_append_new(problems, tt_event_problem(problem));
    json_object_set_new(root, "format", json_string("trimtab.status/v1"));
    json_object_set_new(root, "revision", json_string(view->desired->revision));
    json_object_set_new(root, "deployments", deployments);
    json_object_set_new(root, "problems", problems);
    return root;
}
