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
#include "serve/log.h"
#include "serve/poll.h"
#include "serve/serve.h"
#include "serve/systemd.h"
#include "serve/web/web.h"

/* Runs are started from the file that this process was, even when it has been replaced since. */
#define THIS_PROGRAM "/proc/self/exe"
#define TICK_MS      1000
/* of a Git server, in seconds */
#define LONGEST_SILENCE 60

/* What this file says goes into the log when that is for machines, else to people as other commands
 * say it. LOG may be NULL: no configuration was read yet. */
static void complain(const struct tt_session *session, const struct tt_log *log,
                     const struct tt_error *err)
{
    if (log && log->json)
        tt_log(log, TT_LOG_ERROR, NULL, NULL, "%s", err->message);
    else
        tt_session_complain(session, err);
}

static void print_findings(const struct tt_session *session, const struct tt_log *log,
                           const struct tt_findings *findings)
{
    if (!log || !log->json) {
        tt_findings_print(stderr, findings, session->color && isatty(STDERR_FILENO));
        return;
    }
    TT_EACH (each, findings)
        tt_log(log, TT_LOG_ERROR, NULL, NULL, "%s:%d:%d: %s", each->mark.file, each->mark.line,
               each->mark.column, each->message);
}

static struct tt_config *read_config(struct tt_session *session, const struct tt_log *log)
{
    struct tt_findings findings = {0};
    struct tt_error err = {0};
    struct tt_config *config =
        tt_config_read(&session->arena, session->options.config, &findings, &err);

    if (!config && findings.count)
        print_findings(session, log, &findings);
    else if (!config)
        complain(session, log, &err);
    return config;
}

static const char *state_folder(struct tt_session *session, const struct tt_config *config)
{
    const char *environment = getenv("TRIMTAB_STATE_DIR");

    if (config->state && !session->options.state && !(environment && *environment))
        return tt_strdup(&session->arena, config->state);
    return session->state_folder;
}

/* In ARENA, and borrowed from CONFIG. */
static struct tt_web_options web_options(struct tt_arena *arena, const struct tt_config *config,
                                         const char *state)
{
    struct tt_web_options options = {
        .address = config->web.address,
        .port = config->web.port,
        .certificate = config->web.certificate,
        .key = config->web.key,
        .state_folder = state,
    };

    TT_EACH (token, &config->web.tokens)
        *TT_VEC_ADD(arena, &options.tokens) =
            (struct tt_web_token){token->name, token->sha256, token->is_operator};
    return options;
}

/* The daemon while it runs. */
struct running {
    struct tt_session *session;
    const char *state_folder;
    struct tt_daemon *daemon;
    struct tt_web *web; /* NULL: nothing listens */
    struct tt_log log;
};

static void tell_page(const struct running *running, const struct tt_web_options *page)
{
    bool six = strchr(page->address, ':') != NULL;
    char text[256];

    snprintf(text, sizeof(text), "the page is at http%s://%s%s%s:%d/", page->certificate ? "s" : "",
             six ? "[" : "", page->address, six ? "]" : "", tt_web_port(running->web));
    if (running->log.json)
        tt_log(&running->log, TT_LOG_INFO, NULL, NULL, "%s", text);
    else if (!running->session->options.quiet)
        fprintf(stderr, "trimtab: %s\n", text);
}

/* What the page is from now on; what cannot be so leaves it as it was. */
static int set_page(struct running *running, const struct tt_config *config, struct tt_error *err)
{
    int result = 0, port = running->web ? tt_web_port(running->web) : 0;
    struct tt_web_options page;
    struct tt_arena scratch;

    tt_arena_init(&scratch);
    page = web_options(&scratch, config, running->state_folder);
    if (!config->web.given) {
        if (running->web)
            tt_web_stop(running->web);
        running->web = NULL;
    } else if (running->web) {
        result = tt_web_reload(running->web, &page, err);
    } else {
        result = tt_web_start(&page, running->daemon, &running->web, err);
    }
    if (result == 0 && running->web && port != tt_web_port(running->web))
        tell_page(running, &page);
    tt_arena_release(&scratch);
    return result;
}

static void reload(struct running *running)
{
    struct tt_config *config = read_config(running->session, &running->log);
    struct tt_error err = {0}, stays = {0};

    tt_systemd_notify("RELOADING=1");
    if (config && set_page(running, config, &err) < 0) {
        complain(running->session, &running->log, &err);
        tt_config_free(config);
        config = NULL;
    }
    if (config) {
        running->log.json = config->log_json;
        tt_serve_reload(running->daemon, config);
    } else {
        tt_fail(&stays, TT_ERR_SPEC, "the configuration stays as it was");
        complain(running->session, &running->log, &stays);
    }
    tt_systemd_notify("READY=1");
}

/* Until SIGTERM or SIGINT; SIGHUP reads the configuration again. */
static void wait_for_signals(struct running *running, const sigset_t *signals)
{
    tt_time watchdog = tt_systemd_watchdog(), told = tt_monotonic();
    struct timespec tick = {.tv_sec = TICK_MS / 1000};
    struct tt_daemon_counts counts;

    for (;;) {
        int number = sigtimedwait(signals, NULL, &tick);

        if (number == SIGTERM || number == SIGINT)
            return;
        if (number == SIGHUP)
            reload(running);
        if (watchdog > 0 && tt_monotonic() - told >= watchdog - TICK_MS) {
            tt_daemon_counts(running->daemon, &counts); /* it answers */
            tt_systemd_notify("WATCHDOG=1");
            told = tt_monotonic();
        }
    }
}

/* Follows, and is watched, until a signal. */
static int serve(struct tt_session *session, const struct tt_serve_options *options,
                 struct tt_config *config, const sigset_t *signals)
{
    struct running running = {.session = session,
                              .state_folder = options->state_folder,
                              .log = {options->clock, config->log_json}};
    struct tt_error err = {0};
    int result;

    if (tt_serve_start(options, config, &running.daemon, &err) < 0) {
        complain(session, &running.log, &err);
        return 1;
    }
    result = set_page(&running, config, &err);
    if (result < 0) {
        complain(session, &running.log, &err);
    } else {
        tt_systemd_notify("READY=1");
        wait_for_signals(&running, signals);
        tt_systemd_notify("STOPPING=1");
    }
    tt_serve_stop(running.daemon);
    if (running.web)
        tt_web_stop(running.web);
    tt_serve_free(running.daemon);
    return result < 0;
}

/* Fetches one repository and says its newest commit: what the daemon has done by a child, and a way
 * to try a login. */
static int fetch(struct tt_session *session, const struct tt_config *config)
{
    const char *name = session->options.fetch, *folder, *revision = NULL;
    tt_time now = tt_clock_real()->now(tt_clock_real()->self);
    const struct tt_repository_config *found = NULL;
    struct tt_error err = {0};

    TT_EACH (repository, &config->repositories)
        found = strcmp(repository->name, name) == 0 ? repository : found;
    if (!found) {
        fprintf(stderr, "trimtab: the configuration has no repository %s\n", name);
        return 1;
    }
    folder = tt_poll_folder(&session->arena, state_folder(session, config), name);
    if (tt_poll_fetch(&session->arena, found, folder, LONGEST_SILENCE, &revision, &err) < 0) {
        tt_session_complain(session, &err);
        return 1;
    }
    printf("%s\n", revision);
    fflush(stdout);                                           /* whatever becomes of the rest */
    if (tt_poll_tidy(&session->arena, folder, now, &err) < 0) /* what was fetched counts */
        tt_session_complain(session, &err);
    return 0;
}

/* What only the files that it names can tell. */
static int check(struct tt_session *session, const struct tt_config *config)
{
    struct tt_web_options page = web_options(&session->arena, config, NULL);
    struct tt_error err = {0};

    if (config->web.given && tt_web_check(&page, &err) < 0) {
        tt_session_complain(session, &err);
        return 1;
    }
    if (!session->options.quiet)
        printf("%s is right.\n", session->options.config);
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
    config = read_config(session, NULL);
    if (!config)
        return 1;
    if (session->options.fetch) {
        int code = fetch(session, config);

        tt_config_free(config);
        return code;
    }
    if (session->options.check) {
        int code = check(session, config);

        tt_config_free(config);
        return code;
    }
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    options.state_folder = state_folder(session, config);
    return serve(session, &options, config, &signals);
}
