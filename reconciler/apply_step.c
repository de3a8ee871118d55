/*
 * Which action is which call, and what the calls share.
 */
#include "reconciler/apply_call.h"
#include "reconciler/planner/balance.h"

enum tt_progress_word tt_call_word(int result, enum tt_progress_word success)
{
    return result < 0 ? TT_GO_FAILED : success;
}

enum tt_progress_word tt_call_refuse(struct tt_error *err, const char *what)
{
    tt_fail(err, TT_ERR_SPEC, "%s", what);
    return TT_GO_FAILED;
}

bool tt_call_is_cloud(const struct tt_call *call)
{
    const struct tt_balancer *balancer = tt_apply_balancer(call->run, call->step);

    /* a machine that is given back may have been that of a balancer which is a cloud's now */
    return balancer && balancer->type == TT_BALANCER_CLOUD && !call->step->machine;
}

struct tt_balancer_setup tt_call_setup(const struct tt_balancer *balancer)
{
    return (struct tt_balancer_setup){
        .software = balancer->software,
        .listeners = balancer->listeners,
        .algorithm = balancer->algorithm,
        .health = tt_balancer_health(balancer),
    };
}

struct tt_proxy tt_call_proxy(const struct tt_call *call, const char *machine)
{
    const char *address = tt_apply_machine_address(call->run, call->step, machine);
    const struct tt_account *account =
        tt_desired_account(call->run->request->desired, call->step->account);

    return (struct tt_proxy){
        .provider = call->provider,
        .region = call->step->region,
        .machine = machine,
        .address = address ? address : "0.0.0.0",
        .agent_folder = account ? account->ssh.scripts : NULL,
    };
}

enum tt_progress_word tt_apply_call(struct tt_apply_run *run, int step, struct tt_arena *scratch,
                                    struct tt_error *err)
{
    static enum tt_progress_word (*const calls[])(const struct tt_call *, struct tt_error *) = {
        [TT_STEP_CREATE_SERVER] = tt_call_create,
        [TT_STEP_START_SERVER] = tt_call_start,
        [TT_STEP_DELETE_SERVER] = tt_call_delete,
        [TT_STEP_ENROLL] = tt_call_enroll,
        [TT_STEP_WITHDRAW] = tt_call_withdraw,
        [TT_STEP_SET_ZONES] = tt_call_zones,
        [TT_STEP_SET_LISTENERS] = tt_call_settings,
        [TT_STEP_SET_HEALTH_CHECK] = tt_call_settings,
        [TT_STEP_MOVE_ADDRESS] = tt_call_move,
        [TT_STEP_FENCE] = tt_call_fence,
        [TT_STEP_TAG] = tt_call_tag,
    };
    const struct tt_step *what = &run->plan->steps.items[step];
    struct tt_call call = {
        .run = run,
        .index = step,
        .step = what,
        .state = &run->steps[step],
        .provider = tt_clouds_find(run->request->clouds, what->account),
        .scratch = scratch,
    };

    if (!call.provider) {
        tt_fail(err, TT_ERR_UNSUPPORTED, "account %s is not open", what->account);
        return TT_GO_FAILED;
    }
    return calls[what->action](&call, err);
}
