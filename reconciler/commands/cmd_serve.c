/*
 * serve: the daemon, from its configuration to the signal that ends it.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "reconciler/commands/commands.h"
#include "serve/poll.h"
#include "serve/serve.h"
#include "serve/systemd.h"
#include "serve/web/web.h"

/* Runs are started from the file that this process was, even when it has been replaced since. */
#define THIS_PROGRAM "/proc/self/exe"
#define TICK_MS      1000
/* of a Git server, in seconds */
#define LONGEST_SILENCE 60

static struct tt_config *read_config(struct tt_session *session)
{
    struct tt_findings findings = {0};
    struct tt_error err = {0};
    struct tt_config *config =
        tt_config_read(&session->arena, session->options.config, &findings, &err);

    if (!config && findings.count)
        tt_findings_print(stderr, &findings, session->color && isatty(STDERR_FILENO));
    else if (!config)
        tt_session_complain(session, &err);
    return config;
}

static const char *state_folder(struct tt_session *session, const struct tt_config *config)
{
    const char *environment = getenv("TRIMTAB_STATE_DIR");

    if (config->state && !session->options.state && !(environment && *environment))
        return tt_strdup(&session->arena, config->state);
    return session->state_folder;
}

static void reload(struct tt_session *session, struct tt_daemon *daemon)
{
    struct tt_config *config = read_config(session);

    tt_systemd_notify("RELOADING=1");
    if (config)
        tt_serve_reload(daemon, config);
    else
        fprintf(stderr, "trimtab: the configuration stays as it was\n");
    tt_systemd_notify("READY=1");
}

/* Until SIGTERM or SIGINT; SIGHUP reads the configuration again. */
static void wait_for_signals(struct tt_session *session, struct tt_daemon *daemon,
                             const sigset_t *signals)
{
    tt_time watchdog = tt_systemd_watchdog(), told = tt_monotonic();
    struct timespec tick = {.tv_sec = TICK_MS / 1000};
    struct tt_daemon_counts counts;

    for (;;) {
        int number = sigtimedwait(signals, NULL, &tick);

        if (number == SIGTERM || number == SIGINT)
            return;
        if (number == SIGHUP)
            reload(session, daemon);
        if (watchdog > 0 && tt_monotonic() - told >= watchdog - TICK_MS) {
            tt_daemon_counts(daemon, &counts); /* it answers */
            tt_systemd_notify("WATCHDOG=1");
            told = tt_monotonic();
        }
    }
}

/* A copy: the configuration may be another one before the server ends. */
static struct tt_web_options web_options(struct tt_session *session, const struct tt_config *config)
{
    struct tt_arena *arena = &session->arena;
    struct tt_web_options options = {
        .address = tt_strdup(arena, config->web.address),
        .port = config->web.port,
        .certificate = tt_strdup(arena, config->web.certificate),
        .key = tt_strdup(arena, config->web.key),
        .state_folder = state_folder(session, config),
    };

    TT_EACH (token, &config->web.tokens)
        *TT_VEC_ADD(arena, &options.tokens) =
            (struct tt_web_token){.name = tt_strdup(arena, token->name),
                                  .sha256 = tt_strdup(arena, token->sha256),
                                  .is_operator = token->is_operator};
    return options;
}

/* Follows, and is watched, until a signal. */
static int serve(struct tt_session *session, const struct tt_serve_options *options,
                 struct tt_config *config, const sigset_t *signals)
{
    struct tt_web_options page = web_options(session, config);
    bool watched = config->web.given;
    struct tt_web *web = NULL;
    struct tt_daemon *daemon;
    struct tt_error err = {0};
    int result;

    if (tt_serve_start(options, config, &daemon, &err) < 0) {
        tt_session_complain(session, &err);
        return 1;
    }
    result = watched ? tt_web_start(&page, daemon, &web, &err) : 0;
    if (result < 0) {
        tt_session_complain(session, &err);
    } else {
        if (web && !session->options.quiet)
            fprintf(stderr, "trimtab: the page is at http%s://%s:%d/\n",
                    page.certificate ? "s" : "", page.address, tt_web_port(web));
        tt_systemd_notify("READY=1");
        wait_for_signals(session, daemon, signals);
        tt_systemd_notify("STOPPING=1");
    }
    tt_serve_stop(daemon);
    if (web)
        tt_web_stop(web);
    tt_serve_free(daemon);
    return result < 0;
}

/* Fetches one repository and says its newest commit: what the daemon has done by a child, and a way
 * to try a login. */
static int fetch(struct tt_session *session, const struct tt_config *config)
{
    const char *name = session->options.fetch, *revision = NULL;
    const struct tt_repository_config *found = NULL;
    struct tt_error err = {0};

    TT_EACH (repository, &config->repositories)
        found = strcmp(repository->name, name) == 0 ? repository : found;
    if (!found) {
        fprintf(stderr, "trimtab: the configuration has no repository %s\n", name);
        return 1;
    }
    if (tt_poll_fetch(&session->arena, found,
                      tt_poll_folder(&session->arena, state_folder(session, config), name),
                      LONGEST_SILENCE, &revision, &err) < 0) {
        tt_session_complain(session, &err);
        return 1;
    }
    printf("%s\n", revision);
    return 0;
}

int tt_cmd_serve(struct tt_session *session)
{
    struct tt_serve_options options = {.program = THIS_PROGRAM, .clock = session->clock};
    struct tt_config *config;
    sigset_t signals;

    if (!session->options.config) {
        fprintf(stderr, "trimtab: serve needs a configuration: --config FILE\n");
        return 1;
    }
    config = read_config(session);
    if (!config)
        return 1;
    if (session->options.fetch) {
        int code = fetch(session, config);

        tt_config_free(config);
        return code;
    }
    if (session->options.check) {
        tt_config_free(config);
        if (!session->options.quiet)
            printf("%s is right.\n", session->options.config);
        return 0;
    }
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    options.state_folder = state_folder(session, config);
    return serve(session, &options, config, &signals);
}
