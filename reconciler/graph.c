/*
 * Graph: collecting the nodes and edges of a fleet and of a plan.
 */
#include "reconciler/graph.h"

#include <string.h>

struct drawing {
    struct tt_arena *arena;
    struct tt_graph *graph;
    const struct tt_desired *desired;
    const struct tt_world *world;
};

static int add_node(struct drawing *d, enum tt_graph_look look, const char *label)
{
    *TT_VEC_ADD(d->arena, &d->graph->nodes) = (struct tt_graph_node){.label = label, .look = look};
    return (int)d->graph->nodes.count - 1;
}

static void add_edge(struct drawing *d, int from, int to)
{
    *TT_VEC_ADD(d->arena, &d->graph->edges) = (struct tt_graph_edge){.from = from, .to = to};
}

static bool is_owned(const struct drawing *d, const struct tt_server *server,
                     const struct tt_deployment *deployment)
{
    return tt_streq(server->tags.owner, d->desired->owner) &&
           tt_streq(server->tags.deployment, deployment->name) && server->state != TT_SERVER_GONE;
}

static enum tt_graph_look look_of(const struct tt_server *server)
{
    if (server->state == TT_SERVER_PENDING)
        return TT_LOOK_NEW;
    return server->state == TT_SERVER_RUNNING && server->health != TT_HEALTH_FAILING ? TT_LOOK_GOOD
                                                                                     : TT_LOOK_BAD;
}

static const char *server_label(struct drawing *d, const struct tt_server *server)
{
    return tt_printf(d->arena, "%s\n%s%s%s", server->name ? server->name : server->id,
                     tt_server_state_words[server->state], server->private_address ? " " : "",
                     server->private_address ? server->private_address : "");
}

/* The servers of SERVICE in one region, below a node for each zone that has any. */
static void draw_region(struct drawing *d, const struct tt_service *service, int parent,
                        const struct tt_placement *placement, const struct tt_region *region)
{
    TT_EACH (zone, &region->zones) {
        int zone_node = -1;

        TT_EACH (server, &region->servers) {
            if (!is_owned(d, server, service->deployment) ||
                !tt_streq(server->tags.service, service->name) ||
                !tt_streq(server->zone, zone->name))
                continue;
            if (zone_node < 0) {
                zone_node =
                    add_node(d, zone->state == TT_ZONE_AVAILABLE ? TT_LOOK_PLAIN : TT_LOOK_BAD,
                             tt_printf(d->arena, "%s\n%s/%s", zone->name, placement->account->name,
                                       placement->region));
                add_edge(d, parent, zone_node);
            }
            add_edge(d, zone_node, add_node(d, look_of(server), server_label(d, server)));
        }
    }
}

static int draw_service(struct drawing *d, const struct tt_service *service)
{
    int node = add_node(
        d, TT_LOOK_PLAIN,
        tt_printf(d->arena, "Service %s\n%d wanted", service->name, tt_service_count(service)));

    TT_EACH (placement, &service->placements) {
        const struct tt_region *region =
            tt_world_region(d->world, placement->account->name, placement->region);

        if (region && region->observed)
            draw_region(d, service, node, placement, region);
        else
            add_edge(d, node,
                     add_node(d, TT_LOOK_BAD,
                              tt_printf(d->arena, "%s/%s\nnot observed", placement->account->name,
                                        placement->region)));
    }
    return node;
}

/* The title of what SERVER was made for when that, or its whole deployment, left Git; NULL when it
 * did not, or the server is not ours. */
static const char *orphan_title(const struct drawing *d, const struct tt_server *server)
{
    const struct tt_tags *tags = &server->tags;
    const struct tt_deployment *deployment = tt_desired_deployment(d->desired, tags->deployment);

    if (!tt_streq(tags->owner, d->desired->owner) || server->state == TT_SERVER_GONE ||
        !tags->deployment)
        return NULL;
    if (tags->service && (!deployment || !tt_deployment_service(deployment, tags->service)))
        return tt_printf(d->arena, "Service %s/%s\nnot in Git any more", tags->deployment,
                         tags->service);
    if (tags->balancer && (!deployment || !tt_deployment_balancer(deployment, tags->balancer)))
        return tt_printf(d->arena, "LoadBalancer %s/%s\nnot in Git any more", tags->deployment,
                         tags->balancer);
    return NULL;
}

/* Servers of services and machines of balancers that left Git, below a node for each of these. */
static void draw_orphans(struct drawing *d)
{
    struct tt_strings titles = {0};
    TT_VEC(int) nodes = {0};

    TT_EACH (account, &d->world->accounts)
        TT_EACH (region, &account->regions)
            TT_EACH (server, &region->servers) {
                const char *title = orphan_title(d, server);
                size_t i = 0;

                if (!title)
                    continue;
                while (i < titles.count && strcmp(titles.items[i], title) != 0)
                    i++;
                if (i == titles.count) {
                    tt_strings_add(d->arena, &titles, title);
                    *TT_VEC_ADD(d->arena, &nodes) = add_node(d, TT_LOOK_GONE, title);
                }
                add_edge(d, nodes.items[i], add_node(d, look_of(server), server_label(d, server)));
            }
}

static void draw_deployment(struct drawing *d, const struct tt_deployment *deployment)
{
    int root = add_node(d, TT_LOOK_PLAIN, tt_printf(d->arena, "Deployment %s", deployment->name));
    int *balancers = TT_NEW_ARRAY(d->arena, deployment->balancers.count, int);

    for (size_t i = 0; i < deployment->balancers.count; i++) {
        const struct tt_balancer *balancer = deployment->balancers.items[i];

        balancers[i] = add_node(d, TT_LOOK_PLAIN,
                                tt_printf(d->arena, "LoadBalancer %s\n%s, %s", balancer->name,
                                          tt_balancer_type_words[balancer->type],
                                          tt_scope_words[balancer->scope]));
        add_edge(d, root, balancers[i]);
    }
    TT_EACH (service, &deployment->services) {
        int node = draw_service(d, *service);

        for (size_t i = 0; i < deployment->balancers.count; i++)
            if (tt_service_is_behind(*service, deployment->balancers.items[i]))
                add_edge(d, balancers[i], node);
        if (!(*service)->balancers.count)
            add_edge(d, root, node);
    }
}

void tt_graph_fleet(struct tt_arena *arena, const struct tt_desired *desired,
                    const struct tt_world *world, struct tt_graph *ret_graph)
{
    struct drawing d = {.arena = arena, .graph = ret_graph, .desired = desired, .world = world};

    *ret_graph = (struct tt_graph){0};
    TT_EACH (deployment, &desired->deployments)
        draw_deployment(&d, *deployment);
    draw_orphans(&d);
}

static enum tt_graph_look look_of_step(const struct tt_step *step)
{
    switch (step->action) {
    case TT_STEP_CREATE_SERVER:
        return TT_LOOK_NEW;
    case TT_STEP_DELETE_SERVER:
        return TT_LOOK_GONE;
    case TT_STEP_FENCE:
        return TT_LOOK_BAD;
    default:
        return TT_LOOK_PLAIN;
    }
}

void tt_graph_plan(struct tt_arena *arena, const struct tt_plan *plan, struct tt_graph *ret_graph)
{
    struct drawing d = {.arena = arena, .graph = ret_graph};

    *ret_graph = (struct tt_graph){0};
    TT_EACH (step, &plan->steps) {
        const char *label = tt_printf(arena, "s%td %s%s\n%s%s%s", step - plan->steps.items + 1,
                                      tt_action_words[step->action], step->held ? " (held)" : "",
                                      tt_subject_text(arena, &step->subject),
                                      step->server ? "\n" : "", step->server ? step->server : "");

        add_node(&d, look_of_step(step), label);
    }
    TT_EACH (step, &plan->steps)
        TT_EACH (index, &step->after)
            add_edge(&d, *index, (int)(step - plan->steps.items));
}
