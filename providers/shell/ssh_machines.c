/*
 * Machines of a cloud: see the header. What was learnt last holds; which of a machine's addresses
 * was reached is kept until its addresses change.
 */
#include "providers/shell/ssh_machines.h"

#include <pthread.h>

#include "base/map.h"
#include "base/str.h"
#include "providers/shell/ssh.h"
#include "providers/shell/ssh_console.h"

#define ADDRESSES 2
#define NEW       (INT64_C(10) * 60 * 1000) /* so long a console may not tell everything yet */

struct place {
    const char *addresses[ADDRESSES]; /* in the order that they are tried in; NULL: none */
    const char *host_key;             /* that it published; NULL: none, known_hosts has it */
    const char *console_keys;         /* that its console said, where nothing else did */
    tt_time created_at;
};

struct tt_ssh_machines {
    struct tt_ssh *ssh;
    const struct tt_clock *clock;
    pthread_mutex_t lock;
    struct tt_arena arena; /* of the map and all strings in it */
    struct tt_map places;  /* ids of machines */
};

int tt_ssh_machines_open(const struct tt_provider_settings *settings, struct tt_arena *arena,
                         struct tt_ssh_machines **ret_machines, struct tt_error *err)
{
    struct tt_ssh_machines *machines;
    struct tt_ssh_settings ssh;

    if (tt_ssh_settings_of(settings->account, settings->base_folder, arena, &ssh, err) < 0)
        return -1;
    machines = TT_NEW(arena, struct tt_ssh_machines);
    machines->ssh = tt_ssh_new(&ssh);
    machines->clock = settings->clock;
    pthread_mutex_init(&machines->lock, NULL);
    tt_arena_init(&machines->arena);
    tt_map_init(&machines->places, &machines->arena);
    *ret_machines = machines;
    return 0;
}

void tt_ssh_machines_close(struct tt_ssh_machines *machines)
{
    if (!machines)
        return;
    tt_ssh_free(machines->ssh);
    pthread_mutex_destroy(&machines->lock);
    tt_arena_release(&machines->arena);
}

static bool has(const struct place *place, const char *address)
{
    return tt_streq(place->addresses[0], address) || tt_streq(place->addresses[1], address);
}

void tt_ssh_machines_learn(struct tt_ssh_machines *machines, const struct tt_server *server)
{
    const char *public = server->public_address, *private = server->private_address;
    struct place *place;

    if (!public && !private)
        return;
    pthread_mutex_lock(&machines->lock);
    place = tt_map_get(&machines->places, server->id);
    if (!place) {
        place = TT_NEW(&machines->arena, struct place);
        tt_map_put(&machines->places, tt_strdup(&machines->arena, server->id), place);
    }
    if (tt_streq(public, private))
    private = NULL;
    if (!has(place, public) || !has(place, private)) {
        place->addresses[0] = tt_strdup(&machines->arena, public ? public : private);
        place->addresses[1] = public ? tt_strdup(&machines->arena, private) : NULL;
    }
    if (!tt_streq(place->host_key, server->tags.host_key))
        place->host_key = tt_strdup(&machines->arena, server->tags.host_key);
    place->created_at = server->created_at;
    pthread_mutex_unlock(&machines->lock);
}

/* A copy, since another thread may learn meanwhile. */
static bool is_known(struct tt_ssh_machines *machines, const char *machine, struct place *ret_place)
{
    const struct place *place;

    pthread_mutex_lock(&machines->lock);
    place = tt_map_get(&machines->places, machine);
    if (place)
        *ret_place = *place;
    pthread_mutex_unlock(&machines->lock);
    return place != NULL;
}

/* The second address was reached where the first was not: it is the first to try from now on. */
static void prefer(struct tt_ssh_machines *machines, const char *machine, const char *address)
{
    struct place *place;

    pthread_mutex_lock(&machines->lock);
    place = tt_map_get(&machines->places, machine);
    if (place && tt_streq(place->addresses[1], address)) {
        const char *other = place->addresses[0];

        place->addresses[0] = place->addresses[1];
        place->addresses[1] = other;
    }
    pthread_mutex_unlock(&machines->lock);
}

static int locate(struct tt_ssh_machines *machines, const struct tt_run_request *request,
                  const struct tt_ssh_cloud *cloud, struct tt_arena *arena, struct place *ret_place,
                  struct tt_error *err)
{
    struct tt_server server = {.created_at = TT_TIME_UNKNOWN};

    if (!is_known(machines, request->machine, ret_place)) {
        if (cloud->find(cloud->self, request->region, request->machine, arena, &server, err) < 0)
            return -1;
        server.id = request->machine;
        if (!server.public_address && !server.private_address)
            return tt_fail(err, TT_ERR_UNAVAILABLE, "machine %s has no address yet",
                           request->machine);
        tt_ssh_machines_learn(machines, &server);
        is_known(machines, request->machine, ret_place);
    }
    return 0;
}

/* Tries the addresses of PLACE from AT on, which then says the last one that was tried. */
static int run_at(struct tt_ssh_machines *machines, const struct tt_run_request *request,
                  const struct place *place, int *at, struct tt_arena *arena,
                  struct tt_run_result *ret_result, struct tt_error *err)
{
    for (;; ++*at) {
        struct tt_ssh_target target = {
            .address = place->addresses[*at],
            .host_key = place->host_key ? place->host_key : place->console_keys,
        };

        *err = (struct tt_error){0};
        if (tt_ssh_run(machines->ssh, &target, request, arena, ret_result, err) == 0) {
            prefer(machines, request->machine, target.address);
            return 0;
        }
        if (err->class != TT_ERR_UNAVAILABLE || *at + 1 == ADDRESSES || !place->addresses[*at + 1])
            return -1;
    }
}

/* --- consoles ------------------------------------------------------------------------------- */

static bool is_new(const struct tt_ssh_machines *machines, const struct place *place)
{
    return tt_time_is_recent(place->created_at, machines->clock->now(machines->clock->self), NEW);
}

/* After ERR, "host-key-unknown", and INNER, of reading the console. A cloud that does not answer
 * just now says nothing of the machine, so this is not called unavailable: it is to be asked again.
 */
static int fail_console(const char *machine, const struct tt_error *inner, struct tt_error *err)
{
    if (inner->class == TT_ERR_THROTTLED || inner->class == TT_ERR_UNAVAILABLE ||
        inner->class == TT_ERR_TIMEOUT)
        return tt_fail(err, TT_ERR_THROTTLED,
                       "nobody knows the host key of machine %s, and its console was not read (%s)",
                       machine, inner->message);
    return tt_wrap(err, "the console of %s was not read (%s)", machine, inner->message);
}

/* After ERR, "host-key-unknown": takes the keys from the console, or says more. What another thread
 * learnt from it meanwhile counts. */
static int ask_console(struct tt_ssh_machines *machines, const struct tt_run_request *request,
                       const struct tt_ssh_cloud *cloud, struct tt_arena *arena,
                       struct place *place, struct tt_error *err)
{
    struct tt_error inner = {0};
    const char *text = NULL, *keys;
    struct place *kept;

    if (cloud->console(cloud->self, request->region, request->machine, arena, &text, &inner) < 0)
        return fail_console(request->machine, &inner, err);
    keys = text ? tt_ssh_console_keys(arena, text) : NULL;
    if (!keys && is_new(machines, place))
        return tt_fail(err, TT_ERR_UNAVAILABLE,
                       "nobody knows the host key of machine %s, and its console does not say it "
                       "yet",
                       request->machine);
    if (!keys)
        return tt_wrap(err, "the console of %s says no host key", request->machine);
    pthread_mutex_lock(&machines->lock);
    kept = tt_map_get(&machines->places, request->machine);
    if (!kept->console_keys)
        kept->console_keys = tt_strdup(&machines->arena, keys);
    place->console_keys = kept->console_keys;
    pthread_mutex_unlock(&machines->lock);
    return 0;
}

int tt_ssh_machines_run(struct tt_ssh_machines *machines, const struct tt_run_request *request,
                        const struct tt_ssh_cloud *cloud, struct tt_arena *arena,
                        struct tt_run_result *ret_result, struct tt_error *err)
{
    struct place place = {0};
    struct tt_error own = {0};
    int result, at = 0;

    if (locate(machines, request, cloud, arena, &place, err) < 0)
        return -1;
    result = run_at(machines, request, &place, &at, arena, ret_result, &own);
    if (result < 0 && tt_streq(own.code, "host-key-unknown") && cloud->console &&
        ask_console(machines, request, cloud, arena, &place, &own) == 0)
        result = run_at(machines, request, &place, &at, arena, ret_result, &own);
    if (result < 0 && err)
        *err = own;
    return result;
}
