/*
 * Desired as JSON: reading. Accounts come first, then each deployment's balancers, then its
 * services, so that every reference is to something that is there; dependsOn is resolved last.
 */
#include "model/desired_json.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "model/json.h"
#include "model/policy_json.h"

#define MAX_COUNT 100000

static void release_json(json_t **json)
{
    json_decref(*json);
}

/* The value of an optional list of strings; absent is empty. */
static int read_list(struct tt_arena *arena, const struct tt_json *json, const char *key,
                     struct tt_strings *ret, struct tt_error *err)
{
    const struct tt_strings *list = NULL;

    if (tt_json_strings(arena, json, key, &list, err) < 0)
        return -1;
    if (list)
        *ret = *list;
    return 0;
}

static int read_mark(struct tt_arena *arena, const struct tt_json *json, struct tt_mark *mark,
                     struct tt_error *err)
{
    struct tt_json member = tt_json_member(json, "mark");

    if (!member.value)
        return 0;
    if (tt_json_object(&member, err) < 0 ||
        tt_json_required_string(arena, &member, "file", &mark->file, err) < 0 ||
        tt_json_int(&member, "line", 0, INT32_MAX, &mark->line, err) < 0)
        return -1;
    return tt_json_int(&member, "column", 0, INT32_MAX, &mark->column, err);
}

static int read_guard(const struct tt_json *json, struct tt_guard *guard, struct tt_error *err)
{
    struct tt_json member = tt_json_member(json, "guard");

    if (tt_json_object(&member, err) < 0 ||
        tt_json_int(&member, "maxDestroy", 0, 100, &guard->max_destroy, err) < 0)
        return -1;
    return tt_json_int(&member, "maxVanished", 0, 100, &guard->max_vanished, err);
}

static int read_amount(const struct tt_json *json, const char *key, struct tt_amount *ret,
                       struct tt_error *err)
{
    struct tt_json member = tt_json_member(json, key);
    char *end;
    long value;

    if (json_is_integer(member.value))
        return tt_json_int(json, key, 0, MAX_COUNT, &ret->value, err);
    if (!json_is_string(member.value))
        return tt_json_expected(&member, "a number or a percentage", err);
    value = strtol(json_string_value(member.value), &end, 10);
    if (strcmp(end, "%") != 0 || value < 0 || value > 100)
        return tt_json_expected(&member, "a number or a percentage", err);
    *ret = (struct tt_amount){.value = (int)value, .percent = true};
    return 0;
}

static int read_server(struct tt_arena *arena, const struct tt_json *json,
                       struct tt_server_spec *spec, struct tt_error *err)
{
    struct tt_json member = tt_json_member(json, "server");

    if (tt_json_object(&member, err) < 0 ||
        tt_json_string(arena, &member, "template", &spec->template, err) < 0 ||
        tt_json_string(arena, &member, "size", &spec->size, err) < 0 ||
        tt_json_strings(arena, &member, "firewalls", &spec->firewalls, err) < 0 ||
        tt_json_string(arena, &member, "key", &spec->key, err) < 0 ||
        tt_json_string(arena, &member, "network", &spec->network, err) < 0)
        return -1;
    if (tt_json_string(arena, &member, "userDataHash", &spec->user_data_hash, err) < 0)
        return -1;
    return tt_json_string(arena, &member, "userData", &spec->user_data, err);
}

static int read_word(const struct tt_json *json, const char *key, const char *const *words,
                     int *ret, struct tt_error *err)
{
    struct tt_json member = tt_json_member(json, key);

    if (!member.value)
        return tt_json_expected(&member, "a string", err);
    return tt_json_word(json, key, words, ret, err);
}

/* --- accounts ------------------------------------------------------------------------------- */

static int read_template(struct tt_arena *arena, const struct tt_json *json,
                         struct tt_local_template *template, struct tt_error *err)
{
    if (tt_json_object(json, err) < 0 ||
        tt_json_required_string(arena, json, "name", &template->name, err) < 0 ||
        read_list(arena, json, "command", &template->command, err) < 0 ||
        tt_json_string(arena, json, "software", &template->software, err) < 0)
        return -1;
    return read_mark(arena, json, &template->mark, err);
}

static int read_ssh(struct tt_arena *arena, const struct tt_json *json, struct tt_ssh_access *ssh,
                    struct tt_error *err)
{
    struct tt_json member = tt_json_member(json, "ssh");

    if (!member.value)
        return 0;
    if (tt_json_object(&member, err) < 0 ||
        tt_json_string(arena, &member, "user", &ssh->user, err) < 0 ||
        tt_json_int(&member, "port", 0, 65535, &ssh->port, err) < 0 ||
        tt_json_string(arena, &member, "key", &ssh->key, err) < 0 ||
        tt_json_string(arena, &member, "knownHosts", &ssh->known_hosts, err) < 0 ||
        tt_json_bool(&member, "sudo", &ssh->sudo, err) < 0)
        return -1;
    return tt_json_string(arena, &member, "scripts", &ssh->scripts, err);
}

static int read_account(struct tt_arena *arena, const struct tt_json *json,
                        struct tt_account *account, struct tt_error *err)
{
    struct tt_json array;
    size_t count;
    int provider = 0;

    account->folder = "";
    if (tt_json_object(json, err) < 0 ||
        tt_json_required_string(arena, json, "name", &account->name, err) < 0 ||
        read_word(json, "provider", tt_provider_kind_words, &provider, err) < 0 ||
        tt_json_string(arena, json, "endpoint", &account->endpoint, err) < 0 ||
        tt_json_string(arena, json, "folder", &account->folder, err) < 0 ||
        tt_json_string(arena, json, "profile", &account->profile, err) < 0 ||
        tt_json_string(arena, json, "credentialsEnv", &account->credentials_env, err) < 0 ||
        tt_json_string(arena, json, "credentialsFile", &account->credentials_file, err) < 0 ||
        read_ssh(arena, json, &account->ssh, err) < 0 ||
        read_list(arena, json, "regions", &account->regions, err) < 0 ||
        read_list(arena, json, "zones", &account->zones, err) < 0 ||
        tt_json_string(arena, json, "snapshot", &account->snapshot, err) < 0 ||
        read_mark(arena, json, &account->mark, err) < 0 ||
        tt_json_array(json, "templates", &array, &count, err) < 0)
        return -1;
    account->provider = (enum tt_provider_kind)provider;
    for (size_t i = 0; i < count; i++) {
        struct tt_json item = tt_json_item(&array, i);
        if (read_template(arena, &item, TT_VEC_ADD(arena, &account->templates), err) < 0)
            return -1;
    }
    return 0;
}

/* The account that member "account" names. */
static int find_account(struct tt_arena *arena, const struct tt_json *json,
                        const struct tt_desired *desired, const struct tt_account **ret,
                        struct tt_error *err)
{
    struct tt_json member = tt_json_member(json, "account");
    const char *name = NULL;

    if (tt_json_required_string(arena, json, "account", &name, err) < 0)
        return -1;
    *ret = tt_desired_account(desired, name);
    return *ret ? 0 : tt_json_fail(&member, err, "there is no account %s", name);
}

/* --- balancers ------------------------------------------------------------------------------ */

static int read_recovery(const struct tt_json *json, struct tt_balancer *balancer,
                         struct tt_error *err)
{
    struct tt_json member = tt_json_member(json, "recovery");

    if (tt_json_object(&member, err) < 0 ||
        tt_json_int(&member, "unhealthyAfter", 0, 1000, &balancer->recovery.unhealthy_after, err) <
            0 ||
        tt_json_duration(&member, "interval", &balancer->recovery.interval, err) < 0)
        return -1;
    return tt_json_int(&member, "maxPerHour", 0, 1000, &balancer->recovery.max_per_hour, err);
}

static int read_balancer(struct tt_arena *arena, const struct tt_json *json,
                         const struct tt_desired *desired, struct tt_balancer *balancer,
                         struct tt_error *err)
{
    int type = 0, scope = 0, algorithm = -1, software = 0;

    if (tt_json_object(json, err) < 0 ||
        tt_json_required_string(arena, json, "name", &balancer->name, err) < 0 ||
        read_word(json, "type", tt_balancer_type_words, &type, err) < 0 ||
        find_account(arena, json, desired, &balancer->account, err) < 0 ||
        tt_json_required_string(arena, json, "region", &balancer->region, err) < 0 ||
        read_word(json, "scope", tt_scope_words, &scope, err) < 0 ||
        read_list(arena, json, "zones", &balancer->zones, err) < 0 ||
        tt_json_listeners(arena, json, "listeners", &balancer->listeners, err) < 0 ||
        tt_json_word(json, "algorithm", tt_algorithm_words, &algorithm, err) < 0 ||
        tt_json_health(arena, json, "health", &balancer->health, err) < 0 ||
        read_word(json, "software", tt_software_words, &software, err) < 0 ||
        read_server(arena, json, &balancer->server, err) < 0 ||
        tt_json_string(arena, json, "address", &balancer->address, err) < 0 ||
        read_recovery(json, balancer, err) < 0 ||
        tt_json_string(arena, json, "machine", &balancer->machine, err) < 0 ||
        tt_json_string(arena, json, "cloudName", &balancer->cloud_name, err) < 0)
        return -1;
    balancer->type = (enum tt_balancer_type)type;
    balancer->scope = (enum tt_scope)scope;
    balancer->has_algorithm = algorithm >= 0;
    balancer->algorithm = algorithm >= 0 ? (enum tt_algorithm)algorithm : 0;
    balancer->software = (enum tt_software)software;
    return read_mark(arena, json, &balancer->mark, err);
}

/* --- services ------------------------------------------------------------------------------- */

static int read_placement(struct tt_arena *arena, const struct tt_json *json,
                          const struct tt_desired *desired, struct tt_placement *placement,
                          struct tt_error *err)
{
    if (tt_json_object(json, err) < 0 ||
        find_account(arena, json, desired, &placement->account, err) < 0 ||
        tt_json_required_string(arena, json, "region", &placement->region, err) < 0 ||
        read_list(arena, json, "zones", &placement->zones, err) < 0 ||
        tt_json_int(json, "count", 0, MAX_COUNT, &placement->count, err) < 0 ||
        read_server(arena, json, &placement->server, err) < 0)
        return -1;
    return read_mark(arena, json, &placement->mark, err);
}

static int read_links(struct tt_arena *arena, const struct tt_json *json,
                      struct tt_service *service, struct tt_error *err)
{
    struct tt_json member = tt_json_member(json, "balancers");
    struct tt_strings names = {0};

    if (read_list(arena, json, "balancers", &names, err) < 0)
        return -1;
    TT_EACH (name, &names) {
        const struct tt_balancer *balancer = tt_deployment_balancer(service->deployment, *name);

        if (!balancer)
            return tt_json_fail(&member, err, "there is no balancer %s", *name);
        *TT_VEC_ADD(arena, &service->balancers) = (struct tt_balancer *)balancer;
    }
    return 0;
}

static int read_service(struct tt_arena *arena, const struct tt_json *json,
                        const struct tt_desired *desired, struct tt_service *service,
                        struct tt_error *err)
{
    struct tt_json array;
    size_t count;

    if (tt_json_object(json, err) < 0 ||
        tt_json_required_string(arena, json, "name", &service->name, err) < 0 ||
        tt_json_int(json, "port", 0, 65535, &service->port, err) < 0 ||
        read_list(arena, json, "names", &service->names, err) < 0 ||
        tt_json_health(arena, json, "health", &service->health, err) < 0 ||
        read_links(arena, json, service, err) < 0 ||
        read_amount(json, "maxSurge", &service->max_surge, err) < 0 ||
        read_amount(json, "maxUnavailable", &service->max_unavailable, err) < 0 ||
        tt_json_duration(json, "drain", &service->drain, err) < 0 ||
        read_mark(arena, json, &service->mark, err) < 0 ||
        tt_json_array(json, "placements", &array, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct tt_json item = tt_json_item(&array, i);
        if (read_placement(arena, &item, desired, TT_VEC_ADD(arena, &service->placements), err) < 0)
            return -1;
    }
    return 0;
}

static int read_dependencies(struct tt_arena *arena, const struct tt_json *json,
                             struct tt_service *service, struct tt_error *err)
{
    struct tt_json member = tt_json_member(json, "dependsOn");
    struct tt_strings names = {0};

    if (read_list(arena, json, "dependsOn", &names, err) < 0)
        return -1;
    TT_EACH (name, &names) {
        const struct tt_service *other = tt_deployment_service(service->deployment, *name);

        if (!other)
            return tt_json_fail(&member, err, "there is no service %s", *name);
        *TT_VEC_ADD(arena, &service->depends_on) = (struct tt_service *)other;
    }
    return 0;
}

/* --- deployments ---------------------------------------------------------------------------- */

static int read_services(struct tt_arena *arena, const struct tt_json *json,
                         const struct tt_desired *desired, struct tt_deployment *deployment,
                         struct tt_error *err)
{
    struct tt_json array;
    size_t count;

    if (tt_json_array(json, "services", &array, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct tt_json item = tt_json_item(&array, i);
        struct tt_service *service = TT_NEW(arena, struct tt_service);

        service->deployment = deployment;
        if (read_service(arena, &item, desired, service, err) < 0)
            return -1;
        *TT_VEC_ADD(arena, &deployment->services) = service;
    }
    for (size_t i = 0; i < count; i++) {
        struct tt_json item = tt_json_item(&array, i);
        if (read_dependencies(arena, &item, deployment->services.items[i], err) < 0)
            return -1;
    }
    return 0;
}

static int read_deployment(struct tt_arena *arena, const struct tt_json *json,
                           const struct tt_desired *desired, struct tt_deployment *deployment,
                           struct tt_error *err)
{
    struct tt_json array;
    size_t count;

    if (tt_json_object(json, err) < 0 ||
        tt_json_required_string(arena, json, "name", &deployment->name, err) < 0 ||
        tt_json_bool(json, "running", &deployment->running, err) < 0 ||
        tt_json_bool(json, "prune", &deployment->prune, err) < 0 ||
        read_guard(json, &deployment->guard, err) < 0 ||
        tt_policy_read(arena, json, &deployment->policy, err) < 0 ||
        read_mark(arena, json, &deployment->mark, err) < 0 ||
        tt_json_array(json, "balancers", &array, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct tt_json item = tt_json_item(&array, i);
        struct tt_balancer *balancer = TT_NEW(arena, struct tt_balancer);

        balancer->deployment = deployment;
        if (read_balancer(arena, &item, desired, balancer, err) < 0)
            return -1;
        *TT_VEC_ADD(arena, &deployment->balancers) = balancer;
    }
    return read_services(arena, json, desired, deployment, err);
}

static int read_document(struct tt_arena *arena, const struct tt_json *document,
                         struct tt_desired *desired, struct tt_error *err)
{
    struct tt_json array;
    size_t count;

    if (tt_json_format(document, "trimtab.desired/v1", err) < 0 ||
        tt_json_required_string(arena, document, "owner", &desired->owner, err) < 0 ||
        tt_json_required_string(arena, document, "revision", &desired->revision, err) < 0 ||
        read_guard(document, &desired->guard, err) < 0 ||
        tt_json_array(document, "accounts", &array, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct tt_json item = tt_json_item(&array, i);
        struct tt_account *account = TT_NEW(arena, struct tt_account);

        if (read_account(arena, &item, account, err) < 0)
            return -1;
        *TT_VEC_ADD(arena, &desired->accounts) = account;
    }
    if (tt_json_array(document, "deployments", &array, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct tt_json item = tt_json_item(&array, i);
        struct tt_deployment *deployment = TT_NEW(arena, struct tt_deployment);

        if (read_deployment(arena, &item, desired, deployment, err) < 0)
            return -1;
        *TT_VEC_ADD(arena, &desired->deployments) = deployment;
    }
    return 0;
}

int tt_desired_from_json(struct tt_arena *arena, const char *text, size_t size, const char *name,
                         struct tt_desired **ret_desired, struct tt_error *err)
{
    __attribute__((cleanup(release_json))) json_t *root = NULL;
    struct tt_desired *desired = TT_NEW(arena, struct tt_desired);
    struct tt_json document = {0};

    if (tt_json_parse(text, size, name, &root, err) < 0)
        return -1;
    document.value = root;
    if (read_document(arena, &document, desired, err) < 0)
        return tt_wrap(err, "%s", name);
    *ret_desired = desired;
    return 0;
}
