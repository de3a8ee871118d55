/*
 * Power: starting servers, and making sure that a failed one can serve no more.
 *
 * Nova answers a stop before the machine is off, and gives it a minute by default to end by itself.
 * A fence ends when the machine is seen to be off. One that cannot be stopped, its host does not
 * answer, say, is deleted, as it would have been after the fence.
 */
#include "base/str.h"
#include "providers/openstack/machines.h"
#include "providers/openstack/servers.h"

#define LOOK      1000 /* from one look to the next, and longer each time */
#define LONG_LOOK 8000
#define STOP_WAIT (150 * 1000)
#define GONE_WAIT (60 * 1000)

static int act(const struct tt_openstack_visit *visit, const char *id, const char *what,
               const char *action, struct tt_error *err)
{
    TT_REPLY_AUTO *body = json_pack("{s:n}", action);

    return tt_openstack_call(
        visit,
        &(struct tt_openstack_request){.service = TT_OPENSTACK_COMPUTE,
                                       .what = what,
                                       .method = "POST",
                                       .path = tt_printf(visit->arena, "/servers/%s/action", id),
                                       .body = body},
        NULL, err);
}

/* What wakes a machine in that state; all of them are `stopped` to us. */
static const char *wake_up(const char *status)
{
    static const struct {
        const char *status, *action;
    } ways[] = {{"PAUSED", "unpause"}, {"SUSPENDED", "resume"}, {"SHELVED", "unshelve"}};

    for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
        if (tt_streq(status, ways[i].status))
            return ways[i].action;
    return "os-start";
}

static int start(const struct tt_openstack_visit *visit, const char *id, struct tt_error *err)
{
    TT_REPLY_AUTO *machine = NULL;
    const char *status;

    if (tt_openstack_machine(visit, id, &machine, err) < 0 ||
        tt_openstack_check_owner(visit, machine, id, err) < 0)
        return -1;
    status = tt_reply_peek(machine, "status");
    if (tt_streq(status, "ACTIVE"))
        return 0;
    return act(visit, id, "start server", wake_up(status), err);
}

int tt_openstack_start_server(struct tt_provider *provider, const char *region, const char *id,
                              struct tt_error *err)
{
    TT_OPENSTACK_STAY stay = {0};

    if (tt_openstack_begin(provider, region, &stay, err) < 0)
        return -1;
    return start(&stay.visit, id, err);
}

/* --- the fence -------------------------------------------------------------------------------- */

/* 1: the server is there and ours; 0: it is gone, and not only about to go; -1: neither can be
 * said, or it is another's. */
static int find_own(const struct tt_openstack_visit *visit, const char *id, json_t **ret_machine,
                    struct tt_error *err)
{
    struct tt_error own = {0};

    if (tt_openstack_machine_that_may_run(visit, id, ret_machine, &own) == 0)
        return tt_openstack_check_owner(visit, *ret_machine, id, err) < 0 ? -1 : 1;
    if (own.class == TT_ERR_NOT_FOUND)
        return 0;
    if (err)
        *err = own;
    return -1;
}

/* What is done with the machine at the moment: while it is started or deleted, the status is that
 * of before. NULL: nothing. */
static const char *task_of(const json_t *machine)
{
    return tt_reply_peek(machine, "OS-EXT-STS:task_state");
}

/* Nothing runs: switched off, frozen, its disk put away, or in ERROR before it ever ran. */
static bool is_off(const json_t *machine)
{
    static const char *const off[] = {"SHUTOFF", "PAUSED", "SUSPENDED", "SHELVED",
                                      "SHELVED_OFFLOADED"};
    const char *status = tt_reply_peek(machine, "status");

    if (task_of(machine))
        return false;
    for (size_t i = 0; i < sizeof(off) / sizeof(*off); i++)
        if (tt_streq(status, off[i]))
            return true;
    return tt_streq(status, "ERROR") && json_object_get(machine, "OS-SRV-USG:launched_at") &&
           !tt_reply_peek(machine, "OS-SRV-USG:launched_at");
}

/* Its operator says that it is off, or Nova hears nothing of it: nobody is there to stop anything.
 */
static bool has_no_host(const json_t *machine)
{
    const char *host = tt_reply_peek(machine, "host_status");

    return tt_streq(host, "DOWN") || tt_streq(host, "UNKNOWN");
}

/* One look, and a stop unless one is under way. 1: it is off or gone; 0: not yet. */
static int try_to_stop(const struct tt_openstack_visit *visit, const char *id, bool *ret_hopeless,
                       struct tt_error *err)
{
    TT_REPLY_AUTO *machine = NULL;
    struct tt_error own = {0};
    int found = find_own(visit, id, &machine, err);

    if (found <= 0)
        return found < 0 ? -1 : 1;
    if (is_off(machine))
        return 1;
    if (tt_reply_flag(machine, "locked"))
        return tt_fail(err, TT_ERR_CONFLICT,
                       "server %s is locked, so it cannot be switched off: unlock it", id);
    *ret_hopeless = has_no_host(machine);
    if (*ret_hopeless || task_of(machine))
        return 0;
    if (act(visit, id, "stop server", "os-stop", &own) == 0 ||
        own.class == TT_ERR_CONFLICT) /* something began meanwhile; or not in this state */
        return 0;
    if (own.class == TT_ERR_NOT_FOUND)
        return 1;
    if (err)
        *err = own;
    return -1;
}

static void wait_longer(const struct tt_openstack_visit *visit, tt_time *look)
{
    tt_openstack_pause(visit->cloud, *look);
    *look = *look * 2 > LONG_LOOK ? LONG_LOOK : *look * 2;
}

static int delete_and_wait(const struct tt_openstack_visit *visit, const char *id,
                           struct tt_error *err)
{
    const struct tt_clock *clock = visit->cloud->clock;
    tt_time deadline = tt_clock_steady(clock) + GONE_WAIT, look = LOOK;

    if (tt_openstack_delete_machine(visit, id, err) < 0)
        return tt_wrap(err, "server %s could not be stopped", id);
    for (;;) {
        TT_REPLY_AUTO *machine = NULL;
        int found = find_own(visit, id, &machine, err);

        if (found <= 0)
            return found;
        if (tt_clock_steady(clock) > deadline)
            return tt_fail(
                err, TT_ERR_CONFLICT,
                "server %s (%s) could neither be stopped nor deleted: it may serve still", id,
                tt_reply_peek(machine, "status"));
        wait_longer(visit, &look);
    }
}

static int power_off(const struct tt_openstack_visit *visit, const char *id, struct tt_error *err)
{
    const struct tt_clock *clock = visit->cloud->clock;
    tt_time deadline = tt_clock_steady(clock) + STOP_WAIT, look = LOOK;
    bool hopeless = false;

    while (!hopeless && tt_clock_steady(clock) < deadline) {
        int off = try_to_stop(visit, id, &hopeless, err);

        if (off)
            return off < 0 ? -1 : 0;
        if (!hopeless)
            wait_longer(visit, &look);
    }
    return delete_and_wait(visit, id, err);
}

int tt_openstack_fence(struct tt_provider *provider, const char *region, const char *machine,
                       struct tt_error *err)
{
    TT_OPENSTACK_STAY stay = {0};

    if (tt_openstack_begin(provider, region, &stay, err) < 0)
        return -1;
    return power_off(&stay.visit, machine, err);
}
