/*
 * Emit: the steps of servers.
 */
#include "reconciler/planner/emit.h"

#include <string.h>

#include "base/str.h"

void tt_emit_after(struct tt_emitter *emitter, int step, int earlier)
{
    if (step != TT_NO_STEP && earlier != TT_NO_STEP)
        *TT_VEC_ADD(emitter->view->arena, &emitter->steps.items[step].after) = earlier;
}

void tt_emit_after_all(struct tt_emitter *emitter, int step, const struct tt_indices *earlier)
{
    TT_EACH (index, earlier)
        tt_emit_after(emitter, step, *index);
}

static int add(struct tt_emitter *emitter, struct tt_step step, const struct tt_strings *fields)
{
    if (fields && step.because == TT_BECAUSE_OUTDATED)
        step.fields = *fields;
    *TT_VEC_ADD(emitter->view->arena, &emitter->steps) = step;
    return (int)emitter->steps.count - 1;
}

static struct tt_subject subject_of(const struct tt_service_view *service, int slot)
{
    return (struct tt_subject){
        .kind = TT_SUBJECT_SERVICE,
        .deployment = service->deployment->name,
        .name = service->name,
        .slot = slot,
    };
}

int tt_emit_create(struct tt_emitter *emitter, const struct tt_service_view *service,
                   const struct tt_create *create)
{
    const struct tt_placement *placement = &service->spec->placements.items[create->placement];

    return add(emitter,
               (struct tt_step){
                   .action = TT_STEP_CREATE_SERVER,
                   .subject = subject_of(service, create->slot),
                   .account = placement->account->name,
                   .region = placement->region,
                   .zone = create->zone,
                   .because = create->because,
                   .reason = create->reason,
               },
               create->replaces ? create->replaces->fields : NULL);
}

static struct tt_step machine_step(enum tt_action action, const struct tt_service_view *service,
                                   const struct tt_machine *machine)
{
    return (struct tt_step){
        .action = action,
        .subject = subject_of(service, machine->slot),
        .account = machine->account->name,
        .region = machine->region->name,
        .zone = machine->server->zone,
        .server = machine->server->id,
        .because = machine->because,
        .reason = machine->reason,
    };
}

int tt_emit_start(struct tt_emitter *emitter, const struct tt_service_view *service,
                  const struct tt_machine *machine)
{
    return add(emitter, machine_step(TT_STEP_START_SERVER, service, machine), NULL);
}

int tt_emit_tag(struct tt_emitter *emitter, const struct tt_service_view *service,
                const struct tt_machine *machine)
{
    struct tt_step step = machine_step(TT_STEP_TAG, service, machine);

    step.subject.slot = machine->tag_slot;
    step.because = TT_BECAUSE_DRIFT;
    step.reason =
        tt_printf(emitter->view->arena, "%s has no mark of its slot: %d is free",
                  tt_machine_text(emitter->view->arena, machine->server), machine->tag_slot);
    return add(emitter, step, NULL);
}

int tt_emit_delete(struct tt_emitter *emitter, const struct tt_service_view *service,
                   const struct tt_departure *departure)
{
    return add(emitter, machine_step(TT_STEP_DELETE_SERVER, service, departure->machine),
               departure->machine->fields);
}

/* What all steps of membership share. */
static struct tt_step member_step(enum tt_action action, const struct tt_balancer_view *balancer)
{
    struct tt_step step = {
        .action = action,
        .balancer = balancer->name,
        .machine = balancer->target ? balancer->target->id : NULL,
    };

    if (balancer->spec) {
        step.account = balancer->spec->account->name;
        step.region = balancer->spec->region;
    } else if (balancer->region) { /* a machine that was lent */
        step.account = balancer->account->name;
        step.region = balancer->region->name;
    } else {
        step.account = balancer->machines.items->account->name;
        step.region = balancer->machines.items->region->name;
    }
    return step;
}

static const char *member_text(struct tt_emitter *emitter, const struct tt_balancer_view *balancer,
                               const struct tt_service_view *service,
                               const struct tt_machine *machine)
{
    const char *address = tt_member_address(balancer, machine);

    if (balancer->cloud || !address)
        return NULL;
    return tt_printf(emitter->view->arena, "%s:%d", address, service->spec->port);
}

int tt_emit_enroll(struct tt_emitter *emitter, const struct tt_service_view *service,
                   const struct tt_arrival *arrival, const struct tt_joining *joining)
{
    const struct tt_balancer_view *balancer = joining->link->balancer;
    const struct tt_machine *machine = arrival->machine;
    struct tt_step step = member_step(TT_STEP_ENROLL, balancer);

    step.subject = subject_of(service, machine ? machine->slot : arrival->create->slot);
    step.because = joining->because;
    step.reason = joining->reason;
    if (machine) {
        step.server = machine->server->id;
        step.address = member_text(emitter, balancer, service, machine);
    }
    return add(emitter, step,
               !machine && arrival->create->replaces ? arrival->create->replaces->fields : NULL);
}

int tt_emit_enroll_departing(struct tt_emitter *emitter, const struct tt_service_view *service,
                             const struct tt_departure *departure, const struct tt_link *link)
{
    bool follows = link->balancer->create || link->balancer->replaced;
    const char *who = tt_machine_text(emitter->view->arena, departure->machine->server);
    struct tt_step step = member_step(TT_STEP_ENROLL, link->balancer);

    step.subject = subject_of(service, departure->slot);
    step.because = follows ? TT_BECAUSE_BALANCER_REPLACED : TT_BECAUSE_DRIFT;
    step.server = departure->server;
    step.address = member_text(emitter, link->balancer, service, departure->machine);
    step.reason =
        follows ? tt_printf(emitter->view->arena,
                            "%s gets another machine and %s serves until its replacement does",
                            link->balancer->name, who)
                : tt_printf(emitter->view->arena,
                            "%s is not a member of %s and serves there until others can go", who,
                            link->balancer->name);
    return add(emitter, step, NULL);
}

int tt_emit_withdraw(struct tt_emitter *emitter, const struct tt_service_view *service,
                     const struct tt_departure *departure, const struct tt_leaving *leaving)
{
    struct tt_step step = member_step(TT_STEP_WITHDRAW, leaving->balancer);

    if (service)
        step.subject = subject_of(service, departure->slot);
    else if (departure->service)
        step.subject = (struct tt_subject){
            .kind = TT_SUBJECT_SERVICE,
            .deployment = leaving->balancer->deployment->name,
            .name = departure->service,
            .slot = -1,
        };
    else
        step.subject = (struct tt_subject){
            .kind = TT_SUBJECT_LOAD_BALANCER,
            .deployment = leaving->balancer->deployment->name,
            .name = leaving->balancer->name,
            .slot = -1,
        };
    step.because = departure->because;
    step.reason = departure->reason;
    step.server = departure->server;
    step.address = leaving->address;
    if (leaving->machine) {
        step.machine = leaving->machine;
        step.reason = tt_printf(emitter->view->arena, "%s; it is in the pool of %s, too",
                                departure->reason, leaving->machine);
    }
    return add(emitter, step, departure->machine ? departure->machine->fields : NULL);
}
