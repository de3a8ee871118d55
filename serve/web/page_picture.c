/*
 * The picture of a deployment: balancers, then the services behind them, then zones, then servers,
 * each coloured by how it fares and told in words, too. Of very many servers those that are not
 * well come first, and of the others numbers are told.
 */
#include <string.h>

#include "model/plan.h"
#include "serve/web/html.h"

#define SHOWN_OF_ZONE 60
#define NAMED_OF_ZONE 12 /* up to so many show their word in the open */

static bool is_well(const json_t *server)
{
    const char *word = tt_web_text(server, "word");

    return strcmp(word, "passing") == 0 || strcmp(word, "up") == 0;
}

/* --- servers ---------------------------------------------------------------------------------- */

static void write_server(struct tt_buf *out, const json_t *server, bool named)
{
    const char *word = tt_web_text(server, "word"), *id = tt_web_text(server, "id");
    const json_t *slot = json_object_get(server, "slot");

    tt_html_put(out, "<li class=\"server ", word, "\" title=\"");
    tt_html_put(out, "", *tt_web_text(server, "name") ? tt_web_text(server, "name") : id, ": ");
    tt_html_put(out, "", word, "");
    if (*id)
        tt_html_put(out, " &middot; ", id, "");
    if (*tt_web_text(server, "address"))
        tt_html_put(out, " &middot; ", tt_web_text(server, "address"), "");
    if (json_is_true(json_object_get(server, "serves")))
        tt_buf_add(out, " &middot; in service");
    tt_buf_add(out, "\"><b>");
    if (json_is_integer(slot))
        tt_buf_addf(out, "%lld", (long long)json_integer_value(slot));
    else
        tt_html_text(out, id);
    tt_html_put(out, named ? "</b> " : "</b><span class=\"unseen\"> ", word,
                named ? "</li>" : "</span></li>");
}

/* "49 passing, 1 failing" */
static void write_words(struct tt_buf *out, const json_t *servers)
{
    static const char *const words[] = {"failed", "failing", "missing", "stopped",
                                        "gone",   "pending", "up",      "passing"};
    bool first = true;

    for (size_t k = 0; k < sizeof(words) / sizeof(*words); k++) {
        const json_t *server;
        size_t i, count = 0;

        json_array_foreach (servers, i, server) {
            count += strcmp(tt_web_text(server, "word"), words[k]) == 0;
        }
        if (count)
            tt_buf_addf(out, "%s%zu %s", first ? "" : ", ", count, words[k]);
        first = first && !count;
    }
}

static void write_zone(struct tt_buf *out, const json_t *zone)
{
    const json_t *servers = json_object_get(zone, "servers"), *server;
    size_t count = json_array_size(servers), shown = 0, i;
    const char *name = tt_web_text(zone, "zone");

    tt_html_put(out, "<li class=\"zone\"><h4>zone ", *name ? name : "unknown", " <small>");
    tt_html_put(out, "", tt_web_text(zone, "account"), "/");
    tt_html_put(out, "", tt_web_text(zone, "region"), "</small>");
    if (strcmp(tt_web_text(zone, "state"), "impaired") == 0)
        tt_html_word(out, "impaired");
    tt_buf_add(out, "</h4><p>");
    write_words(out, servers);
    tt_buf_add(out, "</p>\n<ul class=\"servers\">");
    for (int well = 0; well < 2; well++) {
        json_array_foreach (servers, i, server) {
            if (is_well(server) != (well == 1) || shown == SHOWN_OF_ZONE)
                continue;
            write_server(out, server, count <= NAMED_OF_ZONE || !is_well(server));
            shown++;
        }
    }
    if (count > shown)
        tt_buf_addf(out, "<li class=\"server\">and %zu more</li>", count - shown);
    tt_buf_add(out, "</ul></li>\n");
}

/* --- services --------------------------------------------------------------------------------- */

static const struct tt_floor *floor_of(const struct tt_plan *plan, const char *service,
                                       const char *balancer)
{
    TT_EACH (floor, &plan->floors)
        if (strcmp(floor->service, service) == 0 && strcmp(floor->balancer, balancer) == 0)
            return floor;
    return NULL;
}

/* How many serve of those that are wanted, with the floor as a mark: "3 of 4 in service at edge".
 */
static void write_gauge(struct tt_buf *out, const json_t *service, const json_t *behind,
                        const struct tt_plan *plan)
{
    const char *balancer = tt_web_text(behind, "balancer");
    const struct tt_floor *floor = floor_of(plan, tt_web_text(service, "name"), balancer);
    const json_t *number = json_object_get(behind, "serving");
    long long wanted = json_integer_value(json_object_get(behind, "wanted"));
    long long serving = json_integer_value(number), most = wanted > serving ? wanted : serving;

    tt_buf_add(out, "<div class=\"gauge\">");
    if (json_is_integer(number) && most) {
        tt_buf_addf(out,
                    "<svg viewBox=\"0 0 100 6\" preserveAspectRatio=\"none\" aria-hidden=\"true\">"
                    "<rect class=\"%s\" width=\"%lld\" height=\"6\"/>",
                    serving < wanted ? "now low" : "now", serving * 100 / most);
        if (floor)
            tt_buf_addf(out, "<line class=\"mark\" x1=\"%lld\" x2=\"%lld\" y1=\"0\" y2=\"6\"/>",
                        floor->floor * 100LL / most, floor->floor * 100LL / most);
        tt_buf_add(out, "</svg>");
    }
    if (json_is_integer(number))
        tt_buf_addf(out, "<span><strong>%lld of %lld</strong> in service", serving, wanted);
    else
        tt_buf_add(out, "<span>cannot be seen");
    tt_html_put(out, " at ", balancer, "</span>");
    if (floor)
        tt_buf_addf(out, "<small>floor: never below %d, %d at the end</small>", floor->floor,
                    floor->end);
    tt_buf_add(out, "</div>\n");
}

static void write_service(struct tt_buf *out, const json_t *service, const struct tt_plan *plan)
{
    const json_t *behind = json_object_get(service, "behind"), *zones, *one;
    long long wanted = json_integer_value(json_object_get(service, "wanted"));
    long long healthy = json_integer_value(json_object_get(service, "healthy"));
    size_t i;

    tt_buf_addf(out, "<li class=\"card node %s\"><header><h3>",
                healthy >= wanted ? "passing"
                : healthy         ? "pending"
                                  : "failing");
    tt_html_put(out, "", tt_web_text(service, "name"), " <small>service</small></h3>");
    if (json_is_true(json_object_get(service, "orphan")))
        tt_buf_add(out, "<span class=\"word foreign\">left Git</span>");
    tt_buf_addf(out, "<span>%lld of %lld healthy</span></header>\n", healthy, wanted);
    json_array_foreach (behind, i, one) {
        write_gauge(out, service, one, plan);
    }
    zones = json_object_get(service, "zones");
    tt_buf_add(out, "<ul class=\"zones\">\n");
    json_array_foreach (zones, i, one) {
        write_zone(out, one);
    }
    tt_buf_add(out, "</ul></li>\n");
}

/* --- balancers -------------------------------------------------------------------------------- */

static void write_words_of(struct tt_buf *out, const json_t *balancer)
{
    static const char *const keys[] = {"type", "software", "scope"};

    tt_buf_add(out, "<p><small>");
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
        if (*tt_web_text(balancer, keys[i]))
            tt_html_put(out, i ? " &middot; " : "", tt_web_text(balancer, keys[i]), "");
    if (*tt_web_text(balancer, "account")) {
        tt_html_put(out, " &middot; ", tt_web_text(balancer, "account"), "/");
        tt_html_text(out, tt_web_text(balancer, "region"));
    }
    tt_buf_add(out, "</small></p>");
}

static void write_list(struct tt_buf *out, const json_t *list, const char *before)
{
    const json_t *one;
    size_t i;

    json_array_foreach (list, i, one) {
        tt_html_put(out, before, json_string_value(one), "</li>");
    }
}

static void write_balancer(struct tt_buf *out, const json_t *balancer)
{
    const char *word = tt_web_text(balancer, "word");
    const json_t *zone;
    size_t i;

    tt_html_put(out, "<li class=\"card node ", word, "\"><header><h3>");
    tt_html_put(out, "", tt_web_text(balancer, "name"), " <small>balancer</small></h3>");
    tt_html_word(out, word);
    tt_buf_add(out, "</header>");
    if (json_is_true(json_object_get(balancer, "orphan")))
        tt_buf_add(out, "<p><span class=\"word foreign\">left Git</span></p>");
    write_words_of(out, balancer);
    tt_buf_add(out, "<ul class=\"plain\">");
    if (*tt_web_text(balancer, "machine"))
        tt_html_put(out, "<li><small>machine</small> <code>", tt_web_text(balancer, "machine"),
                    "</code></li>");
    write_list(out, json_object_get(balancer, "listeners"), "<li><small>listens</small> ");
    if (json_array_size(json_object_get(balancer, "zones"))) {
        tt_buf_add(out, "<li><small>zones</small> ");
        json_array_foreach (json_object_get(balancer, "zones"), i, zone) {
            tt_html_put(out, i ? ", " : "", json_string_value(zone), "");
        }
        tt_buf_add(out, "</li>");
    }
    write_list(out, json_object_get(balancer, "urls"), "<li class=\"mono\">");
    tt_buf_add(out, "</ul></li>\n");
}

/* --- who is behind whom ----------------------------------------------------------------------- */

static bool is_behind(const json_t *service, const char *balancer)
{
    const json_t *one;
    size_t i;

    json_array_foreach (json_object_get(service, "behind"), i, one) {
        if (strcmp(tt_web_text(one, "balancer"), balancer) == 0)
            return true;
    }
    return false;
}

/* Both are behind the same balancers. */
static bool is_beside(const json_t *a, const json_t *b)
{
    const json_t *one;
    size_t i;

    if (json_array_size(json_object_get(a, "behind")) !=
        json_array_size(json_object_get(b, "behind")))
        return false;
    json_array_foreach (json_object_get(a, "behind"), i, one) {
        if (!is_behind(b, tt_web_text(one, "balancer")))
            return false;
    }
    return true;
}

static void write_balancers_of(struct tt_buf *out, const json_t *balancers, const json_t *service)
{
    const json_t *balancer;
    size_t i, shown = 0;

    tt_buf_add(out, "<ul aria-label=\"Balancers\">\n");
    json_array_foreach (balancers, i, balancer) {
        if (is_behind(service, tt_web_text(balancer, "name"))) {
            write_balancer(out, balancer);
            shown++;
        }
    }
    if (!shown)
        tt_buf_add(out, "<li class=\"card node\"><small>no balancer before it</small></li>\n");
    tt_buf_add(out, "</ul>\n<div class=\"wire\" aria-hidden=\"true\"></div>\n");
}

static void write_idle_balancers(struct tt_buf *out, const json_t *balancers,
                                 const json_t *services)
{
    const json_t *balancer, *service;
    size_t i, k;

    json_array_foreach (balancers, i, balancer) {
        bool used = false;

        json_array_foreach (services, k, service) {
            used = used || is_behind(service, tt_web_text(balancer, "name"));
        }
        if (used)
            continue;
        tt_buf_add(out, "<div class=\"flow\"><ul aria-label=\"Balancers\">\n");
        write_balancer(out, balancer);
        tt_buf_add(out,
                   "</ul>\n<div class=\"wire\" aria-hidden=\"true\"></div>\n<ul><li "
                   "class=\"card node\"><small>no service behind it</small></li></ul></div>\n");
    }
}

void tt_page_picture(struct tt_buf *out, const json_t *deployment, const struct tt_plan *plan)
{
    const json_t *services = json_object_get(deployment, "services"), *service, *other;
    const json_t *balancers = json_object_get(deployment, "balancers");
    size_t i, k;

    tt_buf_add(out, "<section aria-labelledby=\"picture\"><h2 id=\"picture\">What runs</h2>\n");
    if (!json_array_size(services) && !json_array_size(balancers))
        tt_buf_add(out, "<p class=\"card empty\">Nothing runs, and nothing is to.</p>\n");
    json_array_foreach (services, i, service) {
        bool done = false;

        for (k = 0; k < i && !done; k++)
            done = is_beside(service, json_array_get(services, k));
        if (done)
            continue;
        tt_buf_add(out, "<div class=\"flow\">\n");
        write_balancers_of(out, balancers, service);
        tt_buf_add(out, "<ul aria-label=\"Services\">\n");
        for (k = i; k < json_array_size(services); k++) {
            other = json_array_get(services, k);
            if (is_beside(service, other))
                write_service(out, other, plan);
        }
        tt_buf_add(out, "</ul></div>\n");
    }
    write_idle_balancers(out, balancers, services);
    tt_buf_add(out, "</section>\n");
}
