/*
 * Picture: balancers, services, zones and servers. picture_drift.c tells what differs.
 */
#include "reconciler/commands/picture.h"

#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "model/json.h"
#include "model/plan_json.h"
#include "reconciler/commands/status.h"
#include "reconciler/planner/balance.h"
#include "reconciler/planner/members.h"
#include "reconciler/watch_list.h"

const char *tt_picture_word(const struct tt_server *server)
{
    if (server->state != TT_SERVER_RUNNING)
        return tt_server_state_words[server->state];
    return server->health == TT_HEALTH_UNKNOWN ? "up" : tt_health_words[server->health];
}

const char *tt_picture_listener(struct tt_arena *arena, const struct tt_listener *listener)
{
    const char *protocol = tt_protocol_words[listener->protocol];

    return listener->target_port
               ? tt_printf(arena, "%s %d to %d", protocol, listener->port, listener->target_port)
               : tt_printf(arena, "%s %d", protocol, listener->port);
}

/* --- balancers -------------------------------------------------------------------------------- */

static const char *balancer_word(const struct tt_balancer_view *balancer)
{
    const struct tt_server *machine = tt_status_machine(balancer);

    if (balancer->unseen)
        return "unknown";
    if (machine)
        return tt_picture_word(machine);
    return balancer->cloud ? "up" : "missing";
}

static json_t *listeners_json(const struct tt_balancer_view *balancer, json_t *urls,
                              const struct tt_view *view)
{
    const struct tt_listeners *listeners = tt_status_listeners(balancer);
    json_t *list = json_array();

    if (!listeners)
        return list;
    TT_EACH (listener, listeners) {
        const char *url = tt_status_url(view, balancer, listener);

        if (url)
            json_array_append_new(urls, json_string(url));
        json_array_append_new(list, json_string(tt_picture_listener(view->arena, listener)));
    }
    return list;
}

static json_t *balancer_json(const struct tt_view *view, const struct tt_balancer_view *balancer)
{
    const struct tt_server *machine = tt_status_machine(balancer);
    const struct tt_balancer *spec = balancer->spec;
    json_t *object = json_object(), *urls = json_array();

    json_object_set_new(object, "name", json_string(balancer->name));
    json_object_set_new(object, "orphan", json_boolean(!spec));
    if (spec) {
        json_object_set_new(object, "type", json_string(tt_balancer_type_words[spec->type]));
        json_object_set_new(object, "scope", json_string(tt_scope_words[spec->scope]));
        json_object_set_new(object, "account", json_string(spec->account->name));
        json_object_set_new(object, "region", json_string(spec->region));
        if (spec->type != TT_BALANCER_CLOUD)
            json_object_set_new(object, "software", json_string(tt_software_words[spec->software]));
    }
    json_object_set_new(object, "word", json_string(balancer_word(balancer)));
    json_object_set_new(object, "machine", tt_json_from_string(machine ? machine->id : NULL));
    json_object_set_new(object, "address",
                        tt_json_from_string(machine ? machine->private_address : NULL));
    json_object_set_new(object, "listeners", listeners_json(balancer, urls, view));
    json_object_set_new(object, "urls", urls);
    json_object_set_new(object, "zones",
                        tt_json_from_strings(balancer->cloud ? balancer->cloud->zones : NULL));
    return object;
}

/* --- services --------------------------------------------------------------------------------- */

struct service_writer {
    const struct tt_view *view;
    const struct tt_plan *plan;
    const struct tt_service_view *service;
    TT_VEC(struct tt_link) links; /* to the balancers that can be seen */
    json_t *zones;
};

static int compare_word(const json_t *known, const char *key, const char *word)
{
    const char *text = json_string_value(json_object_get(known, key));

    return strcmp(text ? text : "", word ? word : "");
}

static int compare_place(const json_t *known, const char *account, const char *region,
                         const char *name)
{
    int order = compare_word(known, "account", account);

    if (order == 0)
        order = compare_word(known, "region", region);
    return order ? order : compare_word(known, "zone", name);
}

/* The servers of a zone; zones are few, and in order. */
static json_t *zone_of(struct service_writer *writer, const char *account, const char *region,
                       const char *name)
{
    const struct tt_region *seen = tt_view_region(writer->view, account, region);
    const struct tt_zone *zone = seen && name ? tt_region_zone(seen, name) : NULL;
    json_t *known;
    size_t i;

    json_array_foreach (writer->zones, i, known) {
        int order = compare_place(known, account, region, name);

        if (order == 0)
            return json_object_get(known, "servers");
        if (order > 0)
            break;
    }
    known = json_object();
    json_object_set_new(known, "account", json_string(account));
    json_object_set_new(known, "region", json_string(region));
    json_object_set_new(known, "zone", tt_json_from_string(name));
    json_object_set_new(known, "state",
                        tt_json_from_string(zone ? tt_zone_state_words[zone->state] : NULL));
    json_object_set_new(known, "servers", json_array());
    json_array_insert_new(writer->zones, i, known);
    return json_object_get(known, "servers");
}

static void add_machine(struct service_writer *writer, const struct tt_machine *machine)
{
    const struct tt_server *server = machine->server;
    json_t *object = json_object();
    bool serves = false;

    TT_EACH (link, &writer->links)
        serves = serves || tt_link_serves(link, machine);
    json_object_set_new(object, "slot",
                        machine->slot < 0 ? json_null() : json_integer(machine->slot));
    json_object_set_new(object, "id", json_string(server->id));
    json_object_set_new(object, "name", tt_json_from_string(server->name));
    json_object_set_new(object, "word",
                        json_string(machine->failed && server->state == TT_SERVER_PENDING
                                        ? "failed"
                                        : tt_picture_word(server)));
    json_object_set_new(object, "address", tt_json_from_string(server->private_address));
    json_object_set_new(object, "serves", json_boolean(serves));
    json_array_append_new(
        zone_of(writer, machine->account->name, machine->region->name, server->zone), object);
}

/* Slots that are to be filled and are empty now. */
static void add_missing(struct service_writer *writer)
{
    const struct tt_service_view *service = writer->service;

    TT_EACH (step, &writer->plan->steps) {
        const struct tt_subject *subject = &step->subject;
        json_t *object;

        if (step->action != TT_STEP_CREATE_SERVER || step->because != TT_BECAUSE_MISSING ||
            subject->kind != TT_SUBJECT_SERVICE || !tt_streq(subject->name, service->name) ||
            !tt_streq(subject->deployment, service->deployment->name))
            continue;
        object = json_object();
        json_object_set_new(object, "slot", json_integer(subject->slot));
        json_object_set_new(object, "word", json_string("missing"));
        json_array_append_new(zone_of(writer, step->account, step->region, step->zone), object);
    }
}

static json_t *behind_json(struct service_writer *writer)
{
    json_t *list = json_array();

    TT_EACH (item, &writer->service->deployment->balancers) {
        struct tt_balancer_view *balancer = *item;
        int serving = tt_status_serving(writer->view, writer->service, balancer);

        if (!writer->service->spec || !balancer->spec ||
            !tt_service_is_behind(writer->service->spec, balancer->spec))
            continue;
        json_array_append_new(
            list, json_pack("{s:s,s:o,s:i}", "balancer", balancer->name, "serving",
                            serving < 0 ? json_null() : json_integer(serving), "wanted",
                            tt_service_count_behind(writer->service->spec, balancer->spec)));
        if (serving >= 0)
            *TT_VEC_ADD(writer->view->arena, &writer->links) =
                tt_link_of(writer->view->arena, writer->service, balancer);
    }
    return list;
}

static json_t *service_json(const struct tt_view *view, const struct tt_plan *plan,
                            const struct tt_service_view *service)
{
    struct service_writer writer = {view, plan, service, {0}, json_array()};
    json_t *object = json_object();

    json_object_set_new(object, "name", json_string(service->name));
    json_object_set_new(object, "orphan", json_boolean(!service->spec));
    json_object_set_new(object, "wanted", json_integer(service->wanted));
    json_object_set_new(object, "healthy", json_integer(tt_status_count(service).healthy));
    json_object_set_new(object, "behind", behind_json(&writer));
    TT_EACH (machine, &service->machines)
        add_machine(&writer, machine);
    add_missing(&writer);
    json_object_set_new(object, "zones", writer.zones);
    return object;
}

/* --- all of it -------------------------------------------------------------------------------- */

/* Targets are "KIND/DEPLOYMENT" or "KIND/DEPLOYMENT/NAME". */
static bool is_shown(const struct tt_session *session, const char *deployment)
{
    if (session->about)
        return strcmp(deployment, session->about) == 0;
    TT_EACH (target, &session->options.targets) {
        const char *name = strchr(*target, '/');
        size_t length = name ? strcspn(++name, "/") : 0;

        if (name && strlen(deployment) == length && strncmp(name, deployment, length) == 0)
            return true;
    }
    return !session->options.targets.count;
}

static json_t *deployment_json(const struct tt_view *view, const struct tt_plan *plan,
                               const struct tt_deployment_view *deployment)
{
    json_t *object = json_object(), *services = json_array(), *balancers = json_array();

    TT_EACH (balancer, &deployment->balancers)
        json_array_append_new(balancers, balancer_json(view, *balancer));
    TT_EACH (service, &deployment->services)
        json_array_append_new(services, service_json(view, plan, *service));
    json_object_set_new(object, "name", json_string(deployment->name));
    json_object_set_new(object, "orphan", json_boolean(!deployment->spec));
    json_object_set_new(object, "state", json_string(deployment->running ? "running" : "stopped"));
    json_object_set_new(object, "balancers", balancers);
    json_object_set_new(object, "services", services);
    return object;
}

json_t *tt_picture_json(struct tt_session *session, const struct tt_drift *drift)
{
    json_t *root = json_object(), *deployments = json_array();
    struct tt_plan_options options = {0};
    struct tt_drift told = {0};
    struct tt_view *view = tt_view_new(&session->arena, session->desired, session->world,
                                       &session->memory, tt_session_now(session), &options);

    tt_balance(view);
    if (!drift)
        tt_drift_of_plan(session, &told);
    TT_EACH (deployment, &view->deployments)
        if (is_shown(session, (*deployment)->name))
            json_array_append_new(deployments, deployment_json(view, session->plan, *deployment));
    json_object_set_new(root, "format", json_string("trimtab.picture/v1"));
    json_object_set_new(root, "revision", json_string(session->desired->revision));
    json_object_set_new(root, "takenAt",
                        json_string(tt_time_format(&session->arena, tt_session_now(session))));
    json_object_set_new(root, "deployments", deployments);
    json_object_set_new(root, "drift", tt_picture_drift(view, drift ? drift : &told));
    return root;
}

static int save(struct tt_session *session, const char *name, const char *text,
                struct tt_error *err)
{
    return tt_file_write(tt_printf(&session->arena, "%s/%s", session->options.save, name), text,
                         strlen(text), 0600, err);
}

/* For the daemon, which asks for one deployment at a time. */
static int save_watch_list(struct tt_session *session, struct tt_error *err)
{
    TT_EACH (deployment, &session->desired->deployments)
        if ((session->about || session->options.targets.count) &&
            is_shown(session, (*deployment)->name))
            return save(session, "watch.json",
                        tt_json_compact(&session->arena,
                                        tt_watch_list_json(session->desired, session->world,
                                                           (*deployment)->name)),
                        err);
    return 0;
}

bool tt_session_save(struct tt_session *session, const struct tt_drift *drift)
{
    struct tt_error err = {0};

    if (!session->options.save)
        return true;
    if (tt_make_folders(session->options.save, 0700, &err) == 0 &&
        save(session, "picture.json",
             tt_json_compact(&session->arena, tt_picture_json(session, drift)), &err) == 0 &&
        save_watch_list(session, &err) == 0 &&
        save(session, "plan.json", tt_plan_to_json(&session->arena, session->plan), &err) == 0)
        return true;
    tt_session_complain(session, &err);
    return false;
}
