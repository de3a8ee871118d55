/*
 * Prove: which machine serves when, and what each step does to the members there.
 */
#include "reconciler/planner/prove_weigh.h"

#include <limits.h>
#include <string.h>

#include "base/str.h"
#include "reconciler/planner/members.h"

/* --- the phases ----------------------------------------------------------------------------- */

/* The in-service members of a machine; one that boots has fewer than any other. */
static int pool_size(const struct tt_machine *machine)
{
    const struct tt_pool *pool = tt_region_pool(machine->region, machine->server->id);
    int count = machine->server->state == TT_SERVER_PENDING ? -INT_MAX : 0;

    if (pool)
        TT_EACH (member, &pool->members)
            count += member->state == TT_MEMBER_IN_SERVICE;
    return count;
}

static bool is_deleted(const struct tt_question *q, const char *server)
{
    for (size_t i = q->begin; i < q->end; i++)
        if (q->steps->items[i].action == TT_STEP_DELETE_SERVER &&
            tt_streq(q->steps->items[i].server, server))
            return true;
    return false;
}

static bool serves_before(const struct tt_machine *one, const struct tt_machine *other)
{
    int size = pool_size(one), most = pool_size(other);

    return size > most || (size == most && one->server->created_at < other->server->created_at);
}

/* The machine that has the balancer's address; without one the fullest that does not boot, of
 * equals the oldest. */
static const struct tt_server *find_old(const struct tt_question *q)
{
    const struct tt_balancer_view *b = q->balancer;
    const struct tt_machine *best = NULL;

    if (b->fixed || b->cloud)
        return b->fixed;
    if (b->spec->address && b->region)
        TT_EACH (address, &b->region->addresses)
            TT_EACH (machine, &b->machines)
                if (strcmp(address->address, b->spec->address) == 0 &&
                    tt_streq(address->server, machine->server->id))
                    return machine->server;
    TT_EACH (machine, &b->machines)
        if (!best || serves_before(machine, best))
            best = machine;
    return best ? best->server : NULL;
}

static bool is_of_balancer(const struct tt_question *q, const struct tt_step *step)
{
    return step->subject.kind == TT_SUBJECT_LOAD_BALANCER &&
           strcmp(step->subject.name, q->balancer->name) == 0;
}

static bool waits_for_step(const struct tt_question *q, int step, int earlier)
{
    TT_EACH (index, &q->steps->items[step].after)
        if (*index == earlier)
            return true;
    return false;
}

void tt_question_find_phases(struct tt_question *q)
{
    const char *stays = NULL;
    int move = -1, delete = -1;

    q->old = find_old(q);
    q->switch_over = q->cut = -1;
    if (!q->old || q->balancer->fixed)
        return;
    TT_EACH (machine, &q->balancer->machines)
        if (machine->server != q->old && !is_deleted(q, machine->server->id))
            stays = machine->server->id;
    for (size_t i = q->begin; i < q->end; i++) {
        const struct tt_step *step = &q->steps->items[i];

        if (!is_of_balancer(q, step))
            continue;
        if (step->action == TT_STEP_MOVE_ADDRESS && !tt_streq(step->machine, q->old->id)) {
            move = (int)i;
            q->new = step->machine;
        } else if (step->action == TT_STEP_DELETE_SERVER && tt_streq(step->server, q->old->id)) {
            delete = (int)i;
        }
    }
    q->switch_over = move >= 0 ? move : delete;
    if (move < 0 && delete >= 0)
        q->new = stays;
    if (move >= 0 && delete >= 0 && !waits_for_step(q, delete, move))
        q->cut = delete;
}

/* --- weights -------------------------------------------------------------------------------- */

static bool waits_for_delete(const struct tt_question *q, const struct tt_step *step,
                             const char *server)
{
    TT_EACH (index, &step->after) {
        const struct tt_step *other = &q->steps->items[*index];

        if (other->action == TT_STEP_DELETE_SERVER && tt_streq(other->server, server))
            return true;
    }
    return false;
}

/* True when STEP waits until SERVER has left MACHINE (or the cloud balancer). */
static bool waits_for_withdraw(const struct tt_question *q, const struct tt_step *step,
                               const char *machine, const char *server)
{
    TT_EACH (index, &step->after) {
        const struct tt_step *other = &q->steps->items[*index];

        if (other->action == TT_STEP_WITHDRAW && tt_streq(other->server, server) &&
            tt_streq(other->balancer, q->balancer->name) &&
            (q->balancer->cloud ? !other->machine : tt_streq(other->machine, machine)))
            return true;
    }
    return false;
}

static bool enrolls_same(const struct tt_step *other, const struct tt_step *step)
{
    return other->action == TT_STEP_ENROLL && tt_streq(other->server, step->server) &&
           tt_streq(other->balancer, step->balancer) && tt_streq(other->address, step->address);
}

/* True when the plan itself enrols the member that STEP withdraws, and may do so before. Unless
 * STEP waits for that, the two are noted. */
static bool was_enrolled(struct tt_question *q, const struct tt_step *step)
{
    TT_EACH (index, &step->after)
        if (enrolls_same(&q->steps->items[*index], step))
            return true;
    TT_EACH (index, q->own) {
        const struct tt_step *other = &q->steps->items[*index];

        if (enrolls_same(other, step) &&
            !waits_for_withdraw(q, other, step->machine, step->server)) {
            *TT_VEC_ADD(q->scratch, &q->rejoins) =
                (struct tt_rejoin){.withdraw = (int)(step - q->steps->items), .enroll = *index};
            return true;
        }
    }
    return false;
}

/* True when STEP withdraws the entry by which WHO is a wanted member. */
static bool is_wanted_entry(const struct tt_question *q, const struct tt_step *step,
                            const struct tt_machine *who)
{
    const char *address = tt_member_address(q->balancer, who);

    return q->balancer->cloud ||
           (address && tt_streq(step->address,
                                tt_printf(q->scratch, "%s:%d", address, q->service->spec->port)));
}

/* True when MACHINE has an entry in ROSTER that is in service, before any step. */
static bool is_enrolled(const struct tt_question *q, const struct tt_roster *roster,
                        const struct tt_machine *machine, const char *pool_service)
{
    int entry =
        tt_balancer_covers(q->balancer->spec, machine->account->name, machine->region->name)
            ? tt_roster_find(roster, machine->server, pool_service,
                             tt_member_address(q->balancer, machine), q->service->spec->port)
            : -1;

    return entry >= 0 && tt_roster_state(roster, entry) == TT_MEMBER_IN_SERVICE;
}

static bool serves(const struct tt_question *q, const struct tt_roster *roster,
                   const struct tt_machine *machine, const char *pool_service)
{
    return machine->healthy && is_enrolled(q, roster, machine, pool_service);
}

static const struct tt_machine *find_machine(const struct tt_question *q,
                                             const struct tt_step *step)
{
    const struct tt_machine *machines = q->service->machines.items;
    size_t low = 0, high = q->service->machines.count;

    while (step->server && low < high) {
        size_t middle = low + (high - low) / 2;

        if (machines[middle].slot < step->subject.slot)
            low = middle + 1;
        else
            high = middle;
    }
    for (; step->server && low < q->service->machines.count; low++)
        if (strcmp(machines[low].server->id, step->server) == 0)
            return &machines[low];
    return NULL;
}

/* What STEP does to the number of members of the machine (or cloud balancer) MACHINE. */
static int weigh(struct tt_question *q, const struct tt_step *step, const struct tt_roster *roster,
                 const char *machine, const char *pool_service)
{
    const struct tt_machine *who;
    bool here = tt_streq(step->balancer, q->balancer->name) && tt_streq(step->machine, machine);

    who = find_machine(q, step);
    switch (step->action) {
    case TT_STEP_START_SERVER:
        return who && is_enrolled(q, roster, who, pool_service);
    case TT_STEP_ENROLL:
        return here && (!who || !serves(q, roster, who, pool_service));
    case TT_STEP_WITHDRAW:
        return -(here && who && is_wanted_entry(q, step, who) &&
                 (serves(q, roster, who, pool_service) || was_enrolled(q, step)));
    case TT_STEP_DELETE_SERVER:
        return -(who && serves(q, roster, who, pool_service) &&
                 !waits_for_withdraw(q, step, machine, step->server));
    default:
        return 0;
    }
}

/* A zone that is taken out takes the members with it that are still there. */
static int weigh_zones(const struct tt_question *q, const struct tt_step *step,
                       const struct tt_roster *roster)
{
    int lost = 0;

    if (step->action != TT_STEP_SET_ZONES || !is_of_balancer(q, step))
        return 0;
    TT_EACH (machine, &q->service->machines)
        lost += machine->server->zone && !tt_strings_has(step->zones, machine->server->zone) &&
                serves(q, roster, machine, NULL) && !waits_for_delete(q, step, machine->server->id);
    return -lost;
}

int tt_question_weigh(struct tt_question *q, const struct tt_server *server, const char *machine)
{
    const char *pool_service = tt_pool_service(q->scratch, q->service);
    struct tt_roster roster = tt_roster_of(q->balancer, server);
    int now = 0;

    q->rejoins.count = 0;
    TT_EACH (member, &q->service->machines)
        now += serves(q, &roster, member, pool_service);
    TT_EACH (index, q->own)
        q->weights[(size_t)*index - q->begin] =
            weigh(q, &q->steps->items[*index], &roster, machine, pool_service);
    for (size_t i = q->begin; q->balancer->zones_last && i < q->end; i++)
        if (q->steps->items[i].action == TT_STEP_SET_ZONES)
            q->weights[i - q->begin] = weigh_zones(q, &q->steps->items[i], &roster);
    return now;
}

long tt_question_sum(const struct tt_question *q)
{
    long total = 0;

    TT_EACH (index, q->own)
        total += q->weights[(size_t)*index - q->begin];
    for (size_t i = q->begin; q->balancer->zones_last && i < q->end; i++)
        if (q->steps->items[i].action == TT_STEP_SET_ZONES)
            total += q->weights[i - q->begin];
    return total;
}

void tt_question_forget(const struct tt_question *q)
{
    TT_EACH (index, q->own)
        q->weights[(size_t)*index - q->begin] = 0;
    for (size_t i = q->begin; q->balancer->zones_last && i < q->end; i++)
        if (q->steps->items[i].action == TT_STEP_SET_ZONES)
            q->weights[i - q->begin] = 0;
}
