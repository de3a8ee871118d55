/*
 * Toy: the cloud in memory of the tests of apply and observe.
 */
#include "tests/reconciler/support/toy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

static struct toy *toy_of(struct tt_provider *provider)
{
    return (struct toy *)provider;
}

/* --- the clock ------------------------------------------------------------------------------- */

static tt_time toy_now(void *self)
{
    struct toy *toy = self;
    tt_time now;

    pthread_mutex_lock(&toy->lock);
    now = toy->now;
    pthread_mutex_unlock(&toy->lock);
    return now;
}

static void toy_sleep(void *self, tt_time delay)
{
    struct toy *toy = self;

    pthread_mutex_lock(&toy->lock);
    toy->now += delay;
    pthread_mutex_unlock(&toy->lock);
    usleep(50);
}

/* --- faults; under the lock ------------------------------------------------------------------- */

static bool strikes(struct toy *toy, enum toy_call call, bool after)
{
    int nth = toy->calls[call];

    return toy->fault.nth && toy->fault.call == call && toy->fault.after == after &&
           nth >= toy->fault.nth && nth < toy->fault.nth + toy->fault.times;
}

static int strike(const struct toy *toy, struct tt_error *err)
{
    tt_fail(err, toy->fault.class, "the test's fault");
    if (toy->fault.code && err)
        snprintf(err->code, sizeof(err->code), "%s", toy->fault.code);
    return -1;
}

static void be_busy(struct toy *toy)
{
    pthread_mutex_lock(&toy->lock);
    if (++toy->busy > toy->most_busy)
        toy->most_busy = toy->busy;
    pthread_mutex_unlock(&toy->lock);
    if (toy->call_time)
        usleep((useconds_t)toy->call_time);
    pthread_mutex_lock(&toy->lock);
    toy->busy--;
    pthread_mutex_unlock(&toy->lock);
}

/* Begins a call: counts it, takes its time, and locks. -1: it fails without effect (unlocked). */
static int enter(struct toy *toy, enum toy_call call, struct tt_error *err)
{
    if (call != TOY_OBSERVE)
        be_busy(toy);
    pthread_mutex_lock(&toy->lock);
    toy->calls[call]++;
    if (!strikes(toy, call, false))
        return 0;
    strike(toy, err);
    pthread_mutex_unlock(&toy->lock);
    return -1;
}

/* Ends a call that took effect. */
static int leave(struct toy *toy, enum toy_call call, struct tt_error *err)
{
    int result = strikes(toy, call, true) ? strike(toy, err) : 0;

    pthread_mutex_unlock(&toy->lock);
    return result;
}

/* --- machines -------------------------------------------------------------------------------- */

struct toy_machine *toy_find(struct toy *toy, const char *id_or_name)
{
    for (int i = 0; i < toy->machine_count; i++)
        if (toy->machines[i].state != TT_SERVER_GONE &&
            (tt_streq(toy->machines[i].id, id_or_name) ||
             tt_streq(toy->machines[i].name, id_or_name)))
            return &toy->machines[i];
    return NULL;
}

int toy_count(const struct toy *toy)
{
    int count = 0;

    for (int i = 0; i < toy->machine_count; i++)
        count += toy->machines[i].state != TT_SERVER_GONE;
    return count;
}

static struct tt_tags copy_tags(struct tt_arena *arena, const struct tt_tags *tags)
{
    return (struct tt_tags){
        .owner = tt_strdup(arena, tags->owner),
        .deployment = tt_strdup(arena, tags->deployment),
        .service = tt_strdup(arena, tags->service),
        .balancer = tt_strdup(arena, tags->balancer),
        .slot = tags->slot,
        .incarnation = tt_strdup(arena, tags->incarnation),
        .spec = tt_strdup(arena, tags->spec),
    };
}

struct toy_machine *toy_add_machine(struct toy *toy, const char *id, const struct tt_tags *tags)
{
    struct toy_machine *machine = &toy->machines[toy->machine_count++];

    if (toy->machine_count > TOY_MOST)
        abort();
    *machine = (struct toy_machine){
        .id = tt_strdup(&toy->arena, id),
        .private_address = tt_printf(&toy->arena, "10.0.%d.%d", toy->machine_count / 250,
                                     toy->machine_count % 250 + 1),
        .public_address = toy->no_public
                              ? NULL
                              : tt_printf(&toy->arena, "198.51.%d.%d", toy->machine_count / 250,
                                          toy->machine_count % 250 + 1),
        .tags = copy_tags(&toy->arena, tags),
        .state = TT_SERVER_RUNNING,
        .created_at = TT_TIME_UNKNOWN,
    };
    if (toy->address)
        machine->private_address = tt_strdup(&toy->arena, toy->address);
    return machine;
}

static int create_server(struct tt_provider *provider, const struct tt_create_request *request,
                         struct tt_arena *arena, const char **ret_id, struct tt_error *err)
{
    struct toy *toy = toy_of(provider);
    struct toy_machine *machine = NULL;

    if (enter(toy, TOY_CREATE, err) < 0)
        return -1;
    for (int i = 0; i < toy->machine_count; i++)
        if (tt_streq(toy->machines[i].token, request->client_token))
            machine = &toy->machines[i];
    if (!machine) {
        char id[32];

        snprintf(id, sizeof(id), "i-%d", toy->machine_count);
        machine = toy_add_machine(toy, id, &request->tags);
        machine->name = tt_strdup(&toy->arena, request->name);
        machine->zone = tt_strdup(&toy->arena, request->zone);
        machine->token = tt_strdup(&toy->arena, request->client_token);
        machine->state = TT_SERVER_PENDING;
        machine->looks = toy->boot;
    }
    *ret_id = tt_strdup(arena, machine->id);
    return leave(toy, TOY_CREATE, err);
}

static int delete_server(struct tt_provider *provider, const char *region, const char *id,
                         struct tt_error *err)
{
    struct toy *toy = toy_of(provider);
    struct toy_machine *machine;

    (void)region;
    if (enter(toy, TOY_DELETE, err) < 0)
        return -1;
    machine = toy_find(toy, id);
    if (machine)
        machine->state = TT_SERVER_GONE;
    return leave(toy, TOY_DELETE, err);
}

static int start_server(struct tt_provider *provider, const char *region, const char *id,
                        struct tt_error *err)
{
    struct toy *toy = toy_of(provider);

    (void)region;
    if (enter(toy, TOY_START, err) < 0)
        return -1;
    toy_find(toy, id)->state = TT_SERVER_RUNNING;
    return leave(toy, TOY_START, err);
}

/* --- members --------------------------------------------------------------------------------- */

const struct toy_member *toy_member(const struct toy *toy, const char *server)
{
    for (int i = 0; i < toy->member_count; i++)
        if (tt_streq(toy->members[i].server, server))
            return &toy->members[i];
    return NULL;
}

static void join(struct toy *toy, const char *machine, const char *service, const char *server,
                 int port)
{
    for (int i = 0; i < toy->member_count; i++)
        if (tt_streq(toy->members[i].server, server) &&
            tt_streq(toy->members[i].machine, machine) && toy->members[i].port == port)
            return;
    toy->members[toy->member_count++] = (struct toy_member){
        .machine = tt_strdup(&toy->arena, machine),
        .service = tt_strdup(&toy->arena, service),
        .server = tt_strdup(&toy->arena, server),
        .port = port,
        .state = TT_MEMBER_OUT_OF_SERVICE,
    };
}

static int enroll(struct tt_provider *provider, const char *region, const char *balancer,
                  const char *server, struct tt_error *err)
{
    struct toy *toy = toy_of(provider);

    (void)region;
    (void)balancer;
    if (enter(toy, TOY_ENROLL, err) < 0)
        return -1;
    join(toy, NULL, NULL, server, 0);
    return leave(toy, TOY_ENROLL, err);
}

static int withdraw(struct tt_provider *provider, const char *region, const char *balancer,
                    const char *server, tt_time drain, struct tt_error *err)
{
    struct toy *toy = toy_of(provider);

    (void)region;
    (void)balancer;
    if (enter(toy, TOY_WITHDRAW, err) < 0)
        return -1;
    toy->drain = (int)(drain / 1000);
    for (int i = 0; i < toy->member_count; i++)
        if (tt_streq(toy->members[i].server, server))
            toy->members[i].state = TT_MEMBER_DRAINING;
    return leave(toy, TOY_WITHDRAW, err);
}

static int set_zones(struct tt_provider *provider, const char *region, const char *balancer,
                     const struct tt_strings *zones, struct tt_error *err)
{
    struct toy *toy = toy_of(provider);

    (void)region;
    (void)balancer;
    if (enter(toy, TOY_ZONES, err) < 0)
        return -1;
    toy->zones = (struct tt_strings){0};
    TT_EACH (zone, zones)
        tt_strings_add(&toy->arena, &toy->zones, tt_strdup(&toy->arena, *zone));
    return leave(toy, TOY_ZONES, err);
}

static int move_address(struct tt_provider *provider, const char *region, const char *address,
                        const char *machine, struct tt_error *err)
{
    struct toy *toy = toy_of(provider);

    (void)region;
    (void)address;
    if (enter(toy, TOY_MOVE, err) < 0)
        return -1;
    toy->address_holder = tt_strdup(&toy->arena, machine);
    return leave(toy, TOY_MOVE, err);
}

/* --- the agent scripts ----------------------------------------------------------------------- */

static void list_pool(const struct toy *toy, const char *machine, struct tt_buf *out)
{
    for (int i = 0; i < toy->member_count; i++)
        if (tt_streq(toy->members[i].machine, machine))
            tt_buf_addf(out, "%s\t%s\t%d\t%s\n", toy->members[i].service, toy->members[i].server,
                        toy->members[i].port, tt_member_state_words[toy->members[i].state]);
}

static void stop_member(struct toy *toy, const char *machine, const char *address, int port)
{
    for (int i = 0; i < toy->member_count; i++)
        if (tt_streq(toy->members[i].machine, machine) &&
            tt_streq(toy->members[i].server, address) &&
            (toy->old_stop || toy->members[i].port == port))
            toy->members[i--] = toy->members[--toy->member_count];
}

static int run(struct tt_provider *provider, const struct tt_run_request *request,
               struct tt_arena *arena, struct tt_run_result *ret_result, struct tt_error *err)
{
    struct toy *toy = toy_of(provider);
    const char *const *argv = request->argv;
    const char *slash = strrchr(argv[0], '/');
    const char *script = slash ? slash + 1 : argv[0];
    TT_BUF_AUTO out = {0};
    int exit_code = 0;
    int count = 0;

    while (argv[count])
        count++;
    if (enter(toy, TOY_RUN, err) < 0)
        return -1;
    if (strcmp(script, "listProxy") == 0 && count > 1) {
        exit_code = 1; /* an image that knows no options of it */
    } else if (strcmp(script, "listProxy") == 0 && !toy->no_list) {
        list_pool(toy, request->machine, &out);
    } else if (strcmp(script, "startProxy") == 0 && count >= 7) {
        join(toy, request->machine, argv[1], argv[5], atoi(argv[6]));
    } else if (strcmp(script, "stopProxy") == 0 && count >= 4) {
        stop_member(toy, request->machine, argv[1], atoi(argv[3]));
    } else if (strcmp(script, "configureProxy") == 0 && count >= 4) {
        toy->drain = atoi(argv[3]);
    } else {
        pthread_mutex_unlock(&toy->lock);
        return tt_fail(err, TT_ERR_NOT_FOUND, "no %s on this machine", argv[0]);
    }
    *ret_result = (struct tt_run_result){
        .exit_code = exit_code, .output = tt_strdup(arena, tt_buf_text(&out)), .errors = ""};
    return leave(toy, TOY_RUN, err);
}

/* --- observing ------------------------------------------------------------------------------- */

static void boot(struct toy *toy, struct toy_machine *machine)
{
    if (machine->state != TT_SERVER_PENDING || toy->never_run || --machine->looks > 0)
        return;
    machine->state = toy->fail_boot ? TT_SERVER_FAILED : TT_SERVER_RUNNING;
}

static void observe_members(struct toy *toy, struct tt_arena *arena, struct tt_region *region)
{
    struct tt_cloud_balancer *balancer = TT_VEC_ADD(arena, &region->balancers);

    *balancer = (struct tt_cloud_balancer){.id = "lb-1", .name = "lb"};
    for (int i = toy->member_count - 1; i >= 0; i--) {
        struct toy_member *member = &toy->members[i];

        if (!member->machine)
            *TT_VEC_ADD(arena, &balancer->members) = (struct tt_member){
                .server = tt_strdup(arena, member->server), .state = member->state};
        if (member->state == TT_MEMBER_OUT_OF_SERVICE)
            member->state = TT_MEMBER_IN_SERVICE;
        else if (member->state == TT_MEMBER_DRAINING)
            *member = toy->members[--toy->member_count];
    }
}

static int observe(struct tt_provider *provider, const struct tt_observe_request *request,
                   struct tt_arena *arena, struct tt_region *ret_region, struct tt_error *err)
{
    struct toy *toy = toy_of(provider);

    (void)request;
    if (enter(toy, TOY_OBSERVE, err) < 0)
        return -1;
    for (int i = 0; i < toy->machine_count; i++) {
        struct toy_machine *machine = &toy->machines[i];

        boot(toy, machine);
        if (machine->state == TT_SERVER_GONE)
            continue;
        *TT_VEC_ADD(arena, &ret_region->servers) = (struct tt_server){
            .id = tt_strdup(arena, machine->id),
            .name = tt_strdup(arena, machine->name),
            .zone = tt_strdup(arena, machine->zone),
            .state = machine->state,
            .health = machine->health,
            .private_address = tt_strdup(arena, machine->private_address),
            .public_address = tt_strdup(arena, machine->public_address),
            .created_at = machine->created_at,
            .tags = copy_tags(arena, &machine->tags),
        };
    }
    observe_members(toy, arena, ret_region);
    *TT_VEC_ADD(arena, &ret_region->addresses) = (struct tt_elastic_address){
        .address = "203.0.113.9", .server = tt_strdup(arena, toy->address_holder)};
    return leave(toy, TOY_OBSERVE, err);
}

static void toy_close(struct tt_provider *provider)
{
    (void)provider;
}

static const struct tt_provider_ops toy_ops = {
    .name = "sim",
    .features = TT_FEATURE_CLOUD_BALANCER | TT_FEATURE_ELASTIC_ADDRESS | TT_FEATURE_START_SERVER,
    .close = toy_close,
    .observe = observe,
    .create_server = create_server,
    .delete_server = delete_server,
    .start_server = start_server,
    .enroll = enroll,
    .withdraw = withdraw,
    .set_zones = set_zones,
    .move_address = move_address,
    .run = run,
};

void toy_init(struct toy *toy)
{
    *toy = (struct toy){.provider = {.ops = &toy_ops}, .boot = 2, .drain = -1, .now = 1000000};
    pthread_mutex_init(&toy->lock, NULL);
    toy->clock = (struct tt_clock){.now = toy_now, .sleep = toy_sleep, .self = toy};
}

void toy_release(struct toy *toy)
{
    tt_arena_release(&toy->arena);
    pthread_mutex_destroy(&toy->lock);
}

void toy_add(struct tt_arena *arena, struct tt_clouds *clouds, const struct tt_account *account,
             struct toy *toy)
{
    *TT_VEC_ADD(arena, &clouds->items) =
        (struct tt_cloud){.account = account, .provider = &toy->provider};
}
