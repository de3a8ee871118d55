/*
 * SSH: the sessions of all machines. A session is used by one thread at a time and kept when it is
 * done; a machine gets a bounded number of them, made one after the other, because sshd drops
 * connections when too many are not yet proven at the same time.
 */
#include "providers/shell/ssh.h"

#include <errno.h>
#include <pthread.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "providers/shell/ssh_session.h"

#define CONNECT_TIMEOUT (INT64_C(10) * 1000)
#define NO_TIMEOUT      (INT64_C(24) * 3600 * 1000)
#define MAX_LINE        (96u * 1024) /* Linux takes 128 KiB as one argument of a shell */
#define NO_COMMAND      127

/* A session that nobody uses now. */
struct idle {
    ssh_session session;
    struct idle *next;
};

/* A machine that was reached before. */
struct host {
    char *name; /* with all that makes a difference */
    int open;   /* sessions: idle, in use, being made */
    bool connecting;
    struct idle *idle;
    struct host *next;
};

struct tt_ssh {
    struct tt_ssh_settings settings;
    struct tt_arena arena; /* of defaults */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct host *hosts;
};

static const char *our_name(struct tt_arena *arena)
{
    char space[4096];
    struct passwd entry, *found = NULL;

    if (getpwuid_r(geteuid(), &entry, space, sizeof(space), &found) == 0 && found)
        return tt_strdup(arena, found->pw_name);
    return "root";
}

const char *tt_ssh_home(struct tt_arena *arena)
{
    const char *home = getenv("HOME");
    char space[4096];
    struct passwd entry, *found = NULL;

    if (home && *home)
        return tt_strdup(arena, home);
    if (getpwuid_r(geteuid(), &entry, space, sizeof(space), &found) == 0 && found)
        return tt_strdup(arena, found->pw_dir);
    return NULL;
}

struct tt_ssh *tt_ssh_new(const struct tt_ssh_settings *settings)
{
    struct tt_ssh *ssh = calloc(1, sizeof(*ssh));
    pthread_condattr_t attributes;
    const char *home;

    if (!ssh)
        abort();
    tt_arena_init(&ssh->arena);
    ssh->settings = *settings;
    if (!ssh->settings.user)
        ssh->settings.user = our_name(&ssh->arena);
    if (!ssh->settings.port)
        ssh->settings.port = TT_SSH_PORT;
    if (!ssh->settings.connect_timeout)
        ssh->settings.connect_timeout = CONNECT_TIMEOUT;
    if (!ssh->settings.known_hosts) {
        home = tt_ssh_home(&ssh->arena);
        ssh->settings.known_hosts = tt_printf(&ssh->arena, "%s/.ssh/known_hosts", home ? home : "");
    }
    pthread_mutex_init(&ssh->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&ssh->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    return ssh;
}

static void end_session(ssh_session session)
{
    ssh_disconnect(session);
    ssh_free(session);
}

void tt_ssh_free(struct tt_ssh *ssh)
{
    struct host *host;
    struct idle *idle;

    if (!ssh)
        return;
    while ((host = ssh->hosts)) {
        ssh->hosts = host->next;
        while ((idle = host->idle)) {
            host->idle = idle->next;
            end_session(idle->session);
            free(idle);
        }
        free(host->name);
        free(host);
    }
    pthread_cond_destroy(&ssh->changed);
    pthread_mutex_destroy(&ssh->lock);
    tt_arena_release(&ssh->arena);
    free(ssh);
}

/* --- handing out ---------------------------------------------------------------------------- */

static struct host *find_host(struct tt_ssh *ssh, const char *name)
{
    struct host *host;

    for (host = ssh->hosts; host; host = host->next)
        if (strcmp(host->name, name) == 0)
            return host;
    host = calloc(1, sizeof(*host));
    if (!host || !(host->name = strdup(name)))
        abort();
    host->next = ssh->hosts;
    ssh->hosts = host;
    return host;
}

static struct tt_ssh_place place_of(const struct tt_ssh *ssh, const struct tt_ssh_target *target)
{
    return (struct tt_ssh_place){
        .address = target->address,
        .port = target->port ? target->port : ssh->settings.port,
        .user = ssh->settings.user,
        .key = ssh->settings.key,
        .known_hosts = ssh->settings.known_hosts,
        .host_key = target->host_key,
        .timeout = ssh->settings.connect_timeout,
    };
}

static struct host *host_of(struct tt_ssh *ssh, const struct tt_ssh_place *place)
{
    TT_BUF_AUTO name = {0};

    tt_buf_addf(&name, "%s %d %s", place->address, place->port,
                place->host_key ? place->host_key : "");
    return find_host(ssh, tt_buf_text(&name));
}

static int wait_until(struct tt_ssh *ssh, tt_time deadline)
{
    struct timespec at = {.tv_sec = deadline / 1000, .tv_nsec = deadline % 1000 * 1000000};

    return pthread_cond_timedwait(&ssh->changed, &ssh->lock, &at) == ETIMEDOUT ? -1 : 0;
}

/* The lock is held. An idle session, or NULL and the right to make one. */
static int take_turn(struct tt_ssh *ssh, struct host *host, bool fresh, tt_time deadline,
                     ssh_session *ret_session)
{
    for (;;) {
        struct idle *idle = host->idle;

        if (idle && !fresh) {
            *ret_session = idle->session;
            host->idle = idle->next;
            free(idle);
            return 0;
        }
        if (!host->connecting && host->open < TT_SSH_MOST_AT_ONCE) {
            *ret_session = NULL;
            host->open++;
            host->connecting = true;
            return 0;
        }
        if (wait_until(ssh, deadline) < 0)
            return -1;
    }
}

/* FRESH: a new session, because one that was open turned out to be dead. */
static int take(struct tt_ssh *ssh, const struct tt_ssh_place *place, bool fresh, tt_time deadline,
                struct host **ret_host, ssh_session *ret_session, struct tt_error *err)
{
    struct host *host;
    int result;

    pthread_mutex_lock(&ssh->lock);
    host = host_of(ssh, place);
    result = take_turn(ssh, host, fresh, deadline, ret_session);
    pthread_mutex_unlock(&ssh->lock);
    *ret_host = host;
    if (result < 0)
        return tt_fail(err, TT_ERR_UNAVAILABLE, "all %d connections to %s are busy",
                       TT_SSH_MOST_AT_ONCE, place->address);
    if (*ret_session)
        return 0;
    result = tt_ssh_connect(place, ret_session, err);
    pthread_mutex_lock(&ssh->lock);
    host->connecting = false;
    host->open -= result < 0;
    pthread_cond_broadcast(&ssh->changed);
    pthread_mutex_unlock(&ssh->lock);
    return result;
}

static void give_back(struct tt_ssh *ssh, struct host *host, ssh_session session, bool reusable)
{
    struct idle *idle = reusable ? calloc(1, sizeof(*idle)) : NULL;

    if (!idle)
        end_session(session);
    pthread_mutex_lock(&ssh->lock);
    if (idle) {
        *idle = (struct idle){.session = session, .next = host->idle};
        host->idle = idle;
    } else {
        host->open--;
    }
    pthread_cond_broadcast(&ssh->changed);
    pthread_mutex_unlock(&ssh->lock);
}

/* --- running -------------------------------------------------------------------------------- */

/* A session that stayed open may have died since: nothing was sent then, and a new one is made. */
static int run_line(struct tt_ssh *ssh, const struct tt_ssh_target *target, const char *line,
                    const char *input, tt_time deadline, struct tt_arena *arena,
                    struct tt_run_result *ret_result, struct tt_error *err)
{
    struct tt_ssh_place place = place_of(ssh, target);

    for (int turn = 0;; turn++) {
        enum tt_ssh_outcome outcome;
        struct tt_error inner = {0};
        ssh_session session = NULL;
        struct host *host = NULL;
        bool reusable = false;

        if (take(ssh, &place, turn > 0, deadline, &host, &session, err) < 0)
            return -1;
        outcome = tt_ssh_exec(session, line, input, deadline, arena, ret_result, &reusable, &inner);
        give_back(ssh, host, session, reusable);
        if (outcome == TT_SSH_DONE)
            return 0;
        if (outcome == TT_SSH_UNUSED && turn == 0)
            continue;
        if (err)
            *err = inner;
        return -1;
    }
}

static int make_line(const struct tt_ssh *ssh, const char *const *argv, const char *before,
                     struct tt_buf *line, struct tt_error *err)
{
    tt_buf_add(line, before);
    if (ssh->settings.sudo)
        tt_buf_add(line, "sudo -n -- ");
    tt_ssh_quote(line, argv);
    return line->length <= MAX_LINE
               ? 0
               : tt_fail(err, TT_ERR_SPEC, "the command line of %s is longer than %u bytes",
                         argv[0], MAX_LINE);
}

/* A shell's way to say that there is no such command is also an exit status of its own. */
static int is_missing(struct tt_ssh *ssh, const struct tt_ssh_target *target, const char *path,
                      tt_time deadline, struct tt_arena *arena, bool *ret_missing,
                      struct tt_error *err)
{
    const char *argv[] = {"test", "-e", path, NULL};
    struct tt_run_result result = {0};
    TT_BUF_AUTO line = {0};

    if (make_line(ssh, argv, "", &line, err) < 0 ||
        run_line(ssh, target, tt_buf_text(&line), NULL, deadline, arena, &result, err) < 0)
        return -1;
    *ret_missing = result.exit_code == 1;
    return 0;
}

static tt_time deadline_of(tt_time timeout)
{
    return tt_monotonic() + (timeout > 0 ? timeout : NO_TIMEOUT);
}

int tt_ssh_run(struct tt_ssh *ssh, const struct tt_ssh_target *target,
               const struct tt_run_request *request, struct tt_arena *arena,
               struct tt_run_result *ret_result, struct tt_error *err)
{
    tt_time deadline = deadline_of(request->timeout);
    const char *program = request->argv[0];
    struct tt_run_result result = {0};
    bool missing = false;
    TT_BUF_AUTO line = {0};

    if (make_line(ssh, request->argv, "exec ", &line, err) < 0)
        return -1;
    if (run_line(ssh, target, tt_buf_text(&line), request->input, deadline, arena, &result, err) <
        0)
        return tt_wrap(err, "%s on %s", program, target->address);
    if (result.exit_code == NO_COMMAND &&
        is_missing(ssh, target, program, deadline, arena, &missing, err) < 0)
        return tt_wrap(err, "%s on %s", program, target->address);
    if (missing)
        return tt_fail(err, TT_ERR_NOT_FOUND, "%s has no %s", target->address, program);
    *ret_result = result;
    return 0;
}

int tt_ssh_reach(struct tt_ssh *ssh, const struct tt_ssh_target *target, struct tt_error *err)
{
    struct tt_run_result result = {0};
    struct tt_arena arena;
    int code;

    tt_arena_init(&arena);
    code = run_line(ssh, target, ":", NULL, deadline_of(ssh->settings.connect_timeout), &arena,
                    &result, err);
    tt_arena_release(&arena);
    return code;
}
