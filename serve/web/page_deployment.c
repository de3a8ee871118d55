/*
 * A deployment: its floors, its plan as a difference, and its picture: each service's servers by
 * zone, by state and health, with the balancers before them. Of many servers numbers are told, and
 * by name only those that are not well.
 */
#include <string.h>

#include "serve/web/html.h"

#define NAMED 20 /* servers of a zone that are told by name */

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

/* --- the plan --------------------------------------------------------------------------------- */

static void write_problems(struct tt_buf *out, const json_t *plan)
{
    const json_t *problem;
    size_t i;

    json_array_foreach (json_object_get(plan, "problems"), i, problem) {
        tt_buf_add(out, "<p class=\"problem\">");
        tt_html_word(out, text_of(problem, "severity"));
        tt_buf_add(out, " <code>");
        tt_html_text(out, text_of(problem, "code"));
        tt_buf_add(out, "</code> ");
        tt_html_text(out, text_of(problem, "subject"));
        tt_buf_add(out, ": ");
        tt_html_text(out, text_of(problem, "message"));
        tt_buf_add(out, "</p>\n");
    }
}

static void write_floors(struct tt_buf *out, const json_t *plan)
{
    const json_t *floors = json_object_get(plan, "floors"), *floor;
    size_t i;

    if (!json_array_size(floors))
        return;
    tt_buf_add(out, "<h2>Members in service</h2>\n<table><caption>Now, at the worst moment of the "
                    "plan, and at its end</caption>\n<thead><tr><th scope=\"col\">Service</th>"
                    "<th scope=\"col\">Behind</th><th scope=\"col\" class=\"number\">Now</th>"
                    "<th scope=\"col\" class=\"number\">Never below</th><th scope=\"col\" "
                    "class=\"number\">At the end</th></tr></thead>\n<tbody>\n");
    json_array_foreach (floors, i, floor) {
        tt_buf_add(out, "<tr><th scope=\"row\">");
        tt_html_text(out, text_of(floor, "service"));
        tt_buf_add(out, "</th><td>");
        tt_html_text(out, text_of(floor, "balancer"));
        for (int k = 0; k < 3; k++)
            tt_buf_addf(out, "</td><td class=\"number\">%lld",
                        (long long)json_integer_value(
                            json_object_get(floor, (const char *[]){"now", "floor", "end"}[k])));
        tt_buf_add(out, "</td></tr>\n");
    }
    tt_buf_add(out, "</tbody></table>\n");
}

static const char *sign_of(const char *action)
{
    if (strcmp(action, "create-server") == 0 || strcmp(action, "start-server") == 0)
        return "create";
    return strcmp(action, "delete-server") == 0 ? "delete" : "change";
}

static void write_step(struct tt_buf *out, const json_t *step)
{
    const json_t *subject = json_object_get(step, "subject");
    const char *sign = sign_of(text_of(step, "action"));
    const json_t *slot = json_object_get(subject, "slot");

    tt_buf_addf(out, "<tr class=\"%s\"><th scope=\"row\">", sign);
    tt_html_text(out, text_of(step, "id"));
    tt_buf_addf(out, "</th><td>%s ",
                strcmp(sign, "create") == 0   ? "+"
                : strcmp(sign, "delete") == 0 ? "&minus;"
                                              : "~");
    tt_html_text(out, text_of(step, "action"));
    tt_buf_add(out, "</td><td>");
    tt_html_text(out, text_of(subject, "name"));
    if (json_is_integer(slot))
        tt_buf_addf(out, "-%lld", (long long)json_integer_value(slot));
    if (*text_of(step, "zone")) {
        tt_buf_add(out, " in zone ");
        tt_html_text(out, text_of(step, "zone"));
    }
    if (*text_of(step, "balancer")) {
        tt_buf_add(out, " at ");
        tt_html_text(out, text_of(step, "balancer"));
    }
    tt_buf_add(out, "</td><td>");
    tt_html_text(out, text_of(step, "because"));
    tt_buf_add(out, ": ");
    tt_html_text(out, text_of(step, "reason"));
    if (json_is_true(json_object_get(step, "held"))) {
        tt_buf_add(out, " ");
        tt_html_word(out, "held");
    }
    tt_buf_add(out, "</td></tr>\n");
}

static void write_plan(struct tt_buf *out, const json_t *plan)
{
    const json_t *steps = json_object_get(plan, "steps"), *step;
    size_t i;

    tt_buf_add(out, "<h2>Plan</h2>\n");
    if (!json_array_size(steps)) {
        tt_buf_add(out, "<p>No changes: what runs is what Git asks for.</p>\n");
        return;
    }
    tt_buf_addf(out,
                "<table><caption>%zu %s to what Git asks for</caption>\n<thead><tr>"
                "<th scope=\"col\">Step</th><th scope=\"col\">What</th><th scope=\"col\">Of</th>"
                "<th scope=\"col\">Why</th></tr></thead>\n<tbody>\n",
                json_array_size(steps), json_array_size(steps) == 1 ? "step" : "steps");
    json_array_foreach (steps, i, step) {
        write_step(out, step);
    }
    tt_buf_add(out, "</tbody></table>\n");
}

/* --- the picture ------------------------------------------------------------------------------ */

static const char *tag_of(const json_t *server, const char *name)
{
    return text_of(json_object_get(server, "tags"), name);
}

/* How a server fares, in one word. */
static const char *word_of(const json_t *server)
{
    const char *state = text_of(server, "state"), *health = text_of(server, "health");

    if (strcmp(state, "running") != 0)
        return state;
    return strcmp(health, "failing") == 0   ? "failing"
           : strcmp(health, "passing") == 0 ? "passing"
                                            : "up";
}

/* The servers of one zone, gathered: {"words": {WORD: count}, "ill": [names]}. */
static json_t *zone_in(json_t *zones, const char *name)
{
    json_t *zone = json_object_get(zones, name);

    if (!zone) {
        zone = json_pack("{s:{},s:[]}", "words", "ill");
        json_object_set_new(zones, name, zone);
    }
    return zone;
}

static void add_server(json_t *groups, const json_t *server, const char *place)
{
    const char *service = tag_of(server, "trimtab:service"), *word = word_of(server);
    char group[512], zone_name[512];
    json_t *zones, *zone, *words;

    snprintf(group, sizeof(group), "%s %s", *service ? "Service" : "Balancer",
             *service ? service : tag_of(server, "trimtab:balancer"));
    snprintf(zone_name, sizeof(zone_name), "%s, zone %s", place,
             *text_of(server, "zone") ? text_of(server, "zone") : "unknown");
    zones = json_object_get(groups, group);
    if (!zones) {
        zones = json_object();
        json_object_set_new(groups, group, zones);
    }
    zone = zone_in(zones, zone_name);
    words = json_object_get(zone, "words");
    json_object_set_new(words, word,
                        json_integer(json_integer_value(json_object_get(words, word)) + 1));
    if (strcmp(word, "passing") != 0 && strcmp(word, "up") != 0)
        json_array_append_new(
            json_object_get(zone, "ill"),
            json_sprintf("%s (%s): %s", text_of(server, "name"), text_of(server, "id"), word));
}

static json_t *gather(const json_t *world, const char *deployment)
{
    json_t *groups = json_object();
    const json_t *account, *region, *server;
    size_t i, k, m;

    json_array_foreach (json_object_get(world, "accounts"), i, account) {
        json_array_foreach (json_object_get(account, "regions"), k, region) {
            char place[512];

            snprintf(place, sizeof(place), "%s/%s", text_of(account, "name"),
                     text_of(region, "name"));
            json_array_foreach (json_object_get(region, "servers"), m, server) {
                if (strcmp(tag_of(server, "trimtab:deployment"), deployment) == 0)
                    add_server(groups, server, place);
            }
        }
    }
    return groups;
}

static void write_zone(struct tt_buf *out, const char *name, const json_t *zone)
{
    const json_t *ill = json_object_get(zone, "ill"), *one;
    const char *word;
    json_t *count;
    size_t i;

    tt_buf_add(out, "<li><h4>");
    tt_html_text(out, name);
    tt_buf_add(out, "</h4><ul>");
    json_object_foreach (json_object_get(zone, "words"), word, count) {
        tt_buf_addf(out, "<li>%lld ", (long long)json_integer_value(count));
        tt_html_word(out, word);
        tt_buf_add(out, "</li>");
    }
    tt_buf_add(out, "</ul>");
    json_array_foreach (ill, i, one) {
        if (i == NAMED) {
            tt_buf_addf(out, "<small>and %zu more</small>", json_array_size(ill) - NAMED);
            break;
        }
        tt_buf_add(out, "<small>");
        tt_html_text(out, json_string_value(one));
        tt_buf_add(out, "</small><br>");
    }
    tt_buf_add(out, "</li>\n");
}

static struct tt_strings keys_of(struct tt_arena *arena, json_t *object)
{
    struct tt_strings keys = {0};
    const char *key;
    json_t *value;

    json_object_foreach (object, key, value) {
        tt_strings_add(arena, &keys, tt_strdup(arena, key));
    }
    tt_strings_sort(&keys);
    return keys;
}

static void write_picture(struct tt_arena *arena, struct tt_buf *out, const char *world_text,
                          const char *deployment)
{
    json_t *world = json_loads(world_text, 0, NULL);
    json_t *groups = gather(world, deployment);
    struct tt_strings names = keys_of(arena, groups);

    tt_buf_add(out, "<h2>What runs</h2>\n");
    if (!json_object_size(groups))
        tt_buf_add(out, "<p>Nothing runs.</p>\n");
    TT_EACH (group, &names) {
        json_t *zones = json_object_get(groups, *group);
        struct tt_strings places = keys_of(arena, zones);

        tt_buf_add(out, "<h3>");
        tt_html_text(out, *group);
        tt_buf_add(out, "</h3>\n<ul class=\"zones\">\n");
        TT_EACH (place, &places)
            write_zone(out, *place, json_object_get(zones, *place));
        tt_buf_add(out, "</ul>\n");
    }
    json_decref(groups);
    json_decref(world);
}

/* --- the page --------------------------------------------------------------------------------- */

static const struct tt_daemon_deployment *find(struct tt_web_request *request,
                                               struct tt_daemon_deployments *list)
{
    tt_daemon_list(request->daemon, request->arena, list);
    for (size_t i = 0; i < list->count; i++)
        if (tt_streq(list->items[i].repository, request->parts[1]) &&
            tt_streq(list->items[i].name, request->parts[2]))
            return &list->items[i];
    return NULL;
}

static void write_head(struct tt_web_request *request, struct tt_buf *out,
                       const struct tt_daemon_deployment *item)
{
    tt_buf_add(out, "<p>");
    tt_html_word(out, tt_phase_name(item->phase));
    tt_buf_add(out, " at commit <code>");
    tt_html_text(out, item->revision);
    tt_buf_add(out, "</code> of ");
    tt_html_text(out, item->repository);
    if (item->message && *item->message) {
        tt_buf_add(out, "<br>");
        tt_html_text(out, item->message);
    }
    tt_buf_add(out, "</p>\n");
    if (item->held_run)
        tt_html_form(out,
                     tt_printf(request->arena, "/runs/%lld/approve", (long long)item->held_run),
                     "Approve the plan that is held");
    tt_html_form(out, tt_printf(request->arena, "%s/check", request->path), "Check now");
}

void tt_page_deployment(struct tt_web_request *request, struct tt_web_reply *reply)
{
    struct tt_buf *out = &reply->body;
    struct tt_daemon_deployments list = {0};
    const struct tt_daemon_deployment *item = find(request, &list);
    const char *plan_text, *world_text;
    struct tt_error err = {0};
    json_t *plan;

    if (!item) {
        tt_html_error(reply, 404, "No such deployment", "nothing of that name is followed");
        return;
    }
    tt_html_begin(reply, item->name);
    write_head(request, out, item);
    if (tt_daemon_plan(request->daemon, request->arena, item->repository, item->name, &plan_text,
                       &world_text, &err) < 0) {
        tt_buf_add(out, "<p>");
        tt_html_text(out, err.message);
        tt_buf_add(out, "</p>\n");
    } else {
        plan = json_loads(plan_text, 0, NULL);
        write_problems(out, plan);
        write_picture(request->arena, out, world_text, item->name);
        write_floors(out, plan);
        write_plan(out, plan);
        json_decref(plan);
    }
    tt_html_end(reply);
}
