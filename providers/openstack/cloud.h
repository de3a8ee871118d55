/*
 * What the files of this folder share: an open account, and how they ask OpenStack's services.
 */
#ifndef TT_OPENSTACK_CLOUD_H
#define TT_OPENSTACK_CLOUD_H

#include <pthread.h>
#include <stdatomic.h>

#include "providers/http/http.h"
#include "providers/http/reply.h"
#include "providers/openstack/login.h"
#include "providers/openstack/watch.h"
#include "providers/provider.h"
#include "providers/shell/ssh_machines.h"

enum tt_openstack_service {
    TT_OPENSTACK_COMPUTE,
    TT_OPENSTACK_IMAGE,
    TT_OPENSTACK_NETWORK,
    TT_OPENSTACK_BALANCER,
    TT_OPENSTACK_SERVICES,
};

/* A region of the account. */
struct tt_openstack_region {
    const char *name;
    atomic_int minor;          /* the microversion of Nova that is spoken; 0: not asked yet */
    atomic_int balancer_minor; /* of Octavia's v2; 0: not asked yet */
    atomic_bool crowded;       /* many servers of the project are not ours */
    struct tt_openstack_watch building;  /* servers of ours that are being built */
    struct tt_openstack_watch balancers; /* all, with their provisioning_status */
    struct tt_openstack_turn *turns;     /* balancers that are being changed; turn.h */
};

struct tt_openstack {
    struct tt_provider base;
    const struct tt_account *account;
    const char *owner;
    const char *mark; /* the server tag that stands for the owner */
    const struct tt_clock *clock;
    struct tt_arena *arena;
    struct tt_openstack_login login;
    struct tt_http *http;
    struct tt_ssh_machines *machines;
    struct tt_openstack_region *regions;
    size_t region_count;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* the session; under the lock */
    char *token; /* from malloc; NULL: none */
    tt_time expires_at;
    json_t *catalog;
    char *project; /* its id, from malloc; NULL: Keystone did not say */
};

/* A call of the provider: where it goes, and whose memory it uses. */
struct tt_openstack_visit {
    struct tt_openstack *cloud;
    struct tt_openstack_region *region;
    struct tt_arena *arena;
};

/* Errors: SPEC (the account has no such region). */
int tt_openstack_enter(struct tt_provider *provider, const char *region, struct tt_arena *arena,
                       struct tt_openstack_visit *ret_visit, struct tt_error *err);

/* A visit with memory of its own, which is gone where the variable ends. */
struct tt_openstack_stay {
    struct tt_openstack_visit visit;
    struct tt_arena memory;
};
#define TT_OPENSTACK_STAY __attribute__((cleanup(tt_openstack_end))) struct tt_openstack_stay
int tt_openstack_begin(struct tt_provider *provider, const char *region,
                       struct tt_openstack_stay *stay, struct tt_error *err);
void tt_openstack_end(struct tt_openstack_stay *stay);

/* The session: a token that is good for a minute at least, copied into the visit's arena, and the
 * address of SERVICE in the visit's region. Logs in where needed. Errors: DENIED, SPEC (no such
 * region or service in the catalog). */
int tt_openstack_session(const struct tt_openstack_visit *visit, enum tt_openstack_service service,
                         const char **ret_token, const char **ret_url, struct tt_error *err);
/* The id of the project that the account is logged in for; NULL: unknown. */
const char *tt_openstack_project(const struct tt_openstack_visit *visit);
/* Where the path of URL has VERSION ("/v2"); NULL: it has not. */
const char *tt_openstack_version_in(const char *url, const char *version);
void tt_openstack_forget_token(struct tt_openstack *cloud, const char *token);

struct tt_openstack_request {
    enum tt_openstack_service service;
    const char *what;   /* as it is counted: "list servers" */
    const char *method; /* NULL: GET */
    const char *path;   /* behind the service's address: "/servers/detail" */
    const json_t *body; /* NULL: none */
};

/* One request. RET_ANSWER may be NULL; it is NULL when the answer is empty, else the caller's. A
 * token that is not taken any more is renewed once. Errors carry the service's own words; the code
 * is the status. */
int tt_openstack_call(const struct tt_openstack_visit *visit,
                      const struct tt_openstack_request *request, json_t **ret_answer,
                      struct tt_error *err);

/* All pages of a list: what stands at KEY, as one array. PATH may have a query. */
int tt_openstack_list(const struct tt_openstack_visit *visit, enum tt_openstack_service service,
                      const char *what, const char *path, const char *key, json_t **ret_items,
                      struct tt_error *err);

/* What a list begins with, asked for without a limit, which is a filter to some services.
 * RET_WHOLE: it has no other page. */
int tt_openstack_first_page(const struct tt_openstack_visit *visit,
                            enum tt_openstack_service service, const char *what, const char *path,
                            const char *key, json_t **ret_items, bool *ret_whole,
                            struct tt_error *err);

/* The microversion that is spoken with Nova. Errors: UNSUPPORTED (older than 2.26). */
int tt_openstack_minor(const struct tt_openstack_visit *visit, int *ret_minor,
                       struct tt_error *err);

/* The newest v2.N of Octavia; the oldest that will do where it does not say. Errors: UNSUPPORTED
 * (older than v2.5). */
int tt_openstack_balancer_minor(const struct tt_openstack_visit *visit, int *ret_minor,
                                struct tt_error *err);

/* A UUID, as ids of nearly everything are. */
bool tt_openstack_is_id(const char *text);

void tt_openstack_pause(const struct tt_openstack *cloud, tt_time delay);

/* The members of struct tt_provider_ops, by the name of each. */
int tt_openstack_observe(struct tt_provider *provider, const struct tt_observe_request *request,
                         struct tt_arena *arena, struct tt_region *ret_region,
                         struct tt_error *err);
int tt_openstack_create_server(struct tt_provider *provider,
                               const struct tt_create_request *request, struct tt_arena *arena,
                               const char **ret_id, struct tt_error *err);
int tt_openstack_delete_server(struct tt_provider *provider, const char *region, const char *id,
                               struct tt_error *err);
int tt_openstack_start_server(struct tt_provider *provider, const char *region, const char *id,
                              struct tt_error *err);
int tt_openstack_fence(struct tt_provider *provider, const char *region, const char *machine,
                       struct tt_error *err);
int tt_openstack_tag(struct tt_provider *provider, const char *region, const char *server,
                     const struct tt_tags *tags, struct tt_error *err);
int tt_openstack_enroll(struct tt_provider *provider, const char *region, const char *balancer,
                        const char *server, struct tt_error *err);
int tt_openstack_withdraw(struct tt_provider *provider, const char *region, const char *balancer,
                          const char *server, tt_time drain, struct tt_error *err);
int tt_openstack_set_listeners(struct tt_provider *provider, const char *region,
                               const char *balancer, const struct tt_listeners *listeners,
                               struct tt_error *err);
int tt_openstack_set_health_check(struct tt_provider *provider, const char *region,
                                  const char *balancer, const struct tt_health_check *health,
                                  struct tt_error *err);
int tt_openstack_move_address(struct tt_provider *provider, const char *region, const char *address,
                              const char *machine, struct tt_error *err);
int tt_openstack_run(struct tt_provider *provider, const struct tt_run_request *request,
                     struct tt_arena *arena, struct tt_run_result *ret_result,
                     struct tt_error *err);

#endif
