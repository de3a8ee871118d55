/*
 * When a step's wait is over. One observation answers all the waits: it covers the accounts that
 * they concern and probes only their machines.
 */
#include "base/str.h"
#include "reconciler/apply_run.h"
#include "reconciler/observe.h"
#include "reconciler/observe_health.h"

#define SLACK         (INT64_C(10) * 60 * 1000) /* beyond what the spec grants */
#define DEFAULT_GRACE (INT64_C(60) * 1000)
#define DEFAULT_DRAIN (INT64_C(30) * 1000)
#define BLIND_LOOKS   3 /* at a machine that does not tell its pool */

/* A step's question to a world. */
struct question {
    struct tt_apply_run *run;
    int index;
    const struct tt_step *step;
    struct tt_step_run *state;
    const struct tt_region *region; /* observed */
    const char **note;
};

static enum tt_progress_word wait_for(const struct question *question, const char *note)
{
    *question->note = note;
    return TT_GO_WAIT;
}

tt_time tt_apply_patience(const struct tt_apply_run *run, int index)
{
    const struct tt_step *step = &run->plan->steps.items[index];
    const struct tt_service *service = tt_apply_service(run, step);

    switch (step->action) {
    case TT_STEP_CREATE_SERVER:
    case TT_STEP_START_SERVER:
    case TT_STEP_ENROLL:
        return SLACK + (service && service->health ? service->health->grace : DEFAULT_GRACE);
    case TT_STEP_WITHDRAW:
        return SLACK + (service ? service->drain : DEFAULT_DRAIN);
    default:
        return SLACK;
    }
}

/* --- servers -------------------------------------------------------------------------------- */

/* True when a probe must have passed before the machine counts as up. */
static bool needs_probe(const struct question *question)
{
    const struct tt_step *step = question->step;
    const struct tt_account *account =
        tt_desired_account(question->run->request->desired, step->account);
    const struct tt_service *service = tt_apply_service(question->run, step);
    const struct tt_balancer *balancer;

    if (!account || !tt_observe_reaches(account))
        return false;
    if (step->subject.kind == TT_SUBJECT_SERVICE)
        return service && service->health && service->port;
    balancer = tt_apply_balancer(question->run, step);
    return balancer && balancer->listeners && balancer->listeners->count;
}

static enum tt_progress_word check_running(const struct question *question,
                                           const struct tt_server *server)
{
    struct tt_apply_run *run = question->run;
    bool of_balancer = question->step->subject.kind == TT_SUBJECT_LOAD_BALANCER;

    if (!question->state->made.private_address && server->private_address)
        tt_apply_set(run, &question->state->made.private_address, server->private_address);
    if (!question->state->made.public_address && server->public_address)
        tt_apply_set(run, &question->state->made.public_address, server->public_address);
    if (of_balancer && question->step->action == TT_STEP_CREATE_SERVER &&
        question->state->stage == 0)
        return TT_GO_ON;
    if (server->health == TT_HEALTH_FAILING)
        return wait_for(question, "it runs but fails its health check");
    if (needs_probe(question) && server->health != TT_HEALTH_PASSING)
        return wait_for(question, "it runs; waiting for its health check");
    return TT_GO_DONE;
}

static enum tt_progress_word check_up(const struct question *question, struct tt_error *err)
{
    const char *id = question->state->made.server;
    const struct tt_server *server = tt_region_find_server(question->region, id);

    if (!server && !question->state->made.seen)
        return wait_for(question, "not seen yet");
    if (!server || server->state == TT_SERVER_GONE) {
        tt_fail(err, TT_ERR_CONFLICT, "machine %s disappeared while it was to come up", id);
        return TT_GO_FAILED;
    }
    question->state->made.seen = true;
    switch (server->state) {
    case TT_SERVER_RUNNING:
        return check_running(question, server);
    case TT_SERVER_FAILED:
        tt_fail(err, TT_ERR_CONFLICT, "machine %s failed while it was to come up", id);
        return TT_GO_FAILED;
    default:
        return wait_for(question, "booting");
    }
}

static enum tt_progress_word check_deleted(const struct question *question, struct tt_error *err)
{
    const struct tt_server *server =
        tt_region_find_server(question->region, question->step->server);

    (void)err;
    if (!server || server->state == TT_SERVER_GONE)
        return TT_GO_DONE;
    return wait_for(question, "going away");
}

static enum tt_progress_word check_moved(const struct question *question, struct tt_error *err)
{
    const struct tt_balancer *balancer = tt_apply_balancer(question->run, question->step);
    const char *machine = tt_apply_machine(question->run, question->step);

    (void)err;
    TT_EACH (address, &question->region->addresses)
        if (balancer && tt_streq(address->address, balancer->address) &&
            tt_streq(address->server, machine))
            return TT_GO_DONE;
    return wait_for(question, "the address is on its way");
}

/* --- members -------------------------------------------------------------------------------- */

static enum tt_progress_word check_member_state(const struct question *question,
                                                enum tt_member_state state)
{
    bool leaving = question->step->action == TT_STEP_WITHDRAW;

    if (leaving)
        return wait_for(question, state == TT_MEMBER_DRAINING ? "draining" : "leaving");
    if (state == TT_MEMBER_IN_SERVICE)
        return TT_GO_DONE;
    return wait_for(question, "coming into service");
}

static enum tt_progress_word check_absent(const struct question *question)
{
    if (question->step->action == TT_STEP_WITHDRAW)
        return TT_GO_DONE;
    return wait_for(question, "not listed yet");
}

static enum tt_progress_word check_cloud_member(const struct question *question,
                                                struct tt_error *err)
{
    const char *name = tt_apply_cloud_name(question->run, question->step);
    const char *id = tt_apply_server(question->run, question->index);
    const struct tt_cloud_balancer *balancer =
        name ? tt_region_balancer(question->region, name) : NULL;
    const struct tt_server *server = tt_region_find_server(question->region, id);

    if (question->step->action == TT_STEP_ENROLL && tt_apply_is_dead(server)) {
        tt_fail(err, TT_ERR_CONFLICT, "machine %s failed while it was to come into service", id);
        return TT_GO_FAILED;
    }
    if (balancer)
        TT_EACH (member, &balancer->members)
            if (tt_streq(member->server, id))
                return check_member_state(question, member->state);
    return check_absent(question);
}

/* A machine that runs but tells no pool, again and again, has an image without listProxy: its word
 * that the script succeeded must do. */
static enum tt_progress_word check_silent(const struct question *question, const char *machine,
                                          struct tt_error *err)
{
    const struct tt_server *server = tt_region_find_server(question->region, machine);

    if (tt_apply_is_dead(server)) {
        tt_fail(err, TT_ERR_CONFLICT, "the balancer's machine %s failed", machine);
        return TT_GO_FAILED;
    }
    if (server && server->state == TT_SERVER_RUNNING &&
        ++question->state->blind_looks >= BLIND_LOOKS)
        return TT_GO_DONE;
    if (!server && question->step->action == TT_STEP_WITHDRAW)
        return TT_GO_DONE;
    return wait_for(question, "waiting for the balancer's machine to answer");
}

static enum tt_progress_word check_pool_member(const struct question *question,
                                               struct tt_error *err)
{
    const struct tt_subject *subject = &question->step->subject;
    const char *machine = tt_apply_machine(question->run, question->step);
    const char *id = tt_apply_server(question->run, question->index);
    const struct tt_pool *pool = tt_region_pool(question->region, machine);
    struct tt_endpoint endpoint;
    TT_BUF_AUTO service = {0};

    if (!pool) {
        enum tt_progress_word word = check_silent(question, machine, err);

        if (word == TT_GO_DONE)
            tt_apply_tell(question->run, question->index);
        return word;
    }
    if (question->step->action == TT_STEP_ENROLL &&
        tt_apply_is_dead(tt_region_find_server(question->region, id))) {
        tt_fail(err, TT_ERR_CONFLICT, "machine %s failed while it was to come into service", id);
        return TT_GO_FAILED;
    }
    if (tt_apply_endpoint(question->run, question->index, &endpoint, err) < 0)
        return TT_GO_FAILED;
    if (subject->kind == TT_SUBJECT_SERVICE)
        tt_buf_addf(&service, "%s.%s", subject->deployment, subject->name);
    TT_EACH (member, &pool->members)
        if (tt_streq(member->address, endpoint.address) && member->port == endpoint.port &&
            (!service.length || tt_streq(member->service, tt_buf_text(&service))))
            return check_member_state(question, member->state);
    return check_absent(question);
}

static enum tt_progress_word check_member(const struct question *question, struct tt_error *err)
{
    const struct tt_balancer *balancer = tt_apply_balancer(question->run, question->step);

    enum tt_progress_word word;

    if (balancer && balancer->type == TT_BALANCER_CLOUD && !question->step->machine)
        return check_cloud_member(question, err);
    word = check_pool_member(question, err);
    if (word == TT_GO_DONE && question->step->action == TT_STEP_WITHDRAW)
        tt_apply_return(question->run, question->index);
    return word;
}

enum tt_progress_word tt_apply_check(struct tt_apply_run *run, int index,
                                     const struct tt_world *world, const char **ret_note,
                                     struct tt_error *err)
{
    const struct tt_step *step = &run->plan->steps.items[index];
    struct question question = {
        .run = run,
        .index = index,
        .step = step,
        .state = &run->steps[index],
        .region = tt_world_region(world, step->account, step->region),
        .note = ret_note,
    };

    if (!question.region || !question.region->observed)
        return wait_for(&question, "the region is unreachable");
    switch (step->action) {
    case TT_STEP_CREATE_SERVER:
    case TT_STEP_START_SERVER:
        return check_up(&question, err);
    case TT_STEP_DELETE_SERVER:
        return check_deleted(&question, err);
    case TT_STEP_ENROLL:
    case TT_STEP_WITHDRAW:
        return check_member(&question, err);
    case TT_STEP_MOVE_ADDRESS:
        return check_moved(&question, err);
    default:
        return TT_GO_DONE;
    }
}

struct tt_world *tt_apply_observe(struct tt_apply_run *run, struct tt_arena *scratch,
                                  const int *steps, int count)
{
    struct tt_strings accounts = {0}, machines = {0};
    tt_lent_members lent = {0};
    struct tt_observe_options options = {.single_probe = true,
                                         .only_accounts = &accounts,
                                         .only_machines = &machines,
                                         .lent = &lent};
    const struct tt_apply_request *request = run->request;

    for (int i = 0; i < count; i++) {
        const struct tt_step *step = &run->plan->steps.items[steps[i]];
        bool of_member = step->action == TT_STEP_ENROLL || step->action == TT_STEP_WITHDRAW;
        const char *machine =
            of_member ? tt_apply_machine(run, step) : run->steps[steps[i]].made.server;

        if (!tt_strings_has(&accounts, step->account))
            tt_strings_add(scratch, &accounts, step->account);
        if (machine)
            tt_strings_add(scratch, &machines, machine);
        if (machine && step->action == TT_STEP_WITHDRAW && !tt_apply_is_dynamic(run, step))
            *TT_VEC_ADD(scratch, &lent) = (struct tt_lent_member){
                .member = {.account = step->account, .region = step->region, .machine = machine}};
    }
    return tt_observe(scratch, request->clouds, request->desired, request->clock, &options);
}
