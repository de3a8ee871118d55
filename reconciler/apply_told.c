/*
 * What machines that cannot tell their pool were told in this run, for the planner's memory
 * (planner/told.h). What cannot be kept is told again: nothing here fails a step.
 */
#include "base/str.h"
#include "reconciler/apply_run.h"

void tt_apply_tell(const struct tt_apply_run *run, int index)
{
    const struct tt_step *step = &run->plan->steps.items[index];
    const char *machine = tt_apply_machine(run, step);
    struct tt_endpoint endpoint;
    struct tt_arena scratch;
    struct tt_told_member member = {
        .account = step->account, .region = step->region, .machine = machine};

    if (!run->request->store || !machine || tt_apply_endpoint(run, index, &endpoint, NULL) < 0)
        return;
    tt_arena_init(&scratch);
    member.service = tt_apply_pool_service(run, step, machine, &endpoint, &scratch);
    member.address = endpoint.address;
    member.port = endpoint.port;
    if (member.service)
        tt_store_set_told(run->request->store, &member, step->action == TT_STEP_ENROLL, NULL);
    tt_arena_release(&scratch);
}

static bool is_deleted(const struct tt_apply_run *run, const struct tt_told_member *told)
{
    for (size_t i = 0; i < run->plan->steps.count; i++) {
        const struct tt_step *step = &run->plan->steps.items[i];

        if (step->action == TT_STEP_DELETE_SERVER && tt_streq(step->server, told->machine) &&
            run->progress[i].state == TT_STEP_STATE_DONE)
            return true;
    }
    return false;
}

/* A machine that was stopped, or failed, may have forgotten. */
static bool is_doubtful(const struct tt_apply_run *run, const struct tt_told_member *told)
{
    const struct tt_region *region =
        tt_world_region(run->request->world, told->account, told->region);
    const struct tt_server *server;

    if (!region || !region->observed)
        return false;
    server = tt_region_find_server(region, told->machine);
    return !server || server->state != TT_SERVER_RUNNING || server->health == TT_HEALTH_FAILING ||
           is_deleted(run, told);
}

int tt_apply_forget_told(const struct tt_apply_run *run, const struct tt_memory *memory,
                         struct tt_error *err)
{
    const char *last = NULL;

    TT_EACH (told, &memory->told) {
        if (!tt_streq(last, told->machine) && is_doubtful(run, told) &&
            tt_store_forget_told(run->request->store, told->account, told->region, told->machine,
                                 err) < 0)
            return -1;
        last = told->machine;
    }
    return 0;
}
