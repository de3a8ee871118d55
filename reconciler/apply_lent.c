/*
 * What vm-static machines were told, for the planner's memory (planner/lent.h): by the steps of
 * this run, and by earlier ones, as the pools that the plan was made from tell.
 */
#include <string.h>

#include "base/str.h"
#include "reconciler/apply_lent.h"
#include "reconciler/apply_run.h"
#include "reconciler/planner/resolve.h"

/* --- the steps of a run ----------------------------------------------------------------------- */

static bool member_of(const struct tt_apply_run *run, int index, struct tt_arena *arena,
                      struct tt_told_member *ret_member)
{
    const struct tt_step *step = &run->plan->steps.items[index];
    struct tt_endpoint endpoint;

    *ret_member = (struct tt_told_member){
        .account = step->account, .region = step->region, .machine = tt_apply_machine(run, step)};
    if (!ret_member->machine || tt_apply_endpoint(run, index, &endpoint, NULL) < 0)
        return false;
    ret_member->service = tt_apply_pool_service(run, step, ret_member->machine, &endpoint, arena);
    ret_member->address = tt_strdup(arena, endpoint.address);
    ret_member->port = endpoint.port;
    return ret_member->service != NULL;
}

bool tt_apply_lends(const struct tt_apply_run *run, int index, struct tt_arena *arena,
                    struct tt_lent_member *ret_lent)
{
    const struct tt_step *step = &run->plan->steps.items[index];
    const struct tt_balancer *balancer = tt_apply_balancer(run, step);

    if (step->action != TT_STEP_ENROLL || !balancer || balancer->type != TT_BALANCER_VM_STATIC)
        return false;
    ret_lent->balancer = balancer->name;
    return member_of(run, index, arena, &ret_lent->member);
}

void tt_apply_return(const struct tt_apply_run *run, int index)
{
    struct tt_told_member member;
    struct tt_arena scratch;

    if (!run->request->store || tt_apply_is_dynamic(run, &run->plan->steps.items[index]))
        return;
    tt_arena_init(&scratch);
    if (member_of(run, index, &scratch, &member)) /* what cannot be kept is seen by the next run */
        tt_store_return_lent(run->request->store, &member, NULL);
    tt_arena_release(&scratch);
}

bool tt_apply_is_dynamic(const struct tt_apply_run *run, const struct tt_step *step)
{
    const struct tt_balancer *balancer = tt_apply_balancer(run, step);

    return balancer && balancer->type == TT_BALANCER_VM_DYNAMIC;
}

/* --- what was observed ------------------------------------------------------------------------ */

static bool is_same(const struct tt_told_member *a, const struct tt_told_member *b)
{
    return a->port == b->port && tt_streq(a->address, b->address) &&
           tt_streq(a->service, b->service) && tt_streq(a->machine, b->machine) &&
           tt_streq(a->region, b->region) && tt_streq(a->account, b->account);
}

static bool is_known(const tt_lent_members *lent, const struct tt_told_member *member)
{
    TT_EACH (known, lent)
        if (is_same(&known->member, member))
            return true;
    return false;
}

/* The service of BALANCER's deployment that ENTRY is a member of; false: of none. */
static bool is_ours(const struct tt_balancer *balancer, const struct tt_pool_member *entry)
{
    const char *deployment = balancer->deployment->name;
    size_t length = strlen(deployment);

    return strncmp(entry->service, deployment, length) == 0 && entry->service[length] == '.' &&
           tt_deployment_service(balancer->deployment, entry->service + length + 1);
}

/* What BALANCER's machine has of its deployment's services, and memory does not know. */
static void add_known(struct tt_arena *arena, const struct tt_world *world,
                      const struct tt_balancer *balancer, const tt_lent_members *lent,
                      tt_lent_members *known)
{
    const struct tt_region *region =
        tt_world_region(world, balancer->account->name, balancer->region);
    const struct tt_server *machine =
        region && region->observed ? tt_resolve_machine(region, balancer->machine) : NULL;
    const struct tt_pool *pool = machine ? tt_region_pool(region, machine->id) : NULL;

    if (pool)
        TT_EACH (entry, &pool->members) {
            struct tt_lent_member member = {.balancer = balancer->name,
                                            .member = {.account = balancer->account->name,
                                                       .region = balancer->region,
                                                       .machine = machine->id,
                                                       .service = entry->service,
                                                       .address = entry->address,
                                                       .port = entry->port}};

            if (is_ours(balancer, entry) && !is_known(lent, &member.member))
                *TT_VEC_ADD(arena, known) = member;
        }
}

static bool is_named(const struct tt_lent_note *note, const struct tt_region *region,
                     const struct tt_told_member *member, const struct tt_server *machine)
{
    TT_EACH (deployment, &note->desired->deployments)
        TT_EACH (item, &(*deployment)->balancers) {
            const struct tt_balancer *balancer = *item;

            if (balancer->type == TT_BALANCER_VM_STATIC &&
                tt_streq(balancer->account->name, member->account) &&
                tt_streq(balancer->region, member->region) &&
                tt_resolve_machine(region, balancer->machine) == machine)
                return true;
        }
    return false;
}

static bool fails(const struct tt_server *machine)
{
    return tt_apply_is_dead(machine) || machine->health == TT_HEALTH_FAILING;
}

/* True when MEMBER was looked for, and it or its machine is not there. */
static bool is_gone(const struct tt_lent_note *note, const struct tt_told_member *member)
{
    const struct tt_region *region = tt_world_region(note->world, member->account, member->region);
    const struct tt_server *machine;
    const struct tt_pool *pool;

    if (!region || !region->observed)
        return false;
    machine = tt_region_find_server(region, member->machine);
    pool = tt_region_pool(region, member->machine);
    if (!machine || machine->state == TT_SERVER_GONE)
        return true;
    if (note->forget && fails(machine) && !is_named(note, region, member, machine))
        return true;
    if (!pool)
        return false;
    TT_EACH (entry, &pool->members)
        if (entry->port == member->port && tt_streq(entry->address, member->address) &&
            tt_streq(entry->service, member->service))
            return false;
    return true;
}

int tt_apply_note_lent(struct tt_store *store, const struct tt_lent_note *note,
                       struct tt_error *err)
{
    tt_lent_members lent = {0}, known = {0}, gone = {0};
    struct tt_error own = {0};
    struct tt_arena scratch;
    int result;

    tt_arena_init(&scratch);
    result = tt_store_read_lent(store, &scratch, &lent, &own);
    if (result == 0) {
        TT_EACH (deployment, &note->desired->deployments)
            TT_EACH (balancer, &(*deployment)->balancers)
                if ((*balancer)->type == TT_BALANCER_VM_STATIC)
                    add_known(&scratch, note->world, *balancer, &lent, &known);
        TT_EACH (item, &lent)
            if (is_gone(note, &item->member))
                *TT_VEC_ADD(&scratch, &gone) = *item;
        result = tt_store_set_lent(store, &known, &gone, note->world->taken_at, note->lock, &own);
    }
    tt_arena_release(&scratch);
    if (result == 0 || own.class == TT_ERR_CONFLICT)
        return 0;
    if (err)
        *err = own;
    return -1;
}
