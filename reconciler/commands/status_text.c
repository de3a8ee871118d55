/*
 * Status for people.
 */
#include "base/str.h"
#include "reconciler/commands/status.h"

static const char *or_dash(const char *text)
{
    return text ? text : "-";
}

static void print_listeners(FILE *out, const struct tt_view *view,
                            const struct tt_balancer_view *balancer)
{
    const struct tt_listeners *listeners = tt_status_listeners(balancer);
    const char *url;

    if (!listeners)
        return;
    TT_EACH (listener, listeners) {
        url = tt_status_url(view, balancer, listener);
        if (url)
            fprintf(out, "    %s\n", url);
        else if (listener->bound_port < 0)
            fprintf(out, "    %s port %d waits for a certificate\n",
                    tt_protocol_words[listener->protocol], listener->port);
        else
            fprintf(out, "    %s port %d\n", tt_protocol_words[listener->protocol], listener->port);
    }
}

static void print_machine(FILE *out, const struct tt_server *machine, const char *what)
{
    const char *address =
        machine->public_address ? machine->public_address : machine->private_address;

    fprintf(out, "    machine %s, %s", machine->id, tt_server_state_words[machine->state]);
    if (machine->state == TT_SERVER_RUNNING && machine->health != TT_HEALTH_UNKNOWN)
        fprintf(out, ", %s", tt_health_words[machine->health]);
    fprintf(out, ", at %s%s\n", or_dash(address), what);
}

static void print_machines(FILE *out, const struct tt_balancer_view *balancer)
{
    bool several = balancer->machines.count > 1;

    TT_EACH (machine, &balancer->machines)
        print_machine(out, machine->server,
                      several && machine->server == balancer->serving ? " (serves)" : "");
    if (balancer->fixed)
        print_machine(out, balancer->fixed, "");
    if (balancer->spec && balancer->spec->type != TT_BALANCER_CLOUD && !balancer->unseen &&
        !balancer->fixed && !balancer->machines.count)
        fprintf(out, "    no machine\n");
}

static void print_balancer(FILE *out, const struct tt_view *view,
                           const struct tt_balancer_view *balancer)
{
    fprintf(out, "  LoadBalancer %s", balancer->name);
    if (balancer->spec)
        fprintf(out, " (%s, %s)%s", tt_balancer_type_words[balancer->spec->type],
                tt_scope_words[balancer->spec->scope], balancer->unseen ? ": not observed" : "");
    else
        fprintf(out, " (left Git)");
    fprintf(out, "\n");
    if (balancer->cloud)
        fprintf(out, "    %s, zones %s, %zu %s\n", balancer->cloud->id,
                balancer->cloud->zones ? tt_strings_join(view->arena, balancer->cloud->zones, "-")
                                       : "-",
                balancer->cloud->members.count,
                balancer->cloud->members.count == 1 ? "member" : "members");
    print_machines(out, balancer);
    if (!balancer->unseen)
        print_listeners(out, view, balancer);
}

static void print_server(FILE *out, const struct tt_machine *machine)
{
    const struct tt_server *server = machine->server;
    char slot[16] = "-";

    if (machine->slot >= 0)
        snprintf(slot, sizeof(slot), "%d", machine->slot);
    fprintf(out, "    %-3s %-20s %-12s %-8s %-8s %s%s\n", slot, server->id, or_dash(server->zone),
            tt_server_state_words[server->state], tt_health_words[server->health],
            or_dash(server->private_address), machine->pending ? " (boots)" : "");
}

static void print_service(FILE *out, const struct tt_view *view,
                          const struct tt_service_view *service)
{
    struct tt_status_counts counts = tt_status_count(service);

    fprintf(out, "  Service %s%s: %d wanted, %d running, %d healthy", service->name,
            service->spec ? "" : " (left Git)", service->wanted, counts.running, counts.healthy);
    if (counts.pending)
        fprintf(out, ", %d booting", counts.pending);
    if (counts.failed)
        fprintf(out, ", %d failed", counts.failed);
    fprintf(out, "\n");
    TT_EACH (balancer, &service->deployment->balancers) {
        int serving = tt_status_serving(view, service, *balancer);

        if (serving >= 0)
            fprintf(out, "    %d in service behind %s\n", serving, (*balancer)->name);
    }
    TT_EACH (machine, &service->machines)
        print_server(out, machine);
}

void tt_status_text(FILE *out, const struct tt_view *view)
{
    TT_EACH (item, &view->deployments) {
        const struct tt_deployment_view *deployment = *item;

        fprintf(out, "Deployment %s: %s\n", deployment->name,
                !deployment->spec     ? "left Git (orphan)"
                : deployment->running ? "running"
                                      : "stopped");
        TT_EACH (balancer, &deployment->balancers)
            print_balancer(out, view, *balancer);
        TT_EACH (service, &deployment->services)
            print_service(out, view, *service);
    }
    if (!view->deployments.count)
        fprintf(out, "There is no deployment, neither in Git nor in the clouds.\n");
    TT_EACH (problem, &view->problems)
        fprintf(out, "%s[%s] %s: %s\n", tt_severity_words[problem->severity], problem->code,
                problem->subject, problem->message);
}
