/*
 * Emit: the steps of balancers themselves.
 */
#include <string.h>

#include "base/str.h"
#include "reconciler/planner/balance.h"
#include "reconciler/planner/emit.h"
#include "reconciler/planner/settings_text.h"

static int add(struct tt_emitter *emitter, const struct tt_balancer_view *balancer,
               struct tt_step step)
{
    step.subject = (struct tt_subject){
        .kind = TT_SUBJECT_LOAD_BALANCER,
        .deployment = balancer->deployment->name,
        .name = balancer->name,
        .slot = -1,
    };
    if (!step.account) {
        step.account = balancer->spec->account->name;
        step.region = balancer->spec->region;
    }
    if (step.action != TT_STEP_CREATE_SERVER && step.action != TT_STEP_DELETE_SERVER)
        step.balancer = balancer->name;
    *TT_VEC_ADD(emitter->view->arena, &emitter->steps) = step;
    return (int)emitter->steps.count - 1;
}

static enum tt_because because_of(const struct tt_balancer_view *balancer)
{
    return balancer->create ? balancer->because : TT_BECAUSE_DRIFT;
}

/* An available zone for the machine: the one of the machine before it when that is available, so
 * that a region without zones gives NULL. */
static const char *choose_zone(const struct tt_balancer_view *balancer)
{
    const char *first = NULL;

    TT_EACH (zone, &balancer->region->zones) {
        if (zone->state != TT_ZONE_AVAILABLE)
            continue;
        if (balancer->serving && tt_streq(zone->name, balancer->serving->zone))
            return zone->name;
        if (!first)
            first = zone->name;
    }
    return first;
}

static void emit_fences(struct tt_emitter *emitter, struct tt_balancer_view *balancer)
{
    TT_EACH (machine, &balancer->machines) {
        int fence;

        if (machine->fate != TT_FATE_REMOVE || machine->because != TT_BECAUSE_FAILED)
            continue;
        fence = add(emitter, balancer,
                    (struct tt_step){
                        .action = TT_STEP_FENCE,
                        .account = machine->account->name,
                        .region = machine->region->name,
                        .zone = machine->server->zone,
                        .server = machine->server->id,
                        .machine = machine->server->id,
                        .because = TT_BECAUSE_FAILED,
                        .reason = tt_printf(emitter->view->arena, "%s must serve no more: %s",
                                            tt_machine_text(emitter->view->arena, machine->server),
                                            machine->reason),
                    });
        *TT_VEC_ADD(emitter->view->arena, &balancer->steps->fences) = fence;
    }
}

static void emit_deletes(struct tt_emitter *emitter, struct tt_balancer_view *balancer)
{
    TT_EACH (machine, &balancer->machines) {
        struct tt_step step = {
            .action = TT_STEP_DELETE_SERVER,
            .account = machine->account->name,
            .region = machine->region->name,
            .zone = machine->server->zone,
            .server = machine->server->id,
            .because = machine->because,
            .reason = machine->reason,
        };
        int index;

        if (machine->fate != TT_FATE_REMOVE)
            continue;
        if (machine->fields && machine->because == TT_BECAUSE_OUTDATED)
            step.fields = *machine->fields;
        index = add(emitter, balancer, step);
        *TT_VEC_ADD(emitter->view->arena, &balancer->steps->deletes) = index;
        if (balancer->replaced && machine->server == balancer->serving)
            balancer->steps->switch_over = index;
    }
}

/* Who has the address now: what the spec names is moved away from anybody. */
static const char *address_reason(struct tt_arena *arena, const struct tt_balancer_view *balancer)
{
    const char *wanted = balancer->spec->address, *holder = NULL;
    const struct tt_server *server;

    TT_EACH (address, &balancer->region->addresses)
        if (tt_streq(address->address, wanted))
            holder = address->server;
    server = tt_region_find_server(balancer->region, holder);
    return tt_printf(arena, "%s reaches %s and is to reach the machine of %s", wanted,
                     server   ? tt_machine_text(arena, server)
                     : holder ? holder
                              : "nothing",
                     balancer->name);
}

static void emit_machine_steps(struct tt_emitter *emitter, struct tt_balancer_view *balancer)
{
    struct tt_balancer_steps *steps = balancer->steps;
    struct tt_arena *arena = emitter->view->arena;

    if (balancer->create) {
        struct tt_step step = {
            .action = TT_STEP_CREATE_SERVER,
            .zone = choose_zone(balancer),
            .because = balancer->because,
            .reason = tt_printf(arena, "%s: %s", balancer->name, balancer->reason),
        };

        if (balancer->fields && balancer->because == TT_BECAUSE_OUTDATED)
            step.fields = *balancer->fields;
        steps->create = add(emitter, balancer, step);
    }
    emit_fences(emitter, balancer);
    if (balancer->move_address)
        steps->move = add(emitter, balancer,
                          (struct tt_step){
                              .action = TT_STEP_MOVE_ADDRESS,
                              .server = balancer->target ? balancer->target->id : NULL,
                              .machine = balancer->target ? balancer->target->id : NULL,
                              .because = because_of(balancer),
                              .reason = address_reason(arena, balancer),
                          });
    emit_deletes(emitter, balancer);
    if (balancer->replaced && steps->move != TT_NO_STEP)
        steps->switch_over = steps->move;
    for (size_t i = 0; i < steps->fences.count; i++)
        tt_emit_after(emitter, steps->fences.items[i], steps->create);
    tt_emit_after(emitter, steps->move, steps->create);
    tt_emit_after_all(emitter, steps->move, &steps->fences);
    TT_EACH (index, &steps->deletes) {
        tt_emit_after(emitter, *index, steps->create);
        tt_emit_after_all(emitter, *index, &steps->fences);
        tt_emit_after(emitter, *index, steps->move);
    }
}

/* The zones that a balancer has and those it is to have, for the time in between. */
static const struct tt_strings *both_zones(struct tt_arena *arena,
                                           const struct tt_balancer_view *balancer)
{
    struct tt_strings *zones = TT_NEW(arena, struct tt_strings);

    TT_EACH (zone, balancer->cloud->zones)
        tt_strings_add(arena, zones, *zone);
    TT_EACH (zone, balancer->zones)
        if (!tt_strings_has(zones, *zone))
            tt_strings_add(arena, zones, *zone);
    tt_strings_sort(zones);
    return zones;
}

static int emit_zones(struct tt_emitter *emitter, struct tt_balancer_view *balancer,
                      const struct tt_strings *zones)
{
    struct tt_arena *arena = emitter->view->arena;
    bool swap = balancer->zones_first && balancer->zones_last;
    const char *half = !swap                      ? ""
                       : zones == balancer->zones ? ": its members have left what goes"
                                                  : ": what is new comes first";

    return add(emitter, balancer,
               (struct tt_step){
                   .action = TT_STEP_SET_ZONES,
                   .zones = zones,
                   .because = TT_BECAUSE_DRIFT,
                   .reason = tt_printf(arena, "%s balances to %s and is to balance to %s%s",
                                       balancer->name,
                                       tt_strings_join(arena, balancer->cloud->zones, "no zone"),
                                       tt_strings_join(arena, balancer->zones, "no zone"), half),
               });
}

int tt_emit_zones_last(struct tt_emitter *emitter, struct tt_balancer_view *balancer)
{
    return emit_zones(emitter, balancer, balancer->zones);
}

/* What the spec says as it is compared: its algorithm counts where a listener has one. */
static const char *listeners_reason(struct tt_emitter *emitter,
                                    const struct tt_balancer_view *balancer)
{
    struct tt_arena *arena = emitter->view->arena;
    const struct tt_pool *pool =
        balancer->target ? tt_region_pool(balancer->region, balancer->target->id) : NULL;
    const struct tt_listeners *have = balancer->cloud ? balancer->cloud->listeners
                                      : pool          ? pool->listeners
                                                      : NULL;
    struct tt_listeners want = {0};

    TT_EACH (listener, balancer->spec->listeners) {
        struct tt_listener *copy = TT_VEC_ADD(arena, &want);

        *copy = *listener;
        if (balancer->cloud && balancer->spec->has_algorithm)
            copy->algorithm = 1 + (int)balancer->spec->algorithm;
    }
    return tt_printf(arena, "%s listens on %s and is to listen on %s", balancer->name,
                     tt_listeners_text(arena, have), tt_listeners_text(arena, &want));
}

static void emit_settings(struct tt_emitter *emitter, struct tt_balancer_view *balancer)
{
    struct tt_arena *arena = emitter->view->arena;
    const char *machine = balancer->target ? balancer->target->id : NULL;

    if (balancer->zones_first)
        balancer->steps->zones_first = emit_zones(emitter, balancer, both_zones(arena, balancer));
    if (balancer->set_listeners)
        add(emitter, balancer,
            (struct tt_step){
                .action = TT_STEP_SET_LISTENERS,
                .machine = machine,
                .because = TT_BECAUSE_DRIFT,
                .reason = listeners_reason(emitter, balancer),
            });
    if (balancer->set_health)
        add(emitter, balancer,
            (struct tt_step){
                .action = TT_STEP_SET_HEALTH_CHECK,
                .machine = machine,
                .because = TT_BECAUSE_DRIFT,
                .reason = tt_printf(
                    arena, "the health check of %s is %s and is to be %s", balancer->name,
                    tt_check_text(arena, balancer->cloud ? balancer->cloud->health : NULL),
                    tt_check_text(arena, tt_balancer_health(balancer->spec))),
            });
}

void tt_emit_balancer(struct tt_emitter *emitter, struct tt_balancer_view *balancer)
{
    balancer->steps = TT_NEW(emitter->view->arena, struct tt_balancer_steps);
    *balancer->steps = (struct tt_balancer_steps){
        .create = TT_NO_STEP,
        .move = TT_NO_STEP,
        .switch_over = TT_NO_STEP,
        .zones_first = TT_NO_STEP,
    };
    if (balancer->unseen && !balancer->machines.count)
        return;
    emit_machine_steps(emitter, balancer);
    emit_settings(emitter, balancer);
}
