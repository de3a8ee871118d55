/*
 * Accounts: what each account and region of a repository offers for balancing: the kinds of
 * balancer, the cloud balancers that stand ready, and the machines that could be static ones. The
 * clouds are asked when somebody looks, at most once a minute.
 */
#include <string.h>

#include "serve/web/html.h"

#define SHOWN 50

/* --- the repositories ------------------------------------------------------------------------- */

void tt_page_accounts(struct tt_web_request *request, struct tt_web_reply *reply)
{
    struct tt_buf *out = &reply->body;
    struct tt_daemon_deployments list = {0};
    const char *last = NULL;

    tt_daemon_list(request->daemon, request->arena, &list);
    tt_html_begin(request, reply, "accounts", "Accounts");
    tt_buf_add(out, "<h1>Accounts</h1>\n<p>What the accounts of a repository offer; the clouds are "
                    "asked when you look.</p>\n");
    if (!list.count)
        tt_buf_add(out, "<p class=\"card empty\">No deployment is followed yet.</p>\n");
    tt_buf_add(out, "<ul class=\"tiles\">\n");
    for (size_t i = 0; i < list.count; i++) { /* by repository */
        if (tt_streq(last, list.items[i].repository))
            continue;
        last = list.items[i].repository;
        tt_buf_add(out, "<li><a class=\"card\" href=\"/accounts/");
        tt_html_path(out, last);
        tt_html_put(out, "\"><strong>", last, "</strong><span>its accounts</span></a></li>\n");
    }
    tt_buf_add(out, "</ul>\n");
    tt_html_end(reply);
}

/* --- the accounts of one ---------------------------------------------------------------------- */

static bool has_word(const json_t *words, const char *word)
{
    const json_t *item;
    size_t i;

    json_array_foreach (words, i, item) {
        if (tt_streq(json_string_value(item), word))
            return true;
    }
    return false;
}

static void write_types(struct tt_buf *out, const json_t *types)
{
    const json_t *type;
    size_t i;

    tt_buf_add(out, "<p>Balancers:");
    json_array_foreach (types, i, type) {
        tt_html_put(out, i ? ", <strong>" : " <strong>", json_string_value(type), "</strong>");
    }
    tt_buf_add(out, "</p>\n");
}

static void write_names(struct tt_buf *out, const json_t *names)
{
    const json_t *name;
    size_t i;

    json_array_foreach (names, i, name) {
        tt_html_put(out, i ? ", " : "", json_string_value(name), "");
    }
}

static void write_listeners(struct tt_buf *out, const json_t *listeners)
{
    const json_t *listener;
    size_t i;

    json_array_foreach (listeners, i, listener) {
        tt_html_put(out, i ? ", " : "", tt_web_text(listener, "protocol"), "");
        tt_buf_addf(out, " %lld", (long long)json_integer_value(json_object_get(listener, "port")));
    }
}

static void write_balancers(struct tt_buf *out, const json_t *balancers)
{
    const json_t *balancer;
    size_t i;

    if (!json_array_size(balancers))
        return;
    tt_buf_add(out,
               "<div class=\"table\"><table><caption>Cloud balancers that stand ready</caption>"
               "\n<thead><tr><th scope=\"col\">Name</th><th scope=\"col\">Zones</th>"
               "<th scope=\"col\">Listeners</th></tr></thead>\n<tbody>\n");
    json_array_foreach (balancers, i, balancer) {
        if (i == SHOWN)
            break;
        tt_html_put(out, "<tr><th scope=\"row\">",
                    *tt_web_text(balancer, "name") ? tt_web_text(balancer, "name")
                                                   : tt_web_text(balancer, "id"),
                    "</th><td>");
        write_names(out, json_object_get(balancer, "zones"));
        tt_buf_add(out, "</td><td>");
        write_listeners(out, json_object_get(balancer, "listeners"));
        tt_buf_add(out, "</td></tr>\n");
    }
    tt_buf_add(out, "</tbody></table></div>\n");
    if (json_array_size(balancers) > SHOWN)
        tt_buf_addf(out, "<p><small>and %zu more</small></p>\n",
                    json_array_size(balancers) - SHOWN);
}

static void write_machines(struct tt_buf *out, const json_t *machines, bool any)
{
    size_t count = json_array_size(machines), i;
    const json_t *machine;

    if (any)
        tt_buf_add(out, "<p><small>Any machine that SSH reaches could be a vm-static balancer, by "
                        "its address.</small></p>\n");
    else if (!count)
        tt_buf_add(out, "<p><small>No machine could be a vm-static balancer.</small></p>\n");
    if (!count)
        return;
    tt_buf_addf(out, "<p>%zu %s could be a vm-static balancer:</p>\n<ul class=\"servers\">", count,
                count == 1 ? "machine" : "machines");
    json_array_foreach (machines, i, machine) {
        if (i == SHOWN)
            break;
        tt_html_put(out, "<li class=\"server\"><b>", tt_web_text(machine, "id"), "</b>");
        tt_html_put(out, " ", tt_web_text(machine, "name"), "</li>");
    }
    if (count > SHOWN)
        tt_buf_addf(out, "<li class=\"server\">and %zu more</li>", count - SHOWN);
    tt_buf_add(out, "</ul>\n");
}

static void write_region(struct tt_buf *out, const json_t *region)
{
    const json_t *types = json_object_get(region, "types");
    const char *status = tt_web_text(region, "status");
    bool seen = strcmp(status, "observed") == 0;

    tt_html_put(out, "<li class=\"card node ", seen ? "up" : "failed", "\"><header><h3>");
    tt_html_put(out, "", tt_web_text(region, "account"), " / ");
    tt_html_put(out, "", tt_web_text(region, "region"), "</h3>");
    tt_html_word(out, status);
    tt_buf_add(out, "</header>\n");
    write_types(out, types);
    if (seen) {
        write_balancers(out, json_object_get(region, "balancers"));
        if (has_word(json_object_get(region, "capabilities"), "cloud-balancer") &&
            !json_array_size(json_object_get(region, "balancers")))
            tt_buf_add(out, "<p><small>No cloud balancer stands ready: provision one "
                            "first.</small></p>\n");
        write_machines(out, json_object_get(region, "machines"), !has_word(types, "vm-dynamic"));
    }
    tt_buf_add(out, "</li>\n");
}

void tt_page_account(struct tt_web_request *request, struct tt_web_reply *reply)
{
    struct tt_buf *out = &reply->body;
    const char *name = request->parts[1], *text;
    struct tt_error err = {0};
    const json_t *region;
    tt_time at = 0;
    json_t *root;
    size_t i;

    if (tt_daemon_offers(request->daemon, request->arena, name, &text, &at, &err) < 0) {
        tt_html_error(request, reply, err.class == TT_ERR_NOT_FOUND ? 404 : 503,
                      "No offers are known", err.message);
        return;
    }
    root = json_loads(text, 0, NULL);
    tt_html_begin(request, reply, "accounts", tt_printf(request->arena, "Accounts of %s", name));
    tt_html_put(out,
                "<p class=\"crumbs\"><a href=\"/accounts\">Accounts</a> /</p>\n<h1>Accounts of ",
                name, "</h1>\n<dl class=\"facts\"><div><dt>asked</dt><dd>");
    tt_html_time(request, out, at);
    tt_buf_add(out, "</dd></div></dl>\n<ul class=\"problems offers\">\n");
    json_array_foreach (json_object_get(root, "offers"), i, region) {
        write_region(out, region);
    }
    tt_buf_add(out, "</ul>\n");
    tt_html_end(reply);
    json_decref(root);
}
