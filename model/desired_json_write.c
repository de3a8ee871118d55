/*
 * Desired as JSON: writing (desired_json.c reads).
 */
#include "model/desired_json.h"
#include "model/json.h"
#include "model/policy_json.h"

static void set_string(json_t *object, const char *key, const char *value)
{
    if (value)
        json_object_set_new(object, key, json_string(value));
}

static void set_strings(json_t *object, const char *key, const struct tt_strings *list)
{
    if (list && list->count)
        json_object_set_new(object, key, tt_json_from_strings(list));
}

static void set_duration(json_t *object, const char *key, tt_time duration)
{
    struct tt_arena arena;

    tt_arena_init(&arena);
    json_object_set_new(object, key, json_string(tt_duration_format(&arena, duration)));
    tt_arena_release(&arena);
}

static void set_mark(json_t *object, const struct tt_mark *mark)
{
    json_t *json;

    if (!mark->file)
        return;
    json = json_object();
    json_object_set_new(json, "file", json_string(mark->file));
    json_object_set_new(json, "line", json_integer(mark->line));
    json_object_set_new(json, "column", json_integer(mark->column));
    json_object_set_new(object, "mark", json);
}

static json_t *write_guard(const struct tt_guard *guard)
{
    json_t *object = json_object();

    json_object_set_new(object, "maxDestroy", json_integer(guard->max_destroy));
    json_object_set_new(object, "maxVanished", json_integer(guard->max_vanished));
    return object;
}

static json_t *write_amount(struct tt_amount amount)
{
    return amount.percent ? json_sprintf("%d%%", amount.value) : json_integer(amount.value);
}

static json_t *write_server(const struct tt_server_spec *spec)
{
    json_t *object = json_object();

    set_string(object, "template", spec->template);
    set_string(object, "size", spec->size);
    if (spec->firewalls)
        json_object_set_new(object, "firewalls", tt_json_from_strings(spec->firewalls));
    set_string(object, "key", spec->key);
    set_string(object, "network", spec->network);
    set_string(object, "userData", spec->user_data);
    set_string(object, "userDataHash", spec->user_data_hash);
    return object;
}

static json_t *write_template(const struct tt_local_template *template)
{
    json_t *object = json_object();

    set_string(object, "name", template->name);
    set_strings(object, "command", &template->command);
    set_string(object, "software", template->software);
    set_mark(object, &template->mark);
    return object;
}

static json_t *write_ssh(const struct tt_ssh_access *ssh)
{
    json_t *object = json_object();

    set_string(object, "user", ssh->user);
    if (ssh->port)
        json_object_set_new(object, "port", json_integer(ssh->port));
    set_string(object, "key", ssh->key);
    set_string(object, "knownHosts", ssh->known_hosts);
    if (ssh->sudo)
        json_object_set_new(object, "sudo", json_true());
    set_string(object, "scripts", ssh->scripts);
    return object;
}

static json_t *write_account(const struct tt_account *account)
{
    json_t *object = json_object(), *templates = json_array();

    set_string(object, "name", account->name);
    set_string(object, "provider", tt_provider_kind_words[account->provider]);
    set_string(object, "endpoint", account->endpoint);
    set_string(object, "folder", account->folder);
    set_string(object, "profile", account->profile);
    set_string(object, "credentialsEnv", account->credentials_env);
    set_string(object, "credentialsFile", account->credentials_file);
    json_object_set_new(object, "ssh", write_ssh(&account->ssh));
    set_strings(object, "regions", &account->regions);
    set_strings(object, "zones", &account->zones);
    TT_EACH (template, &account->templates)
        json_array_append_new(templates, write_template(template));
    json_object_set_new(object, "templates", templates);
    set_string(object, "snapshot", account->snapshot);
    set_mark(object, &account->mark);
    return object;
}

static json_t *write_placement(const struct tt_placement *placement)
{
    json_t *object = json_object();

    set_string(object, "account", placement->account->name);
    set_string(object, "region", placement->region);
    set_strings(object, "zones", &placement->zones);
    json_object_set_new(object, "count", json_integer(placement->count));
    json_object_set_new(object, "server", write_server(&placement->server));
    set_mark(object, &placement->mark);
    return object;
}

static json_t *write_service(const struct tt_service *service)
{
    json_t *object = json_object(), *placements = json_array();
    json_t *balancers = json_array(), *depends_on = json_array();

    set_string(object, "name", service->name);
    json_object_set_new(object, "port", json_integer(service->port));
    set_strings(object, "names", &service->names);
    TT_EACH (placement, &service->placements)
        json_array_append_new(placements, write_placement(placement));
    json_object_set_new(object, "placements", placements);
    json_object_set_new(object, "health", tt_json_from_health(service->health));
    TT_EACH (balancer, &service->balancers)
        json_array_append_new(balancers, json_string((*balancer)->name));
    json_object_set_new(object, "balancers", balancers);
    json_object_set_new(object, "maxSurge", write_amount(service->max_surge));
    json_object_set_new(object, "maxUnavailable", write_amount(service->max_unavailable));
    set_duration(object, "drain", service->drain);
    TT_EACH (dependency, &service->depends_on)
        json_array_append_new(depends_on, json_string((*dependency)->name));
    json_object_set_new(object, "dependsOn", depends_on);
    set_mark(object, &service->mark);
    return object;
}

static json_t *write_balancer(const struct tt_balancer *balancer)
{
    json_t *object = json_object(), *recovery = json_object();

    set_string(object, "name", balancer->name);
    set_string(object, "type", tt_balancer_type_words[balancer->type]);
    set_string(object, "account", balancer->account->name);
    set_string(object, "region", balancer->region);
    set_string(object, "scope", tt_scope_words[balancer->scope]);
    set_strings(object, "zones", &balancer->zones);
    json_object_set_new(object, "listeners", tt_json_from_listeners(balancer->listeners));
    set_string(object, "algorithm",
               balancer->has_algorithm ? tt_algorithm_words[balancer->algorithm] : NULL);
    json_object_set_new(object, "health", tt_json_from_health(balancer->health));
    set_string(object, "software", tt_software_words[balancer->software]);
    json_object_set_new(object, "server", write_server(&balancer->server));
    set_string(object, "address", balancer->address);
    json_object_set_new(recovery, "unhealthyAfter",
                        json_integer(balancer->recovery.unhealthy_after));
    set_duration(recovery, "interval", balancer->recovery.interval);
    json_object_set_new(recovery, "maxPerHour", json_integer(balancer->recovery.max_per_hour));
    json_object_set_new(object, "recovery", recovery);
    set_string(object, "machine", balancer->machine);
    set_string(object, "cloudName", balancer->cloud_name);
    set_mark(object, &balancer->mark);
    return object;
}

static json_t *write_deployment(const struct tt_deployment *deployment)
{
    json_t *object = json_object(), *services = json_array(), *balancers = json_array();

    set_string(object, "name", deployment->name);
    json_object_set_new(object, "running", json_boolean(deployment->running));
    json_object_set_new(object, "prune", json_boolean(deployment->prune));
    json_object_set_new(object, "guard", write_guard(&deployment->guard));
    json_object_set_new(object, "policy", tt_policy_write(&deployment->policy));
    TT_EACH (balancer, &deployment->balancers)
        json_array_append_new(balancers, write_balancer(*balancer));
    TT_EACH (service, &deployment->services)
        json_array_append_new(services, write_service(*service));
    json_object_set_new(object, "balancers", balancers);
    json_object_set_new(object, "services", services);
    set_mark(object, &deployment->mark);
    return object;
}

static json_t *write_desired(const struct tt_desired *desired)
{
    json_t *root = json_object(), *accounts = json_array(), *deployments = json_array();

    json_object_set_new(root, "format", json_string("trimtab.desired/v1"));
    set_string(root, "owner", desired->owner);
    set_string(root, "revision", desired->revision);
    json_object_set_new(root, "guard", write_guard(&desired->guard));
    TT_EACH (account, &desired->accounts)
        json_array_append_new(accounts, write_account(*account));
    TT_EACH (deployment, &desired->deployments)
        json_array_append_new(deployments, write_deployment(*deployment));
    json_object_set_new(root, "accounts", accounts);
    json_object_set_new(root, "deployments", deployments);
    return root;
}

char *tt_desired_to_json(struct tt_arena *arena, const struct tt_desired *desired)
{
    return tt_json_text(arena, write_desired(desired));
}

/* --- without user data ----------------------------------------------------------------------- */

/* A server spec is told by its user data: nothing else has that key. */
static void hash_user_data(json_t *value, struct tt_arena *scratch)
{
    const char *data = json_string_value(json_object_get(value, "userData"));
    const char *key;
    json_t *member;
    size_t i;

    if (data) {
        struct tt_server_spec spec = {.user_data = data};

        set_string(value, "userDataHash", tt_server_spec_hash(scratch, &spec));
        json_object_del(value, "userData");
    }
    json_object_foreach (value, key, member) {
        hash_user_data(member, scratch);
    }
    json_array_foreach (value, i, member) {
        hash_user_data(member, scratch);
    }
}

char *tt_desired_to_record(struct tt_arena *arena, const struct tt_desired *desired)
{
    json_t *root = write_desired(desired);
    struct tt_arena scratch;

    tt_arena_init(&scratch);
    hash_user_data(root, &scratch);
    tt_arena_release(&scratch);
    return tt_json_text(arena, root);
}
