/*
 * Daemon: what follows Git and keeps the world on course, as those see it who watch and command it:
 * the web server, its pages and its API. Every function may be called from any thread, and none
 * waits for a run.
 */
#ifndef TT_SERVE_DAEMON_H
#define TT_SERVE_DAEMON_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/error.h"
#include "serve/durations.h"

struct tt_daemon;

enum tt_phase {
    TT_PHASE_IDLE,
    TT_PHASE_QUEUED,
    TT_PHASE_RUNNING,
    TT_PHASE_BACKING_OFF, /* its last run failed: tried again at NEXT */
    TT_PHASE_HELD,        /* a plan waits for approval: see HELD_RUN */
    TT_PHASE_SUSPENDED,
    TT_PHASES,
};

const char *tt_phase_name(enum tt_phase phase); /* "backing-off" */

/* One deployment of one repository. */
struct tt_daemon_deployment {
    const char *repository; /* its name in the configuration */
    const char *name;
    enum tt_phase phase;
    const char *revision; /* the newest commit seen, in hex */
    const char *message;  /* why it failed, is held or backs off; NULL: nothing to say */
    tt_time next;         /* the next check or try; TT_TIME_UNKNOWN: none */
    int failures;         /* in a row */
    int64_t last_run;     /* in the store; 0: none yet */
    int64_t held_run;     /* waits for approval; 0: none */
    int drift;            /* steps that a check last wanted; -1: not checked yet */
};

/* All deployments, by repository and name, in ARENA. */
struct tt_daemon_deployments {
    struct tt_daemon_deployment *items;
    size_t count;
};
void tt_daemon_list(struct tt_daemon *daemon, struct tt_arena *arena,
                    struct tt_daemon_deployments *ret_list);

/* The newest plan of a deployment and its picture, as JSON in the formats of plans and of
 * reconciler/commands/picture.h; NOT_FOUND: none yet. */
int tt_daemon_plan(struct tt_daemon *daemon, struct tt_arena *arena, const char *repository,
                   const char *deployment, const char **ret_plan, const char **ret_picture,
                   struct tt_error *err);

/* What the accounts of a repository offer, as `trimtab offers --json` writes it, and when the
 * clouds were asked: now, or within the last minute. NOT_FOUND: no such repository, or it was not
 * read yet; UNAVAILABLE: they could not be asked. */
int tt_daemon_offers(struct tt_daemon *daemon, struct tt_arena *arena, const char *repository,
                     const char **ret_offers, tt_time *ret_at, struct tt_error *err);

/* Approves the held plan of RUN in the name of WHO: exactly it is carried out. NOT_FOUND: no such
 * run; CONFLICT: it is not held any more. */
int tt_daemon_approve(struct tt_daemon *daemon, int64_t run, const char *who, struct tt_error *err);

/* Asks for a check of a deployment now, in the name of WHO. NOT_FOUND: no such deployment. */
int tt_daemon_check(struct tt_daemon *daemon, const char *repository, const char *deployment,
                    const char *who, struct tt_error *err);

/* --- what happens ------------------------------------------------------------------------------
 */

/* Events are numbered from 1 on and kept until newer ones push them out. */
struct tt_daemon_event {
    uint64_t number;
    tt_time at;
    const char *type; /* "queued", "run-began", "step", "run-ended", "held", "drift", "recovery" */
    const char *json; /* an object with repository, deployment, run and what the type tells */
};
struct tt_daemon_events {
    struct tt_daemon_event *items;
    size_t count;
};

/* Events after number AFTER, in ARENA; waits for the first for at most WAIT, less when the daemon
 * ends. */
void tt_daemon_events(struct tt_daemon *daemon, struct tt_arena *arena, uint64_t after,
                      tt_time wait, struct tt_daemon_events *ret_events);

/* The number of the event that happened last; 0: none yet. */
uint64_t tt_daemon_newest_event(struct tt_daemon *daemon);

/* --- webhooks ----------------------------------------------------------------------------------
 */

/* One POST to /hooks/NAME. HEADER gives the value of a header, whatever its case; NULL: not sent.
 */
struct tt_delivery {
    const char *name;
    const char *peer; /* the sender's address */
    const char *(*header)(void *request, const char *name);
    void *request;
    const void *body;
    size_t size;
};

/* Returns the HTTP status to answer with, and a sentence without secrets in ARENA. */
int tt_daemon_deliver(struct tt_daemon *daemon, struct tt_arena *arena,
                      const struct tt_delivery *delivery, const char **ret_answer);

/* --- numbers -----------------------------------------------------------------------------------
 */

/* What /metrics tells of the daemon; all but the gauges only grow. */
struct tt_daemon_counts {
    uint64_t runs_done, runs_failed, runs_held;
    struct tt_durations took_done, took_failed, took_held; /* of the same runs */
    uint64_t recoveries;                                   /* balancers replaced */
    uint64_t checks, drifts; /* checks made, and those that found something */
    uint64_t deliveries, deliveries_refused;
    uint64_t notifications, notifications_failed;
    uint64_t probes, probes_failed; /* of balancers' listeners, between runs */
    uint64_t queued, running;       /* gauges */
    uint64_t failing;               /* gauge: balancers' machines that do not answer */
};
void tt_daemon_counts(struct tt_daemon *daemon, struct tt_daemon_counts *ret_counts);

/* 0: ready: every repository has been read once; else what is missing. */
int tt_daemon_ready(struct tt_daemon *daemon, struct tt_error *err);

#endif
