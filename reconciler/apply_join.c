/*
 * Joining together: enrolling a server is a call to its balancer's machine, where calls wait for
 * one another, and a new machine gets its whole pool at once. Whoever comes first waits a moment,
 * tells the machine of all who want to join by then, and the others only wait. What fails together
 * is tried by each alone, so that every step has its own error.
 */
#include "base/str.h"
#include "reconciler/apply_call.h"

#define MOMENT 10 /* ms */

/* One that wants to join; on the stack of its worker, in the list until it was told. */
struct tt_join {
    struct tt_join *next;
    const struct tt_proxy *proxy;
    const struct tt_proxy_member *member;
    bool telling; /* by somebody, right now */
    bool told;
    bool alone; /* telling together failed */
};

static bool same_machine(const struct tt_join *a, const struct tt_join *b)
{
    return a->proxy->provider == b->proxy->provider &&
           tt_streq(a->proxy->region, b->proxy->region) &&
           tt_streq(a->proxy->machine, b->proxy->machine);
}

/* True when somebody tells JOIN's machine now, or waits to do so; under the lock. */
static bool is_led(const struct tt_apply_run *run, const struct tt_join *join)
{
    for (const struct tt_join *other = run->joins; other; other = other->next)
        if (other->telling && same_machine(other, join))
            return true;
    return false;
}

static void leave_list(struct tt_apply_run *run, const struct tt_join *join)
{
    struct tt_join **at = &run->joins;

    while (*at != join)
        at = &(*at)->next;
    *at = join->next;
}

/* All that want to join JOIN's machine, itself included; under the lock. */
static size_t collect(struct tt_apply_run *run, const struct tt_join *join,
                      struct tt_arena *scratch, struct tt_join ***ret_joins)
{
    size_t count = 0;

    for (struct tt_join *other = run->joins; other; other = other->next)
        count += same_machine(other, join);
    *ret_joins = TT_NEW_ARRAY(scratch, count, struct tt_join *);
    count = 0;
    for (struct tt_join *other = run->joins; other; other = other->next)
        if (same_machine(other, join)) {
            other->telling = true;
            (*ret_joins)[count++] = other;
        }
    return count;
}

static bool tell(struct tt_join **joins, size_t count, struct tt_arena *scratch)
{
    const struct tt_proxy_member **members =
        TT_NEW_ARRAY(scratch, count, const struct tt_proxy_member *);
    struct tt_error ignored = {0};

    for (size_t i = 0; i < count; i++)
        members[i] = joins[i]->member;
    return count > 1 && tt_proxy_start_all(joins[0]->proxy, members, count, &ignored) == 0;
}

/* Tells the machine of everybody; under the lock, which is given back meanwhile. */
static void lead(const struct tt_call *call, struct tt_join *join)
{
    const struct tt_clock *clock = call->run->request->clock;
    struct tt_join **joins;
    size_t count;
    bool told;

    join->telling = true;
    pthread_mutex_unlock(&call->run->lock);
    clock->sleep(clock->self, MOMENT);
    pthread_mutex_lock(&call->run->lock);
    count = collect(call->run, join, call->scratch, &joins);
    pthread_mutex_unlock(&call->run->lock);
    told = tell(joins, count, call->scratch);
    pthread_mutex_lock(&call->run->lock);
    for (size_t i = 0; i < count; i++) {
        joins[i]->told = told;
        joins[i]->alone = !told;
        leave_list(call->run, joins[i]);
    }
    pthread_cond_broadcast(&call->run->joined);
}

int tt_call_join(const struct tt_call *call, const struct tt_proxy *proxy,
                 const struct tt_proxy_member *member, struct tt_error *err)
{
    struct tt_apply_run *run = call->run;
    struct tt_join join = {.proxy = proxy, .member = member};

    if (!run->alone) {
        pthread_mutex_lock(&run->lock);
        join.next = run->joins;
        run->joins = &join;
        while (!join.told && !join.alone) {
            if (!join.telling && !is_led(run, &join))
                lead(call, &join);
            else
                pthread_cond_wait(&run->joined, &run->lock);
        }
        pthread_mutex_unlock(&run->lock);
        if (join.told)
            return 0;
    }
    return tt_proxy_start(proxy, member, err);
}
