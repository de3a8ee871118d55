/*
 * The daemon's inside, for the files that it is made of. One mutex guards all of it but the events,
 * which have their own; nobody holds it while he waits for Git, a run or a disk.
 */
#ifndef TT_SERVE_DAEMON_PARTS_H
#define TT_SERVE_DAEMON_PARTS_H

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>

#include "model/json.h"
#include "model/policy.h"
#include "model/words.h"
#include "reconciler/store.h"
#include "serve/deliver.h"
#include "serve/events.h"
#include "serve/log.h"
#include "serve/notify.h"
#include "serve/poll.h"
#include "serve/queue.h"
#include "serve/runner.h"
#include "serve/serve.h"

/* A deployment that is followed; all strings on the heap. */
struct tt_deployment_state {
    char *key; /* "repository/name" */
    char *repository, *name;
    char *accounts; /* as in poll.h */
    char *mark;     /* of what it asks for; see poll.h */
    char *message;  /* NULL: nothing to say */
    int64_t last_run, held_run;
    int drift;
    bool held;
    struct tt_policy policy; /* its windows on the heap */
    bool unserved;           /* what was pushed was looked at, and is not done */
    bool repair;             /* a look has found what may be repaired */
    char *recover;           /* balancers that the next run replaces, as in tt_job; NULL: none */
    char *held_mark;         /* of what the held plan was made for */
    char *approver;          /* the held plan is to be carried out in this name; NULL: it is not */
    char *asked;             /* balancers that failed and led to a run; until they answer */
    struct tt_watch *watch;  /* where its balancers are to answer; NULL: not read yet */
    bool watch_old;          /* what it was read from is written anew */
};

/* A repository that is followed, by a thread of its own. */
struct tt_follower {
    struct tt_daemon *daemon;
    const struct tt_config *all;               /* the configuration with which it began */
    const struct tt_repository_config *config; /* its part of it */
    struct tt_runner runner;                   /* of fetches */
    char *folder;                              /* the clone */
    char *revision;                            /* read last; NULL: none yet */
    char *wrong;                               /* a newer one whose specs are wrong */
    char *message;                             /* why it cannot be read; NULL: it can */
    char *warning;                             /* of the last fetch; NULL: none */
    pthread_t thread;
    pthread_cond_t wake;
    atomic_bool stop;
    bool look_now;
    int failures;
};

/* A run: a thread that waits for a child. */
struct tt_job {
    struct tt_job *next;
    struct tt_daemon *daemon;
    struct tt_arena arena;
    struct tt_runner runner;
    const char *accounts;
    const char *key, *repository, *name, *revision, *folder, *path, *mark;
    const char *command;  /* "apply" */
    const char *target;   /* "LoadBalancer/shop/edge LoadBalancer/shop/api"; NULL: all of it */
    const char *broken;   /* balancers that a look found failed, likewise; NULL: none */
    bool push;            /* what was pushed is to be served */
    int64_t approves;     /* a held run; 0: none */
    const char *approver; /* in whose name */
    unsigned triggers;
    int parallelism;
    tt_time time_limit;
    tt_time took;
    /* as its lines tell */
    int planned, held, done, failed;
    struct tt_strings replacing; /* steps that replace a balancer's machine */
    int recoveries;
    const char *unseen; /* a region that could not be looked at; NULL: all were seen */
    int problems;       /* that stand in the way of the plan */
    const char *problem, *step_error; /* the first of each; NULL: none */
};

/* What a repository's accounts offer, as it was told last. */
struct tt_offers {
    struct tt_offers *next;
    char *repository;
    char *revision, *text; /* NULL: not asked yet */
    tt_time at;
    bool asking; /* by one thread; the others wait */
    struct tt_runner runner;
};

struct tt_daemon {
    pthread_mutex_t mutex;
    pthread_cond_t wake; /* the scheduler */
    pthread_cond_t idle; /* a job has ended */
    pthread_t scheduler;
    pthread_cond_t watch_wake; /* the watch */
    pthread_t watch;
    uint64_t watches; /* so many lists were read */
    const struct tt_clock *clock;
    char *program, *state_folder;
    struct tt_config *config;
    struct tt_log log;
    struct tt_queue *queue;
    struct tt_deployment_state **deployments; /* by key */
    size_t count, capacity;
    struct tt_follower **followers;
    size_t follower_count;
    struct tt_job *jobs;
    struct tt_offers *offers;
    pthread_cond_t told; /* one of them was */
    struct tt_notifier *notifiers;
    size_t notifier_count;
    uint64_t sent_before, lost_before; /* by notifiers that have ended */
    struct tt_daemon_counts counts;
    struct tt_deliveries deliveries;
    bool stopping;
    struct tt_store *store;
    struct tt_events events;
};

tt_time tt_daemon_now(const struct tt_daemon *daemon);

/* With the mutex held: the deployment of KEY, or NULL. */
struct tt_deployment_state *tt_daemon_find(struct tt_daemon *daemon, const char *key);

/* An object with repository and deployment, to be filled and said. */
json_t *tt_daemon_event_object(const char *repository, const char *deployment);

/* Replaces a string of the heap; VALUE may be NULL. */
void tt_daemon_set(char **string, const char *value);

/* Waits on COND with MUTEX for at most WAIT. */
void tt_daemon_wait(pthread_cond_t *cond, pthread_mutex_t *mutex, tt_time wait);
void tt_daemon_cond_init(pthread_cond_t *cond);

/* daemon_follow.c: threads that follow the repositories of the configuration. */
int tt_follow_begin(struct tt_daemon *daemon, struct tt_error *err);
void tt_follow_stop(struct tt_daemon *daemon); /* asks them to end */
void tt_follow_end(struct tt_daemon *daemon);  /* waits for it */
/* With the mutex held: the follower of the repository NAME; NULL: none. */
struct tt_follower *tt_follow_find(struct tt_daemon *daemon, const char *name);

/* daemon_run.c: with the mutex held, starts the run that KEY waits for. */
void tt_job_start(struct tt_daemon *daemon, const char *key, unsigned triggers);

/* The folder of what is kept of KEY's plans, in ARENA. */
const char *tt_job_folder(const struct tt_daemon *daemon, struct tt_arena *arena, const char *key);

/* daemon_held.c: with the mutex held, a plan of STATE that waited for approval before this process
 * began waits on. */
void tt_held_restore(struct tt_daemon *daemon, struct tt_deployment_state *state);
/* Without the mutex, now and then while plans wait: those that were approved elsewhere. */
void tt_held_watch(struct tt_daemon *daemon);
/* With the mutex held: true while a plan waits. */
bool tt_held_any(const struct tt_daemon *daemon);

/* daemon_watch.c: the thread that probes the balancers. */
int tt_watch_begin(struct tt_daemon *daemon, struct tt_error *err);
void tt_watch_end(struct tt_daemon *daemon); /* waits for it; the daemon is stopping */
/* With the mutex held: a run of KEY has ended, so its list is another one. */
void tt_watch_again(struct tt_daemon *daemon, const char *key);
/* With the mutex held: machines that do not answer now. */
uint64_t tt_watch_failing(const struct tt_daemon *daemon);
void tt_watch_free(struct tt_watch *watch); /* NULL: nothing */

/* daemon_offers.c: with the mutex held, nobody asks any more; afterwards. */
void tt_offers_stop(struct tt_daemon *daemon);
void tt_offers_free(struct tt_daemon *daemon);

/* daemon_policy.c: with the mutex held, what JOB does by its triggers and STATE's policy. */
void tt_policy_choose(struct tt_deployment_state *state, struct tt_job *job, tt_time now);
/* False: it only looks. */
bool tt_policy_applies(const struct tt_job *job);
/* Reads what a job that only looked has planned. */
void tt_policy_look(struct tt_job *job);
/* The same for what stood in the way of the plan of one that failed. */
void tt_policy_look_for_problems(struct tt_job *job);
/* True when a job that ended with CODE did what was pushed, or found it done. */
bool tt_policy_served(const struct tt_job *job, int code);
/* With the mutex held, after a job that did not fail; true: run it again at once. */
bool tt_policy_follow(struct tt_deployment_state *state, const struct tt_job *job, int code,
                      tt_time now);

/* daemon_lines.c: one line that a run said. */
void tt_job_line(void *self, const char *line, size_t length);
/* A problem of a plan, as lines and plans show it: errors count. */
void tt_job_problem(struct tt_job *job, const json_t *object);

/* daemon_known.c: deployments, as commits name them. With the mutex held: REPOSITORY asks for LIST
 * from now on. */
void tt_known_update(struct tt_daemon *daemon, const char *repository,
                     const struct tt_followed_list *list);
/* With the mutex held: forgets those of repositories that are not followed any more. */
void tt_known_prune(struct tt_daemon *daemon);
void tt_known_free(struct tt_daemon *daemon);
/* The push that MARK stands for was served: not again after a restart. */
void tt_known_served(struct tt_daemon *daemon, const char *repository, const char *name,
                     const char *mark);

#endif
