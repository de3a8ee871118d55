/*
 * The inside of the AWS provider: the account, calls, and what its parts do for each other.
 */
#ifndef TT_PROVIDERS_AWS_CLOUD_H
#define TT_PROVIDERS_AWS_CLOUD_H

#include <pthread.h>

#include "base/map.h"
#include "base/str.h"
#include "providers/aws/actions.h"
#include "providers/aws/credentials.h"
#include "providers/aws/endpoint.h"
#include "providers/aws/xml.h"
#include "providers/http/bucket.h"
#include "providers/http/http.h"
#include "providers/provider.h"
#include "providers/shell/ssh_machines.h"

/* One region: AWS counts requests for each. */
struct tt_aws_region {
    const char *name;
    struct tt_bucket reads, writes;
};

struct tt_aws {
    struct tt_provider base;
    const struct tt_account *account;
    const char *owner;
    const struct tt_clock *clock;
    struct tt_http *http;
    struct tt_aws_credentials *credentials;
    struct tt_ssh_machines *machines;
    struct tt_aws_region *regions;
    size_t region_count;
    pthread_mutex_t lock;
    tt_time skew; /* AWS's clock less ours, as far as it told us; under the lock */
};

/* Where a call goes to. */
struct tt_aws_visit {
    struct tt_aws *aws;
    struct tt_aws_region *region;
    struct tt_arena *arena;
};

/* SPEC for a region that is not the account's. */
int tt_aws_enter(struct tt_provider *provider, const char *region, struct tt_arena *arena,
                 struct tt_aws_visit *ret_visit, struct tt_error *err);

/* --- call.c: requests ----------------------------------------------------------------------- */

/* The parameters of a call; released with tt_aws_form_release. */
struct tt_aws_form {
    struct tt_buf text;
    int filters;
};

void tt_aws_form_release(struct tt_aws_form *form);
#define TT_FORM_AUTO __attribute__((cleanup(tt_aws_form_release))) struct tt_aws_form

/* "KEY=VALUE", escaped; a NULL VALUE adds nothing. */
void tt_aws_add(struct tt_aws_form *form, const char *value, const char *key, ...)
    __attribute__((format(printf, 3, 4)));
void tt_aws_add_all(struct tt_aws_form *form, const struct tt_strings *values, const char *prefix);
/* Filter.N.Name and its values. */
void tt_aws_filter(struct tt_aws_form *form, const char *name, const char *value);
void tt_aws_filter_any(struct tt_aws_form *form, const char *name, const struct tt_strings *values);

/* One call; HANDLER (NULL: none) reads the reply. */
int tt_aws_call(const struct tt_aws_visit *visit, enum tt_aws_action action,
                const struct tt_aws_form *form, tt_xml_handler handler, void *self,
                struct tt_error *err);

/* All pages of a list, PAGE items each (0: the service's own). */
int tt_aws_list(const struct tt_aws_visit *visit, enum tt_aws_action action,
                const struct tt_aws_form *form, int page, tt_xml_handler handler, void *self,
                struct tt_error *err);

/* --- errors.c: what AWS says ---------------------------------------------------------------- */

/* What an error's reply says; empty when it does not. */
struct tt_aws_fault {
    char code[64];
    char message[512];
};

void tt_aws_read_fault(const struct tt_http_reply *reply, struct tt_aws_fault *ret_fault);

/* By the code first, then by the status. */
int tt_aws_judge_fault(const struct tt_http_request *request, const struct tt_http_reply *reply,
                       const struct tt_aws_fault *fault, struct tt_error *err);

/* --- find.c: names to ids ------------------------------------------------------------------- */

/* Words as the specs have them, and the ids that they stand for; unknown words are left out. */
struct tt_aws_named {
    const char *word;
    const char *id;
    const char *vpc; /* of a subnet or group */
    const char *zone;
    const char *made; /* when, of images */
    bool usual;       /* a subnet that is its zone's default */
};
struct tt_aws_names {
    struct tt_aws_named *items;
    size_t count;
    size_t capacity;
};

int tt_aws_find_images(const struct tt_aws_visit *visit, const struct tt_strings *words,
                       struct tt_aws_names *ret_names, struct tt_error *err);
/* Within VPC; NULL: the default one and all others. */
int tt_aws_find_groups(const struct tt_aws_visit *visit, const struct tt_strings *words,
                       const char *vpc, struct tt_aws_names *ret_names, struct tt_error *err);
/* All subnets that each word stands for: itself, those of the VPC, those with the Name tag. */
int tt_aws_find_subnets(const struct tt_aws_visit *visit, const struct tt_strings *words,
                        const char *zone, struct tt_aws_names *ret_names, struct tt_error *err);

/* The subnets of VPC that a balancer with CURRENT ones is to have for ZONES: those it has there,
 * and one for each other zone. SPEC where there is none or no telling which. */
int tt_aws_choose_subnets(const struct tt_aws_visit *visit, const char *vpc,
                          const struct tt_strings *current, const struct tt_strings *zones,
                          struct tt_strings *ret_subnets, struct tt_error *err);

/* The default VPC alone has subnets that are their zones' defaults. */
int tt_aws_is_default_vpc(const struct tt_aws_visit *visit, const char *vpc, bool *ret_is,
                          struct tt_error *err);

/* --- observe.c ... -------------------------------------------------------------------------- */

int tt_aws_observe(struct tt_provider *provider, const struct tt_observe_request *request,
                   struct tt_arena *arena, struct tt_region *ret_region, struct tt_error *err);
int tt_aws_observe_servers(const struct tt_aws_visit *visit,
                           const struct tt_observe_request *request, struct tt_region *region,
                           struct tt_error *err);
int tt_elb_observe(const struct tt_aws_visit *visit, const struct tt_observe_request *request,
                   struct tt_region *region, struct tt_error *err);
int tt_elbv2_observe(const struct tt_aws_visit *visit, const struct tt_observe_request *request,
                     struct tt_region *region, struct tt_error *err);

/* SPEC for one that the region does not have. */
int tt_aws_check_zones(const struct tt_aws_visit *visit, const struct tt_strings *zones,
                       struct tt_error *err);

/* One instance; NULL when there is none. Terminated ones are gone. */
int tt_aws_find_server(const struct tt_aws_visit *visit, const char *id,
                       const struct tt_server **ret_server, struct tt_error *err);
bool tt_aws_is_instance_id(const char *id);

/* After RESULT of a call that names the machine ID: a service may not know yet what EC2 lists
 * already. NOT_FOUND becomes UNAVAILABLE then, so that it is asked again. Returns RESULT. */
int tt_aws_await_server(const struct tt_aws_visit *visit, const char *id, int result,
                        struct tt_error *err);

/* The marks as tags of AWS: calls ADD for each that is there. */
void tt_aws_each_tag(struct tt_arena *arena, const struct tt_tags *tags,
                     void (*add)(void *self, const char *key, const char *value), void *self);

int tt_aws_create_server(struct tt_provider *provider, const struct tt_create_request *request,
                         struct tt_arena *arena, const char **ret_id, struct tt_error *err);
int tt_aws_delete_server(struct tt_provider *provider, const char *region, const char *id,
                         struct tt_error *err);
int tt_aws_start_server(struct tt_provider *provider, const char *region, const char *id,
                        struct tt_error *err);
int tt_aws_fence(struct tt_provider *provider, const char *region, const char *machine,
                 struct tt_error *err);
int tt_aws_tag(struct tt_provider *provider, const char *region, const char *server,
               const struct tt_tags *tags, struct tt_error *err);
int tt_aws_run(struct tt_provider *provider, const struct tt_run_request *request,
               struct tt_arena *arena, struct tt_run_result *ret_result, struct tt_error *err);
int tt_aws_move_address(struct tt_provider *provider, const char *region, const char *address,
                        const char *machine, struct tt_error *err);
int tt_aws_observe_addresses(const struct tt_aws_visit *visit,
                             const struct tt_observe_request *request, struct tt_region *region,
                             struct tt_error *err);

/* --- balancers: elb.c the classic ones, elbv2.c target groups ------------------------------- */

/* What a balancer's members do. */
struct tt_aws_balancer_ops {
    int (*enroll)(const struct tt_aws_visit *visit, const char *id, const char *server,
                  struct tt_error *err);
    int (*withdraw)(const struct tt_aws_visit *visit, const char *id, const char *server,
                    struct tt_error *err);
    int (*set_zones)(const struct tt_aws_visit *visit, const char *id,
                     const struct tt_strings *zones, struct tt_error *err);
    int (*set_listeners)(const struct tt_aws_visit *visit, const char *id,
                         const struct tt_listeners *listeners, struct tt_error *err);
    int (*set_health_check)(const struct tt_aws_visit *visit, const char *id,
                            const struct tt_health_check *health, struct tt_error *err);
};

/* True when REQUEST wants to know about the balancer of that name. */
bool tt_aws_wants(const struct tt_observe_request *request, const char *name);

/* The seconds of a time; SPEC when it is not a whole number of them. */
int tt_aws_seconds(tt_time time, const char *what, int *ret_seconds, struct tt_error *err);

const struct tt_aws_balancer_ops *tt_elb_ops(void);   /* ids are names */
const struct tt_aws_balancer_ops *tt_elbv2_ops(void); /* ids are the target groups' ARNs */

/* The target group that NAME ("tg/x", "balancer:80", an ARN) stands for; NULL: none. */
int tt_elbv2_find(const struct tt_aws_visit *visit, const char *name, const char **ret_arn,
                  struct tt_error *err);

int tt_aws_enroll(struct tt_provider *provider, const char *region, const char *balancer,
                  const char *server, struct tt_error *err);
int tt_aws_withdraw(struct tt_provider *provider, const char *region, const char *balancer,
                    const char *server, tt_time drain, struct tt_error *err);
int tt_aws_set_zones(struct tt_provider *provider, const char *region, const char *balancer,
                     const struct tt_strings *zones, struct tt_error *err);
int tt_aws_set_listeners(struct tt_provider *provider, const char *region, const char *balancer,
                         const struct tt_listeners *listeners, struct tt_error *err);
int tt_aws_set_health_check(struct tt_provider *provider, const char *region, const char *balancer,
                            const struct tt_health_check *health, struct tt_error *err);

#endif
