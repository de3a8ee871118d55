/*
 * Desired: what a Git commit asks for, decoded and checked.
 *
 * specs/ makes it; the reconciler reads it and never changes it. Everything in it lives in the
 * arena it was made in. Defaults are filled in: no pointer is NULL and no number unset but where
 * a comment says so. References are resolved to pointers. The order of accounts, deployments,
 * services and balancers is by name, so that the order of files and documents cannot matter.
 */
#ifndef TT_MODEL_DESIRED_H
#define TT_MODEL_DESIRED_H

#include "base/clock.h"
#include "base/error.h"
#include "model/policy.h"
#include "model/words.h"

/* What a server is made from. NULL: not given, not compared. */
struct tt_server_spec {
    const char *template;
    const char *size;
    const struct tt_strings *firewalls; /* NULL: not given */
    const char *key;
    const char *network;
    const char *user_data; /* the file's content, NUL-terminated text */
    /* tt_server_spec_hash where the content itself is not at hand; NULL else */
    const char *user_data_hash;
};

/* Either kind of check; host and expected status are the service's business. */
struct tt_health_check {
    bool http;        /* else a TCP connect */
    const char *path; /* http: "/healthz"; else NULL */
    tt_time interval;
    tt_time timeout;
    int unhealthy_after; /* failures in a row */
    tt_time grace;       /* after creation, in which failing is booting */
};

struct tt_listener {
    int port;
    enum tt_protocol protocol;
    int target_port; /* 0: each service's own port */
    int bound_port;  /* observed on a machine: where it really listens; -1: not yet; 0: at port */
    int algorithm;   /* where a cloud has one for each: 1 + enum tt_algorithm; 0: unknown, kept */
    /* tls: files on the balancer machine; NULL: none */
    const char *certificate;
    const char *key;
    const char *chain;
    struct tt_mark mark;
};

struct tt_listeners {
    struct tt_listener *items;
    size_t count;
    size_t capacity;
};

/* Percentages of a deployment's owned servers. */
struct tt_guard {
    int max_destroy;
    int max_vanished;
};

/* A program that a machine of the local provider can run. */
struct tt_local_template {
    const char *name;
    struct tt_strings command; /* argv with {address} {port} {root} {name}; empty for software */
    const char *software;      /* "haproxy" or "mod_jk": a balancer machine; else NULL */
    struct tt_mark mark;
};

/* How the machines of an account are reached, where no API runs commands on them. */
struct tt_ssh_access {
    const char *user;        /* NULL: who runs trimtab */
    int port;                /* 0: 22 */
    const char *key;         /* a private key's file outside of Git; NULL: the agent's, ~/.ssh */
    const char *known_hosts; /* relative to the YAML file, absolute or "~/..."; NULL: ~/.ssh */
    bool sudo;
    const char *scripts; /* the folder of the agent scripts; NULL: /enstratus/bin */
};

struct tt_account {
    const char *name;
    enum tt_provider_kind provider;
    const char *endpoint; /* NULL: the provider's own */
    const char *folder;   /* of the YAML file, for relative paths; "" is the root */
    /* credentials; at most one is set, NULL else */
    const char *profile;
    const char *credentials_env;
    const char *credentials_file;
    struct tt_strings regions; /* at least one */
    struct tt_ssh_access ssh;
    /* local only */
    struct tt_strings zones; /* of each region; default a, b, c */
    TT_VEC(struct tt_local_template) templates;
    /* file only: the snapshot's path, relative to the repository; NULL else */
    const char *snapshot;
    struct tt_mark mark;
};

struct tt_placement {
    const struct tt_account *account;
    const char *region;
    struct tt_strings zones; /* empty: all zones of the region */
    int count;
    struct tt_server_spec server; /* the service's with the placement's overrides merged in */
    struct tt_mark mark;
};

struct tt_balancer;

struct tt_service {
    const char *name;
    struct tt_deployment *deployment;
    int port;                               /* 0: none given */
    struct tt_strings names;                /* DNS names; the first is the primary one */
    TT_VEC(struct tt_placement) placements; /* by account, then region */
    const struct tt_health_check *health;   /* NULL: the provider's word is the verdict */
    TT_VEC(struct tt_balancer *) balancers; /* by name */
    struct tt_amount max_surge;
    struct tt_amount max_unavailable;
    tt_time drain;
    TT_VEC(struct tt_service *) depends_on; /* by name */
    struct tt_mark mark;
};

struct tt_balancer {
    const char *name;
    struct tt_deployment *deployment;
    enum tt_balancer_type type;
    const struct tt_account *account;
    const char *region;
    enum tt_scope scope;
    struct tt_strings zones;              /* only with scope data-center; sorted */
    const struct tt_listeners *listeners; /* NULL: not given */
    enum tt_algorithm algorithm;
    bool has_algorithm;                   /* false: not given, a cloud balancer's own is kept */
    const struct tt_health_check *health; /* NULL: not given: the service's */
    /* vm types */
    enum tt_software software;
    /* vm-dynamic */
    struct tt_server_spec server;
    const char *address; /* the elastic address; NULL: none */
    struct {
        int unhealthy_after;
        tt_time interval;
        int max_per_hour;
    } recovery;
    /* vm-static: id or name of a machine; NULL else */
    const char *machine;
    /* cloud: the balancer's name in the cloud; NULL else */
    const char *cloud_name;
    struct tt_mark mark;
};

struct tt_deployment {
    const char *name;
    bool running; /* state: running | stopped */
    bool prune;
    struct tt_guard guard;
    struct tt_policy policy;
    TT_VEC(struct tt_service *) services;   /* by name */
    TT_VEC(struct tt_balancer *) balancers; /* by name */
    struct tt_mark mark;
};

struct tt_desired {
    const char *owner;                          /* the mark on every resource */
    const char *revision;                       /* the commit id; "worktree" with --worktree */
    struct tt_guard guard;                      /* the Fleet's: for deployments that left Git */
    TT_VEC(struct tt_account *) accounts;       /* by name */
    TT_VEC(struct tt_deployment *) deployments; /* by name */
};

/* By name; NULL: there is none. */
const struct tt_account *tt_desired_account(const struct tt_desired *desired, const char *name);
const struct tt_deployment *tt_desired_deployment(const struct tt_desired *desired,
                                                  const char *name);
const struct tt_service *tt_deployment_service(const struct tt_deployment *deployment,
                                               const char *name);
const struct tt_balancer *tt_deployment_balancer(const struct tt_deployment *deployment,
                                                 const char *name);

/* The servers wanted over all placements. */
int tt_service_count(const struct tt_service *service);

/* True when SERVICE names BALANCER. */
bool tt_service_is_behind(const struct tt_service *service, const struct tt_balancer *balancer);

/* True when BALANCER balances servers that are placed in ACCOUNT and REGION: a cloud or regional
 * one its own account and region, a global one everything (design.md §5). */
bool tt_balancer_covers(const struct tt_balancer *balancer, const char *account,
                        const char *region);

/* The servers of SERVICE that are wanted where BALANCER covers them. */
int tt_service_count_behind(const struct tt_service *service, const struct tt_balancer *balancer);

/* The port at which members of SERVICE listen for LISTENER. */
int tt_listener_target(const struct tt_listener *listener, const struct tt_service *service);

/* The tag value that stands for what cannot be read back from a cloud (user data): 16 hexadecimal
 * digits. */
char *tt_server_spec_hash(struct tt_arena *arena, const struct tt_server_spec *spec);

#endif
