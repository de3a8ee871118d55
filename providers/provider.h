/*
 * The one contract between the reconciler and the clouds.
 *
 * A provider is a table of functions (struct tt_provider_ops). Opening an account gives a struct
 * tt_provider that each function takes first. The registry (providers/registry.h) refuses a table
 * without the required members; optional members may be NULL and then fail as "unsupported"
 * through the tt_provider_* callers at the end, which are what the reconciler uses.
 *
 * Threads: after open, every function may be called from several threads at once on the same
 * provider. close comes last and alone.
 *
 * Memory: what a call returns lives in the ARENA it was given; requests are borrowed for the call.
 *
 * Errors (each member names those it may return; all may return DENIED, THROTTLED, UNAVAILABLE,
 * TIMEOUT, INTERNAL). UNAVAILABLE: provably without effect, may be repeated. TIMEOUT: the request
 * left and the outcome is unknown: the caller observes before it repeats a create. The provider
 * itself repeats nothing that changes a cloud.
 */
#ifndef TT_PROVIDERS_PROVIDER_H
#define TT_PROVIDERS_PROVIDER_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/error.h"
#include "model/desired.h"
#include "model/world.h"

struct tt_provider_ops;
struct tt_tally;

/* An open account. A provider embeds it as its first member; decorators wrap another one. */
struct tt_provider {
    const struct tt_provider_ops *ops;
};

/* What open gets. Borrowed until close. */
struct tt_provider_settings {
    const struct tt_account *account;
    const char *owner;        /* the mark on every resource */
    const char *state_folder; /* absolute; where a provider may keep files of this host */
    const char *base_folder;  /* the repository, for relative paths in the Account */
    const struct tt_clock *clock;
    struct tt_tally *tally; /* counts requests to APIs; NULL: nobody wants to know */
};

/* What observe is to look for. Owned servers are always wanted. */
struct tt_observe_request {
    const char *region;
    const char *owner;
    struct tt_strings machines; /* ids or names of machines that are not owned (vm-static) */
    /* those of them that Git names no more: that one refuses us makes no region unreachable; it is
     * told as failed */
    struct tt_strings former;
    struct tt_strings balancers; /* names of cloud balancers; all that exist are welcome */
    /* as the specs write them: a provider that knows names by other ids answers in these words */
    struct tt_strings templates, sizes, firewalls, networks;
    struct tt_strings addresses; /* elastic ones; all that exist are welcome */
    bool everything; /* for `observe` and `offers`: foreign machines and templates, too */
};

/* How a balancer's machine is to balance; travels with its create_server. */
struct tt_balancer_setup {
    enum tt_software software;
    const struct tt_listeners *listeners; /* NULL: none given */
    enum tt_algorithm algorithm;
    const struct tt_health_check *health; /* NULL: a TCP connect every 2 s */
};

struct tt_create_request {
    const char *region;
    const char *zone;         /* NULL: the provider chooses (a balancer's machine) */
    const char *name;         /* "<deployment>-<service>-<slot>" */
    struct tt_tags tags;      /* all marks; put on in the same call where the cloud can */
    const char *client_token; /* the same token never makes two machines */
    const struct tt_server_spec *spec;
    int port; /* where the service listens; 0: none */
    const struct tt_balancer_setup
        *setup; /* of a balancer's machine; NULL: an application server */
};

/* A command on a machine. */
struct tt_run_request {
    const char *region;
    const char *machine;     /* id */
    const char *const *argv; /* ends with NULL; argv[0] is a path on the machine */
    const char *input;       /* its standard input; NULL: empty */
    tt_time timeout;         /* for the whole command */
};

struct tt_run_result {
    int exit_code;      /* 128 + N when ended by signal N */
    const char *output; /* at most 1 MiB each, NUL-terminated */
    const char *errors;
};

struct tt_provider_ops {
    const char *name; /* "local" */

    /* TT_FEATURE_* of this provider. */
    unsigned features;

    /* REQUIRED. Opens an account: checks its settings and credentials, contacts nothing that
     * changes. ARENA lives until close. Errors: SPEC (a bad setting), NOT_FOUND (no file). */
    int (*open)(const struct tt_provider_settings *settings, struct tt_arena *arena,
                struct tt_provider **ret_provider, struct tt_error *err);

    /* REQUIRED. Ends sessions and frees what is not in the arena; changes no cloud. */
    void (*close)(struct tt_provider *provider);

    /* REQUIRED. A whole region in as few calls as the paging allows, never one call a server:
     * zones, owned servers (and those asked for), cloud balancers with members, elastic addresses.
     * A server is `pending` until it runs. Pools are not the provider's business. Sets
     * ret_region->observed. Any error means "not seen", never "empty". Errors: SPEC (no such
     * region). */
    int (*observe)(struct tt_provider *provider, const struct tt_observe_request *request,
                   struct tt_arena *arena, struct tt_region *ret_region, struct tt_error *err);

    /* REQUIRED. Makes one machine and returns its id as soon as the cloud has accepted it; that it
     * runs is seen by observe. Idempotent by client_token (or by the tags' incarnation): a second
     * call returns the same id. Errors: SPEC (template, size, ... unknown), CONFLICT (no capacity
     * in the zone: code "no-capacity"), UNSUPPORTED. */
    int (*create_server)(struct tt_provider *provider, const struct tt_create_request *request,
                         struct tt_arena *arena, const char **ret_id, struct tt_error *err);

    /* REQUIRED. Ends a machine with all that belongs to it; that it is gone is seen by observe.
     * Idempotent: a machine that is gone is success. Refuses (DENIED) a machine without the
     * owner's mark. */
    int (*delete_server)(struct tt_provider *provider, const char *region, const char *id,
                         struct tt_error *err);

    /* OPTIONAL. Starts a stopped machine; a running one is success. Errors: NOT_FOUND. */
    int (*start_server)(struct tt_provider *provider, const char *region, const char *id,
                        struct tt_error *err);

    /* OPTIONAL (cloud balancers). Membership of one server; idempotent both ways. withdraw returns
     * when draining has begun; DRAIN is its longest time. Errors: NOT_FOUND (balancer, server). */
    int (*enroll)(struct tt_provider *provider, const char *region, const char *balancer,
                  const char *server, struct tt_error *err);
    int (*withdraw)(struct tt_provider *provider, const char *region, const char *balancer,
                    const char *server, tt_time drain, struct tt_error *err);

    /* OPTIONAL (cloud balancers). Replace the whole set; idempotent. Errors: NOT_FOUND, SPEC. */
    int (*set_zones)(struct tt_provider *provider, const char *region, const char *balancer,
                     const struct tt_strings *zones, struct tt_error *err);
    int (*set_listeners)(struct tt_provider *provider, const char *region, const char *balancer,
                         const struct tt_listeners *listeners, struct tt_error *err);
    int (*set_health_check)(struct tt_provider *provider, const char *region, const char *balancer,
                            const struct tt_health_check *health, struct tt_error *err);

    /* OPTIONAL (elastic addresses). Moves the address to MACHINE, wherever it was; idempotent.
     * Errors: NOT_FOUND, CONFLICT (the machine is not ready for it). */
    int (*move_address)(struct tt_provider *provider, const char *region, const char *address,
                        const char *machine, struct tt_error *err);

    /* OPTIONAL. Makes sure that a failed machine can serve no more (power off); idempotent, a
     * machine that is gone is success. Refuses (DENIED) a machine without the owner's mark. */
    int (*fence)(struct tt_provider *provider, const char *region, const char *machine,
                 struct tt_error *err);

    /* OPTIONAL. Puts TAGS (those that are not NULL) on a machine. Errors: NOT_FOUND. */
    int (*tag)(struct tt_provider *provider, const char *region, const char *server,
               const struct tt_tags *tags, struct tt_error *err);

    /* OPTIONAL. Runs a command on a machine and waits for its end. A command that exits non-zero
     * is a success of run. Errors: NOT_FOUND (machine or command), UNAVAILABLE (cannot connect, or
     * it is not yet known where to or to whom), DENIED (it refuses us, or is not the one that we
     * know), TIMEOUT (it may have run), THROTTLED. */
    int (*run)(struct tt_provider *provider, const struct tt_run_request *request,
               struct tt_arena *arena, struct tt_run_result *ret_result, struct tt_error *err);
};

/* The callers: dispatch, or fail as UNSUPPORTED where the member is NULL ("aws cannot fence"). */
void tt_provider_close(struct tt_provider *provider);
int tt_provider_observe(struct tt_provider *provider, const struct tt_observe_request *request,
                        struct tt_arena *arena, struct tt_region *ret_region, struct tt_error *err);
int tt_provider_create_server(struct tt_provider *provider, const struct tt_create_request *request,
                              struct tt_arena *arena, const char **ret_id, struct tt_error *err);
int tt_provider_delete_server(struct tt_provider *provider, const char *region, const char *id,
                              struct tt_error *err);
int tt_provider_start_server(struct tt_provider *provider, const char *region, const char *id,
                             struct tt_error *err);
int tt_provider_enroll(struct tt_provider *provider, const char *region, const char *balancer,
                       const char *server, struct tt_error *err);
int tt_provider_withdraw(struct tt_provider *provider, const char *region, const char *balancer,
                         const char *server, tt_time drain, struct tt_error *err);
int tt_provider_set_zones(struct tt_provider *provider, const char *region, const char *balancer,
                          const struct tt_strings *zones, struct tt_error *err);
int tt_provider_set_listeners(struct tt_provider *provider, const char *region,
                              const char *balancer, const struct tt_listeners *listeners,
                              struct tt_error *err);
int tt_provider_set_health_check(struct tt_provider *provider, const char *region,
                                 const char *balancer, const struct tt_health_check *health,
                                 struct tt_error *err);
int tt_provider_move_address(struct tt_provider *provider, const char *region, const char *address,
                             const char *machine, struct tt_error *err);
int tt_provider_fence(struct tt_provider *provider, const char *region, const char *machine,
                      struct tt_error *err);
int tt_provider_tag(struct tt_provider *provider, const char *region, const char *server,
                    const struct tt_tags *tags, struct tt_error *err);
int tt_provider_run(struct tt_provider *provider, const struct tt_run_request *request,
                    struct tt_arena *arena, struct tt_run_result *ret_result, struct tt_error *err);

#endif
