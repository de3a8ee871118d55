/*
 * Slots: duplicates and free numbers. A service's machines are sorted by slot.
 */
#include "reconciler/planner/slots.h"

#include "base/str.h"
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

/* True when other machines fill the slot of MACHINES[INDEX], too. */
static bool is_one_of_several(const struct tt_service_view *service, size_t index)
{
    const struct tt_machine *machines = service->machines.items;

    return (index > 0 && machines[index - 1].slot == machines[index].slot) ||
           (index + 1 < service->machines.count &&
            machines[index + 1].slot == machines[index].slot);
}

/* The machines of other slots that stay in the zone of MACHINES[INDEX]; slots that several fill and
 * that are not resolved yet do not count. */
static int count_beside(const struct tt_service_view *service, size_t index,
                        const struct tt_standing *standings)
{
    const struct tt_machine *machines = service->machines.items;
    int count = 0;

    for (size_t i = 0; i < service->machines.count; i++) {
        const struct tt_machine *other = &machines[i];

        if (other->slot == machines[index].slot || other->fate == TT_FATE_REMOVE ||
            other->placement != machines[index].placement || other->failed || standings[i].extra ||
            standings[i].outdated || standings[i].outside ||
            !tt_streq(other->server->zone, machines[index].server->zone))
            continue;
        count += i < index || !is_one_of_several(service, i);
    }
    return count;
}

/* Two machines of which one was to replace the other for evenness: the one in the emptier zone, so
 * that it is not made once more. 0: there is no such difference. */
static int emptier_zone_first(const struct tt_service_view *service, size_t a, size_t b,
                              const struct tt_standing *standings)
{
    const struct tt_machine *one = &service->machines.items[a];
    const struct tt_machine *other = &service->machines.items[b];

    if (one->placement < 0 || one->placement != other->placement || fitness(one, &standings[a]) < 5)
        return 0;
    return count_beside(service, a, standings) - count_beside(service, b, standings);
}

/* True when A fills the slot better than B: one that stays anyway, then one that its balancers
 * reach (unless it goes anyway), then healthier, then in the emptier zone, then older. */
static bool fits_better(const struct tt_service_view *service, size_t a, size_t b,
                        const struct tt_standing *standings)
{
    const struct tt_machine *one = &service->machines.items[a];
    const struct tt_machine *other = &service->machines.items[b];
    int fit = fitness(one, &standings[a]) - fitness(other, &standings[b]);
    int fuller;

    if (stays_anyway(one) != stays_anyway(other))
        return stays_anyway(one);
    if (one->barred != other->barred) {
        const struct tt_machine *clear = one->barred ? other : one;

        return (clear == one) == (clear->placement >= 0);
    }
    if (fit)
        return fit > 0;
    fuller = emptier_zone_first(service, a, b, standings);
    return fuller ? fuller < 0 : tt_newer_first(other, one) < 0;
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
