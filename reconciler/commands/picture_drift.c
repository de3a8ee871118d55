/*
 * Picture of the drift: what differs, as Git asks for it and as it was observed. What the plan's
 * steps tell is looked up on both sides.
 */
#include "base/map.h"
#include "base/str.h"
#include "model/json.h"
#include "reconciler/commands/compare.h"
#include "reconciler/commands/picture.h"
#include "reconciler/commands/status.h"
#include "reconciler/planner/balance.h"
#include "reconciler/planner/members.h"

/* One step with both its sides. */
struct sides {
    const struct tt_view *view;
    const struct tt_step *step;
    struct tt_deployment_view *deployment; /* NULL: it is not there */
    struct tt_service_view *service;       /* of a service's step; NULL else */
    struct tt_balancer_view *balancer;     /* that the step names, or is about; NULL: none */
    const struct tt_machine *machine;      /* that is acted on or replaced; NULL: none */
    json_t *differs;
};

static void differ(struct sides *sides, const char *what, const char *desired, const char *observed)
{
    json_array_append_new(sides->differs, json_pack("{s:s,s:s,s:s}", "what", what, "desired",
                                                    desired ? desired : "unknown", "observed",
                                                    observed ? observed : "unknown"));
}

/* --- finding both ----------------------------------------------------------------------------- */

static struct tt_deployment_view *find_deployment(const struct tt_view *view, const char *name)
{
    TT_EACH (deployment, &view->deployments)
        if (tt_streq((*deployment)->name, name))
            return *deployment;
    return NULL;
}

static const struct tt_machine *find_service_machine(const struct tt_service_view *service,
                                                     const struct tt_step *step)
{
    TT_EACH (machine, &service->machines)
        if (step->server ? tt_streq(machine->server->id, step->server)
                         : machine->slot == step->subject.slot)
            return machine;
    return NULL;
}

static const struct tt_machine *find_balancer_machine(const struct tt_balancer_view *balancer,
                                                      const struct tt_step *step)
{
    TT_EACH (machine, &balancer->machines)
        if (!step->server || tt_streq(machine->server->id, step->server))
            return machine;
    return NULL;
}

static struct sides find_sides(const struct tt_view *view, const struct tt_step *step)
{
    struct sides sides = {.view = view, .step = step, .differs = json_array()};
    bool of_service = step->subject.kind == TT_SUBJECT_SERVICE;
    const char *balancer = of_service ? step->balancer : step->subject.name;

    sides.deployment = find_deployment(view, step->subject.deployment);
    if (!sides.deployment)
        return sides;
    if (of_service)
        sides.service = tt_view_service(sides.deployment, step->subject.name);
    if (balancer)
        sides.balancer = tt_view_balancer(sides.deployment, balancer);
    if (sides.service)
        sides.machine = find_service_machine(sides.service, step);
    else if (sides.balancer)
        sides.machine = find_balancer_machine(sides.balancer, step);
    return sides;
}

/* --- what differs ----------------------------------------------------------------------------- */

static const struct tt_server_spec *spec_of(const struct sides *sides)
{
    if (sides->service)
        return sides->service->spec && sides->machine && sides->machine->placement >= 0
                   ? &sides->service->spec->placements.items[sides->machine->placement].server
                   : NULL;
    return sides->balancer && sides->balancer->spec ? &sides->balancer->spec->server : NULL;
}

static const char *list_text(const struct sides *sides, const struct tt_strings *list)
{
    return list ? tt_strings_join(sides->view->arena, list, "none") : NULL;
}

/* User data cannot be read back: its mark is compared. */
static void differ_in_field(struct sides *sides, const char *field,
                            const struct tt_server_spec *spec, const struct tt_server *server)
{
    struct tt_arena *arena = sides->view->arena;

    if (tt_streq(field, "template"))
        differ(sides, field, spec->template, server->template);
    else if (tt_streq(field, "size"))
        differ(sides, field, spec->size, server->size);
    else if (tt_streq(field, "firewalls"))
        differ(sides, field, list_text(sides, spec->firewalls),
               list_text(sides, server->firewalls));
    else if (tt_streq(field, "key"))
        differ(sides, field, spec->key, server->key);
    else if (tt_streq(field, "network"))
        differ(sides, field, spec->network, server->network);
    else
        differ(sides, field, tt_printf(arena, "#%s", tt_server_spec_hash(arena, spec)),
               server->tags.spec ? tt_printf(arena, "#%s", server->tags.spec) : NULL);
}

static void differ_in_state(struct sides *sides)
{
    const struct tt_machine *machine = sides->machine;

    if (machine)
        differ(sides, "state", "running and healthy", tt_picture_word(machine->server));
    else
        differ(sides, "state", "running and healthy", "gone");
}

static const char *place_text(const struct sides *sides)
{
    const struct tt_step *step = sides->step;

    return tt_printf(sides->view->arena, "in %s/%s%s%s", step->account ? step->account : "?",
                     step->region ? step->region : "?", step->zone ? ", zone " : "",
                     step->zone ? step->zone : "");
}

static const char *allowed_zones(const struct sides *sides)
{
    const struct tt_service *spec = sides->service ? sides->service->spec : NULL;
    const struct tt_placement *placement = spec && sides->machine && sides->machine->placement >= 0
                                               ? &spec->placements.items[sides->machine->placement]
                                               : NULL;

    if (!placement)
        return "none here";
    return placement->zones.count ? list_text(sides, &placement->zones) : "those of its balancers";
}

static const char *member_text(struct sides *sides)
{
    struct tt_link link;
    int entry;

    if (!sides->service || !sides->balancer || !sides->machine)
        return "none";
    link = tt_link_of(sides->view->arena, sides->service, sides->balancer);
    entry = tt_link_entry(&link, sides->machine);
    return entry < 0 ? "none" : tt_member_state_words[tt_roster_state(&link.target, entry)];
}

static const char *listeners_text(const struct sides *sides, const struct tt_listeners *listeners)
{
    struct tt_strings words = {0};

    if (!listeners)
        return NULL;
    TT_EACH (listener, listeners)
        tt_strings_add(sides->view->arena, &words,
                       tt_picture_listener(sides->view->arena, listener));
    return list_text(sides, &words);
}

static const char *health_text(const struct sides *sides, const struct tt_health_check *check)
{
    struct tt_arena *arena = sides->view->arena;

    if (!check)
        return NULL;
    return tt_printf(arena, "%s%s%s every %s, %d times", check->http ? "http" : "tcp",
                     check->path ? " " : "", check->path ? check->path : "",
                     tt_duration_format(arena, check->interval), check->unhealthy_after);
}

/* Who has the balancer's address now. */
static const char *holder_text(const struct sides *sides)
{
    const struct tt_balancer_view *balancer = sides->balancer;
    const struct tt_server *server;
    const char *holder = NULL;

    if (!balancer->region)
        return NULL;
    TT_EACH (address, &balancer->region->addresses)
        if (balancer->spec && tt_streq(address->address, balancer->spec->address))
            holder = address->server;
    if (!holder)
        return "at no machine";
    server = tt_region_find_server(balancer->region, holder);
    return tt_printf(sides->view->arena, "at %s",
                     server ? tt_machine_text(sides->view->arena, server) : holder);
}

/* What is about a machine alone. */
static void differ_in_machine(struct sides *sides)
{
    const struct tt_step *step = sides->step;

    if (step->action == TT_STEP_TAG)
        differ(sides, "slot", tt_printf(sides->view->arena, "%d", step->subject.slot), "none");
    else
        differ_in_state(sides);
}

static void differ_in_setting(struct sides *sides)
{
    struct tt_balancer_view *balancer = sides->balancer;
    const struct tt_balancer *spec = balancer ? balancer->spec : NULL;
    struct tt_arena *arena = sides->view->arena;

    if (!balancer)
        return;
    switch (sides->step->action) {
    case TT_STEP_ENROLL:
        differ(sides, tt_printf(arena, "member of %s", balancer->name), "in-service",
               member_text(sides));
        break;
    case TT_STEP_WITHDRAW:
        differ(sides, tt_printf(arena, "member of %s", balancer->name), "none",
               sides->step->address ? sides->step->address : "enrolled");
        break;
    case TT_STEP_SET_ZONES:
        differ(sides, "zones", list_text(sides, sides->step->zones),
               list_text(sides, balancer->cloud ? balancer->cloud->zones : NULL));
        break;
    case TT_STEP_SET_LISTENERS:
        differ(sides, "listeners", listeners_text(sides, spec ? spec->listeners : NULL),
               listeners_text(sides, tt_status_listeners(balancer)));
        break;
    case TT_STEP_SET_HEALTH_CHECK:
        differ(sides, "health check", health_text(sides, spec ? tt_balancer_health(spec) : NULL),
               health_text(sides, balancer->cloud ? balancer->cloud->health : NULL));
        break;
    case TT_STEP_MOVE_ADDRESS:
        differ(sides, tt_printf(arena, "address %s", spec ? spec->address : "?"),
               tt_printf(arena, "at the machine of %s", balancer->name), holder_text(sides));
        break;
    default:
        differ_in_machine(sides);
    }
}

static void find_differences(struct sides *sides)
{
    const struct tt_step *step = sides->step;
    const struct tt_server_spec *spec = spec_of(sides);
    const struct tt_server *server = sides->machine ? sides->machine->server : NULL;

    switch (step->because) {
    case TT_BECAUSE_MISSING:
        differ(sides, sides->service ? "server" : "machine", place_text(sides), "none");
        break;
    case TT_BECAUSE_FAILED:
    case TT_BECAUSE_BALANCER_REPLACED:
        differ_in_state(sides);
        break;
    case TT_BECAUSE_ZONE_VIOLATION:
    case TT_BECAUSE_UNEVEN:
        differ(sides, "zone", step->because == TT_BECAUSE_UNEVEN ? "even" : allowed_zones(sides),
               server ? server->zone : NULL);
        break;
    case TT_BECAUSE_OUTDATED:
        if (spec && server)
            TT_EACH (field, &step->fields)
                differ_in_field(sides, *field, spec, server);
        break;
    case TT_BECAUSE_DRIFT:
        if (step->balancer || !sides->service)
            differ_in_setting(sides);
        else
            differ_in_machine(sides);
        break;
    default: /* it is not to be there */
        differ(sides, sides->service ? "server" : "machine", "none",
               server ? tt_picture_word(server) : "there");
    }
}

json_t *tt_picture_differences(const struct tt_view *view, const struct tt_step *step)
{
    struct sides sides = find_sides(view, step);

    find_differences(&sides);
    return sides.differs;
}

/* --- all of it -------------------------------------------------------------------------------- */

static json_t *item_json(const struct tt_view *view, const struct tt_drift_item *item)
{
    const struct tt_step *step = item->step;
    const struct tt_subject *subject = &step->subject;
    json_t *object = json_object();

    json_object_set_new(object, "class", json_string(item->class));
    json_object_set_new(object, "kind", json_string(tt_subject_kind_words[subject->kind]));
    json_object_set_new(object, "name", json_string(subject->name));
    json_object_set_new(object, "slot",
                        subject->slot < 0 ? json_null() : json_integer(subject->slot));
    json_object_set_new(object, "action", json_string(tt_action_words[step->action]));
    json_object_set_new(object, "because", json_string(tt_because_words[step->because]));
    json_object_set_new(object, "reason", json_string(step->reason));
    json_object_set_new(object, "held", json_boolean(step->held));
    json_object_set_new(object, "differs", tt_picture_differences(view, step));
    return object;
}

json_t *tt_picture_drift(const struct tt_view *view, const struct tt_drift *drift)
{
    json_t *list = json_array();
    struct tt_arena scratch;
    struct tt_map told;

    tt_arena_init(&scratch);
    tt_map_init(&told, &scratch);
    TT_EACH (item, &drift->items)
        if (tt_drift_is_first(&told, &scratch, item))
            json_array_append_new(list, item_json(view, item));
    tt_arena_release(&scratch);
    return list;
}
