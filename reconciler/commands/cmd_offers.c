/*
 * offers: which kinds of balancer an account and region offer, the cloud balancers that stand
 * ready, and the machines that could be static ones.
 */
#include <string.h>

#include "base/str.h"
#include "model/json.h"
#include "reconciler/commands/commands.h"

/* A cloud balancer has to be there before it can be chosen. */
static bool offers(const struct tt_world_account *account, const struct tt_region *region,
                   enum tt_balancer_type type)
{
    switch (type) {
    case TT_BALANCER_CLOUD:
        return account->features & TT_FEATURE_CLOUD_BALANCER && region->balancers.count;
    case TT_BALANCER_VM_DYNAMIC:
        return tt_provider_kind_makes_machines(
            (enum tt_provider_kind)tt_word_find(tt_provider_kind_words, account->provider));
    case TT_BALANCER_VM_STATIC:
        break;
    }
    return true;
}

static bool could_be_static(const struct tt_session *session, const struct tt_server *server)
{
    return server->state == TT_SERVER_RUNNING &&
           !tt_streq(server->tags.owner, session->desired->owner);
}

static void print_region(struct tt_session *session, const struct tt_world_account *account,
                         const struct tt_region *region)
{
    const char *separator = ":";
    int machines = 0;

    printf("%s/%s", account->name, region->name);
    for (int type = 0; tt_balancer_type_words[type]; type++)
        if (offers(account, region, (enum tt_balancer_type)type)) {
            printf("%s %s", separator, tt_balancer_type_words[type]);
            separator = ",";
        }
    printf("\n");
    if (!region->observed) {
        printf("  not observed: %s\n", region->error ? region->error : "no reason given");
        return;
    }
    TT_EACH (balancer, &region->balancers) {
        printf("  cloud balancer %s", balancer->name ? balancer->name : balancer->id);
        if (balancer->zones)
            printf(", zones %s", tt_strings_join(&session->arena, balancer->zones, "none"));
        if (balancer->listeners)
            TT_EACH (listener, balancer->listeners)
                printf(", %s %d", tt_protocol_words[listener->protocol], listener->port);
        printf("\n");
    }
    if (account->features & TT_FEATURE_CLOUD_BALANCER && !region->balancers.count)
        printf("  no cloud balancer stands ready: provision one first\n");
    TT_EACH (server, &region->servers)
        if (could_be_static(session, server)) {
            printf("  machine %s%s%s%s could be a vm-static balancer\n", server->id,
                   server->name ? " (" : "", server->name ? server->name : "",
                   server->name ? ")" : "");
            machines++;
        }
    if (!offers(account, region, TT_BALANCER_VM_DYNAMIC))
        printf("  any machine that SSH reaches could be a vm-static balancer, by its address\n");
    else if (!machines)
        printf("  no machine could be a vm-static balancer\n");
}

static json_t *region_json(struct tt_session *session, const struct tt_world_account *account,
                           const struct tt_region *region)
{
    json_t *object = json_object(), *kinds = json_array(), *balancers = json_array();
    json_t *machines = json_array();

    for (int type = 0; tt_balancer_type_words[type]; type++)
        if (offers(account, region, (enum tt_balancer_type)type))
            json_array_append_new(kinds, json_string(tt_balancer_type_words[type]));
    TT_EACH (balancer, &region->balancers) {
        json_t *entry = json_object();

        json_object_set_new(entry, "id", json_string(balancer->id));
        json_object_set_new(entry, "name", tt_json_from_string(balancer->name));
        json_object_set_new(entry, "zones", tt_json_from_strings(balancer->zones));
        json_object_set_new(entry, "listeners", tt_json_from_listeners(balancer->listeners));
        json_array_append_new(balancers, entry);
    }
    TT_EACH (server, &region->servers)
        if (could_be_static(session, server)) {
            json_t *entry = json_object();

            json_object_set_new(entry, "id", json_string(server->id));
            json_object_set_new(entry, "name", tt_json_from_string(server->name));
            json_array_append_new(machines, entry);
        }
    json_object_set_new(object, "account", json_string(account->name));
    json_object_set_new(object, "region", json_string(region->name));
    json_object_set_new(object, "capabilities", tt_json_from_features(account->features));
    json_object_set_new(object, "status",
                        json_string(region->observed ? "observed" : "unreachable"));
    json_object_set_new(object, "types", kinds);
    json_object_set_new(object, "balancers", balancers);
    json_object_set_new(object, "machines", machines);
    return object;
}

int tt_cmd_offers(struct tt_session *session)
{
    json_t *root = NULL, *offers = NULL;

    if (!tt_session_require_specs(session))
        return 1;
    if (!session->options.world) {
        tt_session_open_clouds(session, true);
        tt_session_observe(session,
                           &(struct tt_observe_options){.everything = true, .skip_health = true});
    }
    if (session->options.json) {
        root = json_object();
        offers = json_array();
        json_object_set_new(root, "format", json_string("trimtab.offers/v1"));
        json_object_set_new(root, "offers", offers);
    }
    TT_EACH (account, &session->world->accounts)
        TT_EACH (region, &account->regions) {
            if (offers)
                json_array_append_new(offers, region_json(session, account, region));
            else
                print_region(session, account, region);
        }
    if (root)
        fputs(tt_json_text(&session->arena, root), stdout);
    return 0;
}
