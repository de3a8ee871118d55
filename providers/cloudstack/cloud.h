/*
 * What the files of this folder share: an open account, and how they ask the management server.
 */
#ifndef TT_CLOUDSTACK_CLOUD_H
#define TT_CLOUDSTACK_CLOUD_H

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>

#include "providers/cloudstack/sign.h"
#include "providers/http/http.h"
#include "providers/http/reply.h"
#include "providers/provider.h"
#include "providers/shell/ssh_machines.h"

/* Keys of an account, and where it is. Strings live in the account's arena. */
struct tt_cloudstack_keys {
    const char *endpoint; /* "https://cloud.example.com/client/api" */
    const char *api_key;
    const char *secret_key;
};

struct tt_cloudstack_jobs; /* jobs.h */

struct tt_cloudstack {
    struct tt_provider base;
    const struct tt_account *account;
    const char *owner;
    char owner_mark[9]; /* of the owner, for the names of machines */
    const struct tt_clock *clock;
    struct tt_cloudstack_keys keys;
    struct tt_http *http;
    atomic_int page_size; /* of lists */
    struct tt_cloudstack_jobs *jobs;
    struct tt_ssh_machines *machines;
    /* Memberships change beside each other, rules alone: a new rule gets the members of another. */
    pthread_rwlock_t rules;
};

/* Finds the keys of an account: by profile, file or environment. Errors: SPEC, NOT_FOUND. */
int tt_cloudstack_find_keys(const struct tt_provider_settings *settings, struct tt_arena *arena,
                            struct tt_cloudstack_keys *ret_keys, struct tt_error *err);

/* One command; what stands inside the answer's single member is returned and owned by the caller.
 * A command that changes something (WRITES) is sent once; others may be repeated.
 * Errors: the class says what a failure means, the code is "431", the message is the server's. */
int tt_cloudstack_call(struct tt_cloudstack *cloud, const char *command, bool writes,
                       struct tt_cloudstack_parameters *parameters, json_t **ret_answer,
                       struct tt_error *err);

/* An asynchronous command and its end: as tt_cloudstack_call, then waits for the job. RET_RESULT
 * may be NULL. A job that failed is an error with its own code and text. */
int tt_cloudstack_call_and_wait(struct tt_cloudstack *cloud, const char *command,
                                struct tt_cloudstack_parameters *parameters, json_t **ret_result,
                                struct tt_error *err);

/* The end of the command whose ANSWER has come: waits for its job. */
int tt_cloudstack_finish(struct tt_cloudstack *cloud, const json_t *answer, json_t **ret_result,
                         struct tt_error *err);

/* All pages of a list: the items that stand in the answers' member KEY, as one JSON array without
 * repetitions (by id). */
int tt_cloudstack_list(struct tt_cloudstack *cloud, const char *command,
                       struct tt_cloudstack_parameters *parameters, const char *key,
                       json_t **ret_items, struct tt_error *err);

/* The members of struct tt_provider_ops, by the name of each. */
int tt_cloudstack_observe(struct tt_provider *provider, const struct tt_observe_request *request,
                          struct tt_arena *arena, struct tt_region *ret_region,
                          struct tt_error *err);
int tt_cloudstack_create_server(struct tt_provider *provider,
                                const struct tt_create_request *request, struct tt_arena *arena,
                                const char **ret_id, struct tt_error *err);
int tt_cloudstack_delete_server(struct tt_provider *provider, const char *region, const char *id,
                                struct tt_error *err);
int tt_cloudstack_start_server(struct tt_provider *provider, const char *region, const char *id,
                               struct tt_error *err);
int tt_cloudstack_fence(struct tt_provider *provider, const char *region, const char *machine,
                        struct tt_error *err);
int tt_cloudstack_tag(struct tt_provider *provider, const char *region, const char *server,
                      const struct tt_tags *tags, struct tt_error *err);
int tt_cloudstack_enroll(struct tt_provider *provider, const char *region, const char *balancer,
                         const char *server, struct tt_error *err);
int tt_cloudstack_withdraw(struct tt_provider *provider, const char *region, const char *balancer,
                           const char *server, tt_time drain, struct tt_error *err);
int tt_cloudstack_set_listeners(struct tt_provider *provider, const char *region,
                                const char *balancer, const struct tt_listeners *listeners,
                                struct tt_error *err);
int tt_cloudstack_move_address(struct tt_provider *provider, const char *region,
                               const char *address, const char *machine, struct tt_error *err);
int tt_cloudstack_run(struct tt_provider *provider, const struct tt_run_request *request,
                      struct tt_arena *arena, struct tt_run_result *ret_result,
                      struct tt_error *err);

#endif
