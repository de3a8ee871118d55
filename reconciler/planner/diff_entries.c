/*
 * Diff of entries: whose is it, and may it go?
 *
 * A cloud balancer's member goes when its server is this deployment's and not wanted there; every
 * other one is left alone. In the pool of a vm-dynamic machine whatever is not wanted goes; in
 * that of a vm-static machine only what a document names, what this plan deletes, or what memory
 * knows that we told it (lent.h). An entry that may belong to a server that was not observed stays.
 */
#include "reconciler/planner/diff_entries.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/str.h"
#include "reconciler/planner/lent.h"

void tt_ticks_init(struct tt_roster_ticks *ticks, struct tt_arena *arena,
                   const struct tt_deployment_view *deployment)
{
    ticks->deployment = deployment;
    ticks->ticked = TT_NEW_ARRAY(arena, deployment->balancers.count, bool *);
    for (size_t i = 0; i < deployment->balancers.count; i++) {
        const struct tt_balancer_view *balancer = deployment->balancers.items[i];
        struct tt_roster roster = tt_roster_of(balancer, balancer->target);

        ticks->ticked[i] = TT_NEW_ARRAY(arena, tt_roster_count(&roster), bool);
    }
}

static int by_name(const void *name, const void *item)
{
    return strcmp(name, (*(struct tt_balancer_view *const *)item)->name);
}

void tt_ticks_mark(struct tt_roster_ticks *ticks, const struct tt_balancer_view *balancer,
                   int entry)
{
    struct tt_balancer_view **items = ticks->deployment->balancers.items;
    struct tt_balancer_view **found =
        bsearch(balancer->name, items, ticks->deployment->balancers.count, sizeof(*items), by_name);

    ticks->ticked[found - items][entry] = true;
}

/* One roster while its entries are asked. */
struct reading {
    struct tt_view *view;
    struct tt_deployment_change *change;
    struct tt_balancer_view *balancer;
    struct tt_roster roster;
    /* of a pool: address → machine, for the service that was asked last */
    struct tt_map machines;
    const struct tt_service_change *indexed;
    bool everything_seen;
    const struct tt_lent_view *lent; /* the machine is one that no LoadBalancer names; or NULL */
    const char *beside;              /* the machine of the pool when it is not the target */
};

static struct tt_service_change *find_service(struct tt_deployment_change *change, const char *name)
{
    TT_EACH (service, &change->services)
        if (strcmp(service->service->name, name) == 0)
            return service;
    return NULL;
}

static void report_foreign(const struct reading *r, const char *who)
{
    tt_view_problem(r->view, TT_SEVERITY_INFO, "foreign-member",
                    tt_balancer_subject(r->view, r->balancer), &r->balancer->spec->mark,
                    "%s is a member of %s that trimtab does not own: it is left alone", who,
                    r->balancer->name);
}

static struct tt_departure *departure_of(struct tt_service_change *service,
                                         const struct tt_machine *machine)
{
    TT_EACH (departure, &service->departures)
        if (departure->machine == machine)
            return departure;
    return NULL;
}

static void leave(const struct reading *r, struct tt_departure *departure, const char *address)
{
    *TT_VEC_ADD(r->view->arena, &departure->leaves) =
        (struct tt_leaving){.balancer = r->balancer, .address = address, .machine = r->beside};
}

/* An entry whose machine is known: it leaves with its machine, or because it is not wanted. */
static void leave_with_machine(const struct reading *r, struct tt_service_change *service,
                               struct tt_machine *machine, const char *address)
{
    struct tt_departure *departure = departure_of(service, machine);
    bool orphan = !service->service->spec && !r->change->deployment->prune;

    if (!departure || (r->lent && !departure->delete)) { /* with a reason of its own */
        if (service->service->blocked || orphan || machine->frozen || machine->barred)
            return;
        departure = TT_VEC_ADD(r->view->arena, &service->departures);
        *departure = (struct tt_departure){
            .machine = machine,
            .server = machine->server->id,
            .slot = machine->slot,
            .because = r->lent ? r->lent->because : TT_BECAUSE_DRIFT,
            .reason = r->lent
                          ? r->lent->reason
                          : tt_printf(r->view->arena, "%s is not wanted at %s",
                                      address ? address
                                              : tt_machine_text(r->view->arena, machine->server),
                                      r->balancer->name),
        };
    }
    leave(r, departure, address);
}

/* The machine of SERVICE that SERVER is; machines are sorted by slot, and few share one. */
static struct tt_machine *machine_of(struct tt_service_change *service,
                                     const struct tt_server *server)
{
    struct tt_machine *machines = service->service->machines.items;
    size_t low = 0, high = service->service->machines.count, end = high;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (machines[middle].slot < server->tags.slot)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < end && machines[low].slot == server->tags.slot; low++)
        if (machines[low].server == server)
            return &machines[low];
    return NULL;
}

/* A stale entry: nothing is behind it any more. */
static struct tt_departure *add_stale(const struct reading *r, struct tt_service_change *service,
                                      const char *what)
{
    struct tt_departure *departure = TT_VEC_ADD(r->view->arena, &service->departures);

    *departure = (struct tt_departure){
        .slot = -1,
        .because = TT_BECAUSE_DRIFT,
        .reason =
            tt_printf(r->view->arena, "no server of %s is behind %s", service->service->name, what),
    };
    return departure;
}

/* The member is gone, and with it the last server of a service that left Git. */
static void leave_for_good(const struct reading *r, const struct tt_server *server)
{
    struct tt_departure *departure;

    if (!r->change->deployment->prune)
        return;
    departure = TT_VEC_ADD(r->view->arena, &r->change->strays);
    *departure = (struct tt_departure){
        .server = server->id,
        .slot = -1,
        .because = TT_BECAUSE_DRIFT,
        .reason = tt_printf(r->view->arena, "%s is gone and %s left Git",
                            tt_machine_text(r->view->arena, server), server->tags.service),
    };
    leave(r, departure, NULL);
}

static void read_member(const struct reading *r, const struct tt_member *member)
{
    const struct tt_server *server = tt_region_find_server(r->balancer->region, member->server);
    struct tt_service_change *service;
    struct tt_machine *machine;

    if (!server || !tt_streq(server->tags.owner, r->view->desired->owner)) {
        report_foreign(r, server ? tt_machine_text(r->view->arena, server) : member->server);
        return;
    }
    if (!tt_streq(server->tags.deployment, r->change->deployment->name) || !server->tags.service)
        return;
    service = find_service(r->change, server->tags.service);
    if (!service) {
        leave_for_good(r, server);
        return;
    }
    machine = machine_of(service, server);
    if (machine) {
        leave_with_machine(r, service, machine, NULL);
    } else if (!service->service->blocked) {
        struct tt_departure *stale = add_stale(r, service, server->id);

        stale->server = server->id;
        stale->slot = server->tags.slot;
        leave(r, stale, NULL);
    }
}

/* Notes the addresses of the machines of SERVICE that may be touched, or of those that may not. */
static void note_addresses(struct reading *r, const struct tt_service_change *service, bool touched)
{
    TT_EACH (machine, &service->service->machines) {
        if (touched != (!machine->barred && !machine->frozen))
            continue;
        if (machine->server->public_address)
            tt_map_put(&r->machines, machine->server->public_address, machine);
        if (machine->server->private_address)
            tt_map_put(&r->machines, machine->server->private_address, machine);
    }
}

/* The machine of SERVICE that the balancer reaches at ADDRESS; where there is none, one that has it
 * as its private or public address. Private addresses may repeat from region to region: then it is
 * a machine that may not be touched, if there is one. */
static struct tt_machine *machine_at(struct reading *r, struct tt_service_change *service,
                                     const char *address)
{
    if (r->indexed != service) {
        r->indexed = service;
        tt_map_init(&r->machines, r->view->arena);
        note_addresses(r, service, true);
        note_addresses(r, service, false);
        TT_EACH (machine, &service->service->machines) {
            const char *own = tt_member_address(r->balancer, machine);

            if (own)
                tt_map_put(&r->machines, own, machine);
        }
    }
    return tt_map_get(&r->machines, address);
}

/* An entry of a pool that belongs to no service of this deployment. */
static void read_stray(const struct reading *r, const struct tt_pool_member *entry,
                       const char *text)
{
    struct tt_departure *departure;

    if (r->balancer->spec->type == TT_BALANCER_VM_STATIC &&
        !(r->change->deployment->prune && tt_lent_has(r->view, r->balancer, entry))) {
        report_foreign(r, tt_printf(r->view->arena, "%s of %s", text, entry->service));
        return;
    }
    if (!r->everything_seen)
        return;
    departure = TT_VEC_ADD(r->view->arena, &r->change->strays);
    *departure = (struct tt_departure){
        .slot = -1,
        .because = TT_BECAUSE_DRIFT,
        .reason = tt_printf(r->view->arena, "%s of %s is not wanted at %s", text, entry->service,
                            r->balancer->name),
    };
    leave(r, departure, text);
}

static struct tt_service_change *service_of_entry(const struct reading *r, const char *name)
{
    const char *deployment = r->change->deployment->name;
    size_t length = strlen(deployment);

    if (strncmp(name, deployment, length) != 0 || name[length] != '.')
        return NULL;
    return find_service(r->change, name + length + 1);
}

static void read_entry(struct reading *r, const struct tt_pool_member *entry)
{
    const char *text = tt_printf(r->view->arena, "%s:%d", entry->address, entry->port);
    struct tt_service_change *service = service_of_entry(r, entry->service);
    bool fixed = r->balancer->spec && r->balancer->spec->type == TT_BALANCER_VM_STATIC;
    struct tt_machine *machine = service ? machine_at(r, service, entry->address) : NULL;

    if (!service) {
        if (r->balancer->spec)
            read_stray(r, entry, text);
    } else if (machine) {
        leave_with_machine(r, service, machine, text);
    } else if (fixed && !service->service->spec) {
        read_stray(r, entry, text);
    } else if (r->everything_seen && !service->service->blocked) {
        leave(r, add_stale(r, service, text), text);
    }
}

/* A server that goes leaves the pools of machines beside the target, too, while these stay. */
static void read_beside(struct reading *r)
{
    if (!r->balancer->spec)
        return;
    TT_EACH (own, &r->balancer->machines) {
        const struct tt_pool *pool = tt_region_pool(own->region, own->server->id);

        if (own->server == r->balancer->target || own->fate != TT_FATE_KEEP || !own->healthy ||
            !pool)
            continue;
        r->beside = own->server->id;
        TT_EACH (entry, &pool->members) {
            struct tt_service_change *service = service_of_entry(r, entry->service);
            struct tt_machine *machine = service ? machine_at(r, service, entry->address) : NULL;
            struct tt_departure *departure = machine ? departure_of(service, machine) : NULL;

            if (departure && departure->delete)
                leave(r, departure,
                      tt_printf(r->view->arena, "%s:%d", entry->address, entry->port));
        }
    }
    r->beside = NULL;
}

bool tt_diff_sees_everything(const struct tt_view *view)
{
    TT_EACH (account, &view->desired->accounts)
        TT_EACH (region, &(*account)->regions)
            if (!tt_view_region(view, (*account)->name, *region))
                return false;
    return true;
}

/* Whose entries are asked: those of a balancer that can be told to drop them. */
static bool is_read(const struct tt_deployment_view *deployment,
                    const struct tt_balancer_view *balancer)
{
    if (balancer->unseen || balancer->blocked || balancer->closed)
        return false;
    return balancer->spec || (!deployment->spec && deployment->prune);
}

void tt_diff_entries(struct tt_view *view, const struct tt_roster_ticks *ticks,
                     bool everything_seen, struct tt_deployment_change *change)
{
    const struct tt_deployment_view *deployment = change->deployment;

    for (size_t i = 0; i < deployment->balancers.count; i++) {
        struct reading r = {
            .view = view,
            .change = change,
            .balancer = deployment->balancers.items[i],
            .everything_seen = everything_seen,
        };
        size_t count;

        if (!is_read(deployment, r.balancer))
            continue;
        r.roster = tt_roster_of(r.balancer, r.balancer->target);
        count = tt_roster_count(&r.roster);
        for (size_t entry = 0; entry < count; entry++) {
            if (ticks->ticked[i][entry])
                continue;
            if (r.roster.cloud)
                read_member(&r, &r.roster.cloud->members.items[entry]);
            else
                read_entry(&r, &r.roster.pool->members.items[entry]);
        }
        read_beside(&r);
    }
}

/* A member that a machine was told which no LoadBalancer names any more. */
static void read_lent(struct reading *r, const struct tt_told_member *member)
{
    const char *text = tt_printf(r->view->arena, "%s:%d", member->address, member->port);
    struct tt_service_change *service = service_of_entry(r, member->service);
    struct tt_machine *machine = service ? machine_at(r, service, member->address) : NULL;
    struct tt_departure *stray;

    if (machine) {
        leave_with_machine(r, service, machine, text);
    } else if (r->everything_seen && service) {
        if (!service->service->blocked)
            leave(r, add_stale(r, service, text), text);
    } else if (r->everything_seen) {
        stray = TT_VEC_ADD(r->view->arena, &r->change->strays);
        *stray = (struct tt_departure){
            .slot = -1,
            .service = strchr(member->service, '.') + 1,
            .because = r->lent->because,
            .reason = r->lent->reason,
        };
        leave(r, stray, text);
    }
}

void tt_diff_lent(struct tt_view *view, bool everything_seen, struct tt_deployment_change *change)
{
    TT_EACH (lent, &change->deployment->lent) {
        struct reading r = {
            .view = view,
            .change = change,
            .balancer = &(*lent)->balancer,
            .everything_seen = everything_seen,
            .lent = *lent,
        };

        if (r.balancer->closed)
            continue;
        TT_EACH (member, &(*lent)->members)
            read_lent(&r, *member);
    }
}
