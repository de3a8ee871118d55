/*
 * Watch: between runs the listeners of vm-dynamic balancers are probed at their recovery.interval,
 * as observe probes them and without asking any cloud. One that fails unhealthyAfter times in a row
 * makes its deployment due: the run looks at the world, and decides by the planner's rules.
 *
 * The lists of what to probe are written by runs (reconciler/watch_list.h). How often a port failed
 * is told to the store, so that the run goes on counting and need not begin anew.
 */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "providers/http/probe.h"
#include "reconciler/watch_list.h"
#include "serve/daemon_parts.h"

#define LARGEST_LIST   ((size_t)16 << 20)
#define LONGEST_WAIT   INT64_C(60000) /* while there is nothing to probe */
#define LONGEST_NAP    INT64_C(1000)  /* else: who is suspended or runs is not waited for */
#define LEAST_INTERVAL INT64_C(100)
#define SLACK          20 /* ms: what is due so soon goes with the round */

/* A port of a balancer's machine. */
struct watched {
    const struct tt_watched_port *self;
    tt_time due;  /* the next probe */
    int failures; /* in a row */
    bool answers; /* to the last probe */
    bool failed;  /* often enough; a run was asked for */
};

struct tt_watch {
    struct tt_arena arena;
    struct watched *ports;
    size_t count;
    uint64_t number; /* no two have the same */
};

void tt_watch_free(struct tt_watch *watch)
{
    if (!watch)
        return;
    tt_arena_release(&watch->arena);
    free(watch);
}

/* --- lists -------------------------------------------------------------------------------------
 */

static tt_time interval_of(const struct tt_watched_port *port)
{
    return port->check->interval > LEAST_INTERVAL ? port->check->interval : LEAST_INTERVAL;
}

/* HANDLED: a run has just dealt with what failed. Without a list nothing is watched. */
static struct tt_watch *read_watch(const char *folder, bool handled, tt_time now,
                                   struct tt_error *err)
{
    struct tt_watch *watch = calloc(1, sizeof(*watch));
    struct tt_watch_list list = {0};
    const char *path;
    char *text;
    size_t size;

    if (!watch)
        abort();
    tt_arena_init(&watch->arena);
    path = tt_printf(&watch->arena, "%s/watch.json", folder);
    if (tt_file_read(&watch->arena, path, LARGEST_LIST, &text, &size, err) < 0 ||
        tt_watch_list_read(&watch->arena, text, size, path, &list, err) < 0)
        return watch;
    watch->ports = TT_NEW_ARRAY(&watch->arena, list.count, struct watched);
    watch->count = list.count;
    for (size_t i = 0; i < list.count; i++) {
        const struct tt_watched_port *port = &list.items[i];
        bool boots = port->from != TT_TIME_UNKNOWN && port->from > now;
        tt_time due = handled ? now + interval_of(port) : now;

        watch->ports[i] = (struct watched){
            .self = port,
            .due = boots ? port->from : due,
            .failed = handled && port->failed,
        };
    }
    return watch;
}

/* With the mutex held. The first list after a start is of an earlier life, which may have ended
 * before it dealt with what failed. */
static void read_again(struct tt_daemon *daemon, struct tt_deployment_state *state,
                       struct tt_arena *scratch)
{
    const char *key = tt_strdup(scratch, state->key);
    const char *folder = tt_job_folder(daemon, scratch, key);
    bool handled = state->watch != NULL;
    struct tt_error err = {0};
    struct tt_watch *watch;

    state->watch_old = false;
    pthread_mutex_unlock(&daemon->mutex);
    watch = read_watch(folder, handled, tt_daemon_now(daemon), &err);
    pthread_mutex_lock(&daemon->mutex);
    state = tt_daemon_find(daemon, key);
    if (!state) {
        tt_watch_free(watch);
        return;
    }
    if (err.class != TT_ERR_NONE && err.class != TT_ERR_NOT_FOUND) /* no run has written one yet */
        tt_log(&daemon->log, TT_LOG_WARNING, state->repository, state->name,
               "its balancers are not watched until its next run: %s", err.message);
    watch->number = ++daemon->watches;
    tt_watch_free(state->watch);
    state->watch = watch;
}

/* With the mutex held, but not all the time: from the beginning after each. */
static void read_old_lists(struct tt_daemon *daemon, struct tt_arena *scratch)
{
    size_t i = 0;

    while (i < daemon->count && !daemon->stopping)
        if (daemon->deployments[i]->watch_old) {
            read_again(daemon, daemon->deployments[i], scratch);
            i = 0;
        } else {
            i++;
        }
}

void tt_watch_again(struct tt_daemon *daemon, const char *key)
{
    struct tt_deployment_state *state = tt_daemon_find(daemon, key);

    if (state)
        state->watch_old = true;
    pthread_cond_broadcast(&daemon->watch_wake);
}

/* --- a round -----------------------------------------------------------------------------------
 */

/* One probe of a round; it holds no pointer into the daemon, which goes on meanwhile. */
struct probing {
    const char *key;
    uint64_t number; /* of its watch */
    size_t index;
    struct tt_watched_port port;
    struct tt_health_check check;
};

struct round {
    struct tt_daemon *daemon;
    struct tt_arena arena;
    TT_VEC(struct probing) items;
    TT_VEC(struct probing) lost; /* those that failed often enough just now */
    tt_failing_ports failing;    /* the same for the store */
    tt_time wait;                /* until the next round */
};

/* True when its owners want that what fails is replaced. */
static bool may_recover(const struct tt_deployment_state *state, const struct tt_queue_state *queue)
{
    return state->policy.on_failure == TT_ON_FAILURE_RECOVER && !queue->paused;
}

/* True while nobody else looks after it: a run sees for itself, and its steps stop machines. */
static bool is_watched(const struct tt_daemon *daemon, const struct tt_deployment_state *state)
{
    struct tt_queue_state queue = {0};

    return state->watch && state->watch->count &&
           tt_queue_read(daemon->queue, state->key, 0, &queue) && !queue.running &&
           may_recover(state, &queue);
}

static void add_probing(struct round *round, const struct tt_deployment_state *state, size_t index)
{
    const struct tt_watched_port *port = state->watch->ports[index].self;
    struct tt_arena *arena = &round->arena;
    struct probing *probing = TT_VEC_ADD(arena, &round->items);

    *probing = (struct probing){.key = tt_strdup(arena, state->key),
                                .number = state->watch->number,
                                .index = index,
                                .port = *port,
                                .check = *port->check};
    probing->port.balancer = tt_strdup(arena, port->balancer);
    probing->port.account = tt_strdup(arena, port->account);
    probing->port.region = tt_strdup(arena, port->region);
    probing->port.machine = tt_strdup(arena, port->machine);
    probing->port.address = tt_strdup(arena, port->address);
    probing->check.path = tt_strdup(arena, port->check->path);
}

/* True when the clock was, so that PORT would wait for as long as it had been wrong. */
static bool was_set_back(const struct watched *port, tt_time now)
{
    return port->due > now + interval_of(port->self) && port->due != port->self->from;
}

/* With the mutex held: what is due. */
static void collect(struct round *round)
{
    struct tt_daemon *daemon = round->daemon;
    tt_time now = tt_daemon_now(daemon);

    round->wait = LONGEST_WAIT;
    for (size_t i = 0; i < daemon->count; i++) {
        struct tt_deployment_state *state = daemon->deployments[i];

        if (state->watch && state->watch->count && round->wait > LONGEST_NAP)
            round->wait = LONGEST_NAP;
        if (!is_watched(daemon, state))
            continue;
        for (size_t k = 0; k < state->watch->count; k++) {
            struct watched *port = &state->watch->ports[k];

            if (port->due <= now + SLACK || was_set_back(port, now)) {
                add_probing(round, state, k);
                port->due = now + interval_of(port->self);
            }
            if (port->due - now < round->wait)
                round->wait = port->due - now;
        }
    }
}

/* With the mutex held: the port that PROBING was of; NULL: there is a newer list, or a run began
 * meanwhile, even if it has ended. */
static struct watched *port_of(const struct probing *probing, struct tt_daemon *daemon,
                               struct tt_deployment_state **ret_state)
{
    struct tt_deployment_state *state = tt_daemon_find(daemon, probing->key);

    if (!state || state->watch_old || !is_watched(daemon, state) ||
        state->watch->number != probing->number)
        return NULL;
    *ret_state = state;
    return &state->watch->ports[probing->index];
}

/* True when it is known already that the machine of PORT failed. */
static bool is_known(const struct tt_watch *watch, const struct watched *port)
{
    for (size_t i = 0; i < watch->count; i++)
        if (watch->ports[i].failed && &watch->ports[i] != port &&
            strcmp(watch->ports[i].self->machine, port->self->machine) == 0)
            return true;
    return false;
}

/* A balancer that answers everywhere owes nobody a wait when it fails again. */
static void forget_what_was_asked(struct tt_deployment_state *state, const char *balancer)
{
    const struct tt_watch *watch = state->watch;
    struct tt_arena scratch;
    const char *name;
    char *found;

    for (size_t i = 0; i < watch->count; i++)
        if (!watch->ports[i].answers && tt_streq(watch->ports[i].self->balancer, balancer))
            return;
    tt_arena_init(&scratch);
    name = tt_printf(&scratch, "/%s/", balancer);
    found = state->asked ? strstr(state->asked, name) : NULL;
    if (found)
        memmove(found, found + strlen(name), strlen(found + strlen(name)) + 1);
    tt_arena_release(&scratch);
}

/* With the mutex held. */
static void judge(struct round *round, const struct probing *probing, bool passed)
{
    struct tt_deployment_state *state = NULL;
    struct watched *port = port_of(probing, round->daemon, &state);

    round->daemon->counts.probes++;
    round->daemon->counts.probes_failed += !passed;
    if (!port)
        return;
    port->answers = passed;
    if (passed) {
        port->failures = 0;
        port->failed = false;
        forget_what_was_asked(state, probing->port.balancer);
        return;
    }
    if (port->failed || ++port->failures < probing->check.unhealthy_after)
        return;
    port->failed = true;
    if (is_known(state->watch, port))
        return;
    *TT_VEC_ADD(&round->arena, &round->lost) = *probing;
    *TT_VEC_ADD(&round->arena, &round->failing) =
        (struct tt_failing_port){.account = probing->port.account,
                                 .region = probing->port.region,
                                 .server = probing->port.machine,
                                 .port = probing->port.port,
                                 .failures = port->failures,
                                 .at = tt_daemon_now(round->daemon)};
}

static void probe(struct round *round)
{
    struct tt_daemon *daemon = round->daemon;
    struct tt_probe *probes = TT_NEW_ARRAY(&round->arena, round->items.count, struct tt_probe);

    for (size_t i = 0; i < round->items.count; i++) {
        struct probing *probing = &round->items.items[i];

        probing->port.check = &probing->check;
        probes[i] = (struct tt_probe){.address = probing->port.address,
                                      .port = probing->port.port,
                                      .check = &probing->check,
                                      .tls = probing->port.tls,
                                      .any_status = true};
    }
    tt_probe_all(probes, round->items.count);
    pthread_mutex_lock(&daemon->mutex);
    for (size_t i = 0; i < round->items.count; i++)
        judge(round, &round->items.items[i], probes[i].passed);
    pthread_mutex_unlock(&daemon->mutex);
}

/* --- what follows ------------------------------------------------------------------------------
 */

/* With the mutex held. */
static void tell(struct tt_daemon *daemon, struct tt_deployment_state *state,
                 const struct probing *lost, struct tt_arena *scratch)
{
    const char *subject =
        tt_printf(scratch, "LoadBalancer/%s/%s", state->name, lost->port.balancer);
    const char *message = tt_printf(scratch, "%s does not answer at %s:%d", subject,
                                    lost->port.address, lost->port.port);
    json_t *object = tt_daemon_event_object(state->repository, state->name);

    json_object_set_new(object, "trigger", json_string("recovery"));
    json_object_set_new(object, "subject", json_string(subject));
    json_object_set_new(object, "message", json_string(message));
    tt_events_add(&daemon->events, tt_daemon_now(daemon), "queued", object);
    tt_log(&daemon->log, TT_LOG_WARNING, state->repository, state->name, "%s", message);
    if (!state->message) /* why it failed or is held matters more */
        tt_daemon_set(&state->message, message);
}

/* With the mutex held: true when a run was asked for on behalf of this balancer since it answered,
 * or a run ended well. What fails now may be its replacement, while another balancer is not to wait
 * for it. */
static bool was_asked_for(struct tt_deployment_state *state, const struct probing *lost,
                          struct tt_arena *scratch)
{
    const char *name = tt_printf(scratch, "/%s/", lost->port.balancer);
    const char *asked = state->asked ? state->asked : "";

    if (strstr(asked, name))
        return true;
    tt_daemon_set(&state->asked, tt_printf(scratch, "%s%s", asked, name));
    return false;
}

static void ask_for_runs(struct round *round)
{
    struct tt_daemon *daemon = round->daemon;
    tt_time now = tt_daemon_now(daemon);
    struct tt_error err = {0};

    if (!round->lost.count)
        return;
    if (tt_store_set_failing(daemon->store, &round->failing, now, &err) < 0)
        tt_log(&daemon->log, TT_LOG_WARNING, NULL, NULL, "%s", err.message);
    pthread_mutex_lock(&daemon->mutex);
    TT_EACH (lost, &round->lost) {
        struct tt_deployment_state *state = tt_daemon_find(daemon, lost->key);

        if (!state)
            continue;
        tell(daemon, state, lost, &round->arena);
        if (was_asked_for(state, lost, &round->arena))
            tt_queue_remind(daemon->queue, lost->key, TT_TRIGGER_RECOVERY, now);
        else
            tt_queue_trigger(daemon->queue, lost->key, TT_TRIGGER_RECOVERY, now);
    }
    pthread_cond_broadcast(&daemon->wake);
    pthread_mutex_unlock(&daemon->mutex);
}

static void *watch_all(void *self)
{
    struct tt_daemon *daemon = self;

    pthread_mutex_lock(&daemon->mutex);
    while (!daemon->stopping) {
        struct round round = {.daemon = daemon};

        tt_arena_init(&round.arena);
        read_old_lists(daemon, &round.arena);
        collect(&round);
        if (round.items.count) {
            pthread_mutex_unlock(&daemon->mutex);
            probe(&round);
            ask_for_runs(&round);
            pthread_mutex_lock(&daemon->mutex);
        } else if (!daemon->stopping) {
            tt_daemon_wait(&daemon->watch_wake, &daemon->mutex, round.wait);
        }
        tt_arena_release(&round.arena);
    }
    pthread_mutex_unlock(&daemon->mutex);
    return NULL;
}

static uint64_t count_failing(const struct tt_watch *watch)
{
    const char *counted = NULL;
    uint64_t count = 0;

    for (size_t i = 0; watch && i < watch->count; i++)
        if (watch->ports[i].failed && !tt_streq(watch->ports[i].self->machine, counted)) {
            counted = watch->ports[i].self->machine;
            count++;
        }
    return count;
}

uint64_t tt_watch_failing(const struct tt_daemon *daemon)
{
    uint64_t count = 0;

    for (size_t i = 0; i < daemon->count; i++) {
        const struct tt_deployment_state *state = daemon->deployments[i];
        struct tt_queue_state queue = {0};

        if (tt_queue_read(daemon->queue, state->key, 0, &queue) && may_recover(state, &queue))
            count += count_failing(state->watch);
    }
    return count;
}

int tt_watch_begin(struct tt_daemon *daemon, struct tt_error *err)
{
    if (pthread_create(&daemon->watch, NULL, watch_all, daemon) != 0)
        return tt_fail(err, TT_ERR_INTERNAL, "this host gives no more threads");
    return 0;
}

void tt_watch_end(struct tt_daemon *daemon)
{
    pthread_join(daemon->watch, NULL);
}
