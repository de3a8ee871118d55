/*
 * Slots: duplicates and free numbers. A service's machines are sorted by slot.
 */
#include "reconciler/planner/slots.h"

#include "reconciler/planner/members.h"
#include "reconciler/planner/surplus.h"

/* The higher, the better a machine fills its slot. */
static int fitness(const struct tt_machine *machine, const struct tt_standing *standing)
{
    if (machine->healthy)
        return standing->outdated || standing->outside ? 4 : 5;
    if (machine->pending)
        return 3;
    return machine->failed ? 1 : 2;
}

/* One that is frozen cannot go: better that it fills the slot than that two do. */
static bool stays_anyway(const struct tt_machine *machine)
{
    return machine->frozen && !machine->failed;
}

/* True when A fills the slot better than B: one that stays anyway, then one that its balancers
 * reach (unless it goes anyway), then healthier, then older. */
static bool fits_better(const struct tt_service_view *service, size_t a, size_t b,
                        const struct tt_standing *standings)
{
    const struct tt_machine *one = &service->machines.items[a];
    const struct tt_machine *other = &service->machines.items[b];
    int fit = fitness(one, &standings[a]) - fitness(other, &standings[b]);

    if (stays_anyway(one) != stays_anyway(other))
        return stays_anyway(one);
    if (one->barred != other->barred) {
        const struct tt_machine *clear = one->barred ? other : one;

        return (clear == one) == (clear->placement >= 0);
    }
    return fit ? fit > 0 : tt_newer_first(other, one) < 0;
}

static void resolve_group(struct tt_view *view, struct tt_service_view *service, size_t begin,
                          size_t end, struct tt_standing *standings)
{
    struct tt_machine *machines = service->machines.items;
    size_t best = begin;
    bool leaving;

    for (size_t i = begin + 1; i < end; i++)
        if (fits_better(service, i, best, standings))
            best = i;
    leaving = standings[best].outdated || standings[best].outside;
    for (size_t i = begin; i < end; i++) {
        if (i == best)
            continue;
        if (machines[i].frozen)
            continue; /* it stays and fills a place like any other */
        if (leaving && machines[i].placement == machines[best].placement && machines[i].pending &&
            !standings[i].outdated && !standings[i].outside) {
            standings[i].extra = true;
            standings[best].outdated = standings[best].outside = false;
            standings[best].awaits = &machines[i];
            continue;
        }
        machines[i].barred = false;
        machines[i].fate = TT_FATE_REMOVE;
        machines[i].because = TT_BECAUSE_DUPLICATE;
        machines[i].reason = tt_printf(view->arena, "slot %d is filled by %s", machines[i].slot,
                                       tt_machine_text(view->arena, machines[best].server));
    }
}

void tt_slots_resolve(struct tt_view *view, struct tt_service_view *service,
                      struct tt_standing *standings)
{
    const struct tt_machine *machines = service->machines.items;
    size_t count = service->machines.count;

    for (size_t begin = 0, end; begin < count; begin = end) {
        end = begin + 1;
        while (end < count && machines[end].slot == machines[begin].slot)
            end++;
        if (end - begin > 1 && machines[begin].slot >= 0)
            resolve_group(view, service, begin, end, standings);
    }
}

bool tt_slot_is_shared(const struct tt_service_view *service, const struct tt_standing *standings,
                       const struct tt_machine *machine)
{
    const struct tt_machine *machines = service->machines.items;
    size_t own = (size_t)(machine - machines);

    if (machine->slot < 0)
        return true;
    for (size_t i = own; i > 0 && machines[i - 1].slot == machine->slot; i--)
        if (machines[i - 1].fate != TT_FATE_REMOVE && !standings[i - 1].extra)
            return true;
    for (size_t i = own + 1; i < service->machines.count && machines[i].slot == machine->slot; i++)
        if ((machines[i].fate == TT_FATE_KEEP || machines[i].fate == TT_FATE_START) &&
            !standings[i].extra)
            return true;
    return false;
}

/* The machine that fills SLOT and is to go for good; NULL: somebody stays there. */
static const struct tt_machine *find_leaving(const struct tt_service_view *service,
                                             const struct tt_standing *standings, int slot)
{
    const struct tt_machine *leaving = NULL;

    for (size_t i = 0; i < service->machines.count; i++) {
        const struct tt_machine *machine = &service->machines.items[i];

        if (machine->slot != slot || standings[i].extra)
            continue;
        if (machine->fate != TT_FATE_REMOVE)
            return NULL;
        leaving = machine;
    }
    return leaving;
}

void tt_slots_finish(struct tt_service_view *service, const struct tt_standing *standings)
{
    for (size_t i = 0; i < service->machines.count; i++) {
        struct tt_machine *machine = &service->machines.items[i];
        const struct tt_machine *leaving = standings[i].extra && !machine->frozen
                                               ? find_leaving(service, standings, machine->slot)
                                               : NULL;

        if (!leaving)
            continue;
        machine->fate = TT_FATE_REMOVE;
        machine->because = leaving->because;
        machine->reason = leaving->reason;
    }
}

void tt_slot_walk_init(struct tt_slot_walk *walk, const struct tt_view *view,
                       const struct tt_service_view *service)
{
    *walk = (struct tt_slot_walk){.service = service};
    TT_EACH (placement, &service->spec->placements)
        if (!tt_view_region(view, placement->account->name, placement->region))
            walk->skip += placement->count;
}

int tt_slot_walk_next(struct tt_slot_walk *walk)
{
    const struct tt_machine *machines = walk->service->machines.items;

    for (;; walk->next++) {
        while (walk->machine < walk->service->machines.count &&
               machines[walk->machine].slot < walk->next)
            walk->machine++;
        if (walk->machine < walk->service->machines.count &&
            machines[walk->machine].slot == walk->next)
            continue;
        if (walk->skip-- > 0)
            continue;
        return walk->next++;
    }
}
