/*
 * Turn: a list of what is being changed, each with the wishes of those who wait.
 */
#include "providers/openstack/turn.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "providers/openstack/members.h"

#define PATIENCE (60 * 1000)

struct tt_openstack_turn {
    char *name;
    int users; /* who have it or wait for it; it goes with the last one */
    bool busy;
    struct tt_openstack_wish *wishes;
    struct tt_openstack_turn *next;
};

/* The lock is held. */
static struct tt_openstack_turn *turn_of(struct tt_openstack_region *region, const char *name)
{
    struct tt_openstack_turn *turn = region->turns;

    while (turn && strcmp(turn->name, name) != 0)
        turn = turn->next;
    if (turn) {
        turn->users++;
        return turn;
    }
    turn = calloc(1, sizeof(*turn));
    if (!turn || !(turn->name = strdup(name)))
        abort();
    turn->users = 1;
    turn->next = region->turns;
    region->turns = turn;
    return turn;
}

/* The lock is held. */
static void leave(struct tt_openstack_region *region, struct tt_openstack_turn *turn)
{
    struct tt_openstack_turn **place = &region->turns;

    if (--turn->users)
        return;
    while (*place != turn)
        place = &(*place)->next;
    *place = turn->next;
    free(turn->name);
    free(turn);
}

/* The lock is held. */
static void give_up(struct tt_openstack *cloud, struct tt_openstack_turn *turn)
{
    turn->busy = false;
    pthread_cond_broadcast(&cloud->changed);
}

static void end_wishes(struct tt_openstack_wish *wishes, int result, const struct tt_error *error)
{
    struct tt_openstack_wish *next;

    for (; wishes; wishes = next) {
        next = wishes->next; /* who waits for it takes it away */
        wishes->result = result;
        if (result < 0)
            wishes->error = *error;
        wishes->done = true;
    }
}

/* The lock is held when it is called and when it returns. */
static void take_turn(const struct tt_openstack_visit *visit, struct tt_openstack_turn *turn)
{
    struct tt_openstack *cloud = visit->cloud;
    struct tt_openstack_wish *wishes = turn->wishes;
    struct tt_error error = {0};
    int result;

    turn->busy = true;
    turn->wishes = NULL;
    pthread_mutex_unlock(&cloud->lock);
    result = tt_openstack_fulfil(visit, turn->name, wishes, &error);
    pthread_mutex_lock(&cloud->lock);
    end_wishes(wishes, result, &error);
    give_up(cloud, turn);
}

int tt_openstack_change_member(const struct tt_openstack_visit *visit, const char *balancer,
                               struct tt_openstack_wish *wish, struct tt_error *err)
{
    struct tt_openstack *cloud = visit->cloud;
    struct tt_openstack_turn *turn;

    wish->done = false;
    pthread_mutex_lock(&cloud->lock);
    turn = turn_of(visit->region, balancer);
    wish->next = turn->wishes;
    turn->wishes = wish;
    while (!wish->done) {
        if (turn->busy)
            pthread_cond_wait(&cloud->changed, &cloud->lock);
        else
            take_turn(visit, turn);
    }
    leave(visit->region, turn);
    pthread_mutex_unlock(&cloud->lock);
    if (wish->result < 0 && err)
        *err = wish->error;
    return wish->result;
}

int tt_openstack_alone(const struct tt_openstack_visit *visit, const char *name,
                       int (*work)(const struct tt_openstack_visit *visit, void *self,
                                   struct tt_error *err),
                       void *self, struct tt_error *err)
{
    struct tt_openstack *cloud = visit->cloud;
    struct tt_openstack_turn *turn;
    int result;

    pthread_mutex_lock(&cloud->lock);
    turn = turn_of(visit->region, name);
    while (turn->busy)
        pthread_cond_wait(&cloud->changed, &cloud->lock);
    turn->busy = true;
    pthread_mutex_unlock(&cloud->lock);
    result = work(visit, self, err);
    pthread_mutex_lock(&cloud->lock);
    give_up(cloud, turn);
    leave(visit->region, turn);
    pthread_mutex_unlock(&cloud->lock);
    return result;
}

/* --- waiting for Octavia ---------------------------------------------------------------------- */

static int fetch_balancers(const void *self, json_t **ret_items, struct tt_error *err)
{
    struct tt_openstack_visit visit = *(const struct tt_openstack_visit *)self;
    struct tt_arena scratch = {0};
    int result;

    tt_arena_init(&scratch);
    visit.arena = &scratch;
    result = tt_openstack_list(&visit, TT_OPENSTACK_BALANCER, "list load balancers",
                               "/lbaas/loadbalancers?fields=id&fields=provisioning_status",
                               "loadbalancers", ret_items, err);
    tt_arena_release(&scratch);
    return result;
}

static const char *status_of(const json_t *items, const char *id)
{
    const json_t *item;
    size_t i;

    json_array_foreach (items, i, item)
        if (tt_streq(tt_reply_peek(item, "id"), id))
            return tt_reply_peek(item, "provisioning_status");
    return "DELETED";
}

int tt_openstack_wait_active(const struct tt_openstack_visit *visit, const char *id,
                             struct tt_error *err)
{
    const struct tt_clock *clock = visit->cloud->clock;
    tt_time deadline = tt_clock_steady(clock) + PATIENCE;

    for (;;) {
        TT_REPLY_AUTO *items = NULL;
        const char *status;

        if (tt_openstack_look(&visit->region->balancers, clock, fetch_balancers, visit, &items,
                              err) < 0)
            return -1;
        status = status_of(items, id);
        if (tt_streq(status, "ACTIVE"))
            return 0;
        if (!tt_starts_with(status, "PENDING"))
            return tt_fail(err, tt_streq(status, "DELETED") ? TT_ERR_NOT_FOUND : TT_ERR_CONFLICT,
                           "balancer %s is in %s: Octavia changes it no more, and has to be "
                           "asked to fail it over",
                           id, status ? status : "no state");
        if (tt_clock_steady(clock) > deadline)
            return tt_fail(err, TT_ERR_CONFLICT, "balancer %s has been in %s for a minute", id,
                           status);
    }
}

/* "Load Balancer ... is immutable and cannot be updated", "Invalid state PENDING_UPDATE of ...".
 * What else conflicts, a port that is taken, say, is not waited for. */
static bool is_busy(const struct tt_error *error)
{
    return error->class == TT_ERR_CONFLICT &&
           (strstr(error->message, "immutable") || strstr(error->message, "state"));
}

tt_time tt_openstack_deadline(const struct tt_openstack_visit *visit)
{
    const struct tt_clock *clock = visit->cloud->clock;

    return tt_clock_steady(clock) + PATIENCE;
}

int tt_openstack_try_change(const struct tt_openstack_visit *visit, const char *id,
                            const struct tt_openstack_request *request, tt_time deadline,
                            json_t **ret_answer, struct tt_error *err)
{
    const struct tt_clock *clock = visit->cloud->clock;
    struct tt_error own = {0};

    if (tt_openstack_call(visit, request, ret_answer, &own) == 0)
        return tt_openstack_wait_active(visit, id, err);
    if (is_busy(&own) && tt_clock_steady(clock) <= deadline)
        return tt_openstack_wait_active(visit, id, err) < 0 ? -1 : 1;
    if (err)
        *err = own;
    return -1;
}

int tt_openstack_change(const struct tt_openstack_visit *visit, const char *id,
                        const struct tt_openstack_request *request, json_t **ret_answer,
                        struct tt_error *err)
{
    tt_time deadline = tt_openstack_deadline(visit);
    int result = 1;

    while (result > 0)
        result = tt_openstack_try_change(visit, id, request, deadline, ret_answer, err);
    return result;
}
