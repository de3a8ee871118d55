/*
 * Create: a machine is made in two calls, and its marks come by the second. Whatever happens
 * between them, its name says whose it is, and it is looked for by that name before it is made: the
 * API knows no client tokens, but refuses a name that is taken.
 */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "providers/cloudstack/jobs.h"
#include "providers/cloudstack/lookup.h"
#include "providers/cloudstack/machines.h"
#include "providers/cloudstack/names.h"

#define MAX_USER_DATA (32u << 10) /* of the API, by POST, before it is encoded */
#define LOOKING_ON    20000       /* ms; that there is no room is known by then */

/* One machine while it is made. */
struct making {
    struct tt_cloudstack *cloud;
    const struct tt_create_request *request;
    const json_t *zone;
    const char *zone_id;
    const char *host; /* its name */
    json_t *machine;  /* as listed, when it was there before */
    const char *id;
    const char *job; /* NULL: it was there before */
};

static const char *encode_user_data(struct tt_arena *arena, const char *text)
{
    size_t size = strlen(text);
    char *encoded = tt_alloc(arena, 4 * ((size + 2) / 3) + 1);

    EVP_EncodeBlock((unsigned char *)encoded, (const unsigned char *)text, (int)size);
    return encoded;
}

/* The machine with this host name, owned by the caller; NULL: there is none. */
static int find_by_name(struct tt_cloudstack *cloud, struct tt_arena *arena, const char *zone_id,
                        const char *host, json_t **ret_machine, struct tt_error *err)
{
    struct tt_cloudstack_parameters parameters = {0};
    TT_REPLY_AUTO *items = NULL;
    const struct tt_observe_request no_words = {0};
    json_t *item;
    size_t i;

    *ret_machine = NULL;
    tt_cloudstack_add(arena, &parameters, "listall", "true");
    tt_cloudstack_add(arena, &parameters, "zoneid", zone_id);
    tt_cloudstack_add(arena, &parameters, "name", host);
    if (tt_cloudstack_list(cloud, "listVirtualMachines", &parameters, "virtualmachine", &items,
                           err) < 0)
        return -1;
    json_array_foreach (items, i, item) {
        struct tt_server server;

        if (tt_streq(tt_reply_peek(item, "name"), host) &&
            tt_cloudstack_read_machine(cloud, arena, item, &no_words, &server))
            *ret_machine = json_incref(item);
    }
    return 0;
}

/* The network that the specs name, or the only one there is. */
static int choose_network(struct tt_cloudstack *cloud, struct tt_arena *arena, const char *zone_id,
                          const char *name, const char **ret_id, struct tt_error *err)
{
    struct tt_cloudstack_parameters parameters = {0};
    TT_REPLY_AUTO *items = NULL;

    if (name)
        return tt_cloudstack_find(cloud, arena, &tt_cloudstack_networks, zone_id, name, ret_id,
                                  err);
    tt_cloudstack_add(arena, &parameters, "listall", "true");
    tt_cloudstack_add(arena, &parameters, "zoneid", zone_id);
    if (tt_cloudstack_list(cloud, "listNetworks", &parameters, "network", &items, err) < 0)
        return -1;
    if (json_array_size(items) > 1)
        return tt_fail(err, TT_ERR_SPEC, "the zone has %zu networks: name one (server.network)",
                       json_array_size(items));
    *ret_id = tt_reply_text(arena, json_array_get(items, 0), "id");
    return 0;
}

/* Security groups exist in some zones only; there the network may be left out. */
static int add_network(struct tt_cloudstack *cloud, struct tt_arena *arena, const json_t *zone,
                       const char *zone_id, const struct tt_server_spec *spec,
                       struct tt_cloudstack_parameters *parameters, struct tt_error *err)
{
    bool groups = tt_reply_flag(zone, "securitygroupsenabled");
    const char *network = NULL, *id;
    TT_BUF_AUTO ids = {0};

    if (spec->firewalls && spec->firewalls->count && !groups)
        return tt_fail(err, TT_ERR_SPEC,
                       "this zone has no security groups: leave server.firewalls out");
    if ((spec->network || !groups) &&
        choose_network(cloud, arena, zone_id, spec->network, &network, err) < 0)
        return -1;
    tt_cloudstack_add(arena, parameters, "networkids", network);
    for (size_t i = 0; spec->firewalls && i < spec->firewalls->count; i++) {
        if (tt_cloudstack_find(cloud, arena, &tt_cloudstack_security_groups, zone_id,
                               spec->firewalls->items[i], &id, err) < 0)
            return -1;
        tt_buf_addf(&ids, "%s%s", ids.length ? "," : "", id);
    }
    if (ids.length)
        tt_cloudstack_add(arena, parameters, "securitygroupids",
                          tt_strdup(arena, tt_buf_text(&ids)));
    return 0;
}

/* Everything that deployVirtualMachine takes. */
static int describe(struct tt_cloudstack *cloud, struct tt_arena *arena, const json_t *zone,
                    const struct tt_create_request *request, const char *host,
                    struct tt_cloudstack_parameters *parameters, struct tt_error *err)
{
    const char *zone_id = tt_reply_text(arena, zone, "id");
    const struct tt_server_spec *spec = request->spec;
    const char *template, *offering;

    if (!spec->template || !spec->size)
        return tt_fail(err, TT_ERR_SPEC,
                       "CloudStack needs server.template and server.size (a service offering)");
    if (spec->user_data && strlen(spec->user_data) > MAX_USER_DATA)
        return tt_fail(err, TT_ERR_SPEC,
                       "the user data is longer than the %u KiB that CloudStack takes",
                       MAX_USER_DATA >> 10);
    if (tt_cloudstack_find(cloud, arena, &tt_cloudstack_templates, zone_id, spec->template,
                           &template, err) < 0 ||
        tt_cloudstack_find(cloud, arena, &tt_cloudstack_offerings, zone_id, spec->size, &offering,
                           err) < 0 ||
        add_network(cloud, arena, zone, zone_id, spec, parameters, err) < 0)
        return -1;
    tt_cloudstack_add(arena, parameters, "zoneid", zone_id);
    tt_cloudstack_add(arena, parameters, "templateid", template);
    tt_cloudstack_add(arena, parameters, "serviceofferingid", offering);
    tt_cloudstack_add(arena, parameters, "name", host);
    tt_cloudstack_add(arena, parameters, "displayname", request->name);
    tt_cloudstack_add(arena, parameters, "keypair", spec->key);
    if (spec->user_data)
        tt_cloudstack_add(arena, parameters, "userdata", encode_user_data(arena, spec->user_data));
    return 0;
}

/* Asks for the machine; the answer comes at once with its id, long before it runs. */
static int deploy(struct making *making, struct tt_arena *arena, struct tt_error *err)
{
    struct tt_cloudstack_parameters parameters = {0};
    TT_REPLY_AUTO *answer = NULL;

    if (describe(making->cloud, arena, making->zone, making->request, making->host, &parameters,
                 err) < 0 ||
        tt_cloudstack_call(making->cloud, "deployVirtualMachine", true, &parameters, &answer, err) <
            0)
        return -1;
    making->id = tt_reply_text(arena, answer, "id");
    making->job = tt_reply_text(arena, answer, "jobid");
    if (!making->id || !making->job)
        return tt_fail(err, TT_ERR_TIMEOUT, "deployVirtualMachine answers without an id or a job");
    return 0;
}

static int find(struct making *making, struct tt_arena *arena, struct tt_error *err)
{
    if (find_by_name(making->cloud, arena, making->zone_id, making->host, &making->machine, err) <
        0)
        return -1;
    making->id = tt_reply_text(arena, making->machine, "id");
    return 0;
}

/* Another thread may have made it between the look and the call, or the answer was lost. */
static int find_or_deploy(struct making *making, struct tt_arena *arena, struct tt_error *err)
{
    struct tt_error own = {0};

    if (find(making, arena, err) < 0)
        return -1;
    if (making->machine || deploy(making, arena, &own) == 0)
        return 0;
    if ((own.class == TT_ERR_SPEC || own.class == TT_ERR_CONFLICT || own.class == TT_ERR_TIMEOUT) &&
        find(making, arena, NULL) == 0 && making->machine)
        return 0;
    *err = own;
    return -1;
}

/* What fails at once, fails here; what takes long, or cannot be asked for, is seen by observe. A
 * machine that could not be started is of no use and goes. */
static int look_on(const struct making *making, struct tt_error *err)
{
    struct tt_error own = {0};

    if (!making->job ||
        tt_cloudstack_await(making->cloud, making->job, LOOKING_ON, NULL, &own) == 0 ||
        own.class == TT_ERR_TIMEOUT)
        return 0;
    tt_cloudstack_delete_server(&making->cloud->base, making->request->region, making->id, NULL);
    *err = own;
    return -1;
}

static int make(struct making *making, struct tt_arena *arena, struct tt_error *err)
{
    if (find_or_deploy(making, arena, err) < 0)
        return -1;
    if (tt_cloudstack_put_marks(making->cloud, arena, making->id, making->machine,
                                &making->request->tags, err) < 0)
        return tt_wrap(err, "machine %s is made, but not marked", making->id);
    return look_on(making, err);
}

int tt_cloudstack_create_server(struct tt_provider *provider,
                                const struct tt_create_request *request, struct tt_arena *arena,
                                const char **ret_id, struct tt_error *err)
{
    struct tt_cloudstack *cloud = (struct tt_cloudstack *)provider;
    struct making making = {.cloud = cloud, .request = request};
    struct tt_error own = {0};
    TT_REPLY_AUTO *zone = NULL;
    char mark[9];
    int result;

    tt_cloudstack_owner_mark(request->tags.owner, mark);
    making.host = tt_cloudstack_host_name(arena, request->name, &request->tags, mark);
    if (tt_cloudstack_zone(cloud, request->region, &zone, err) < 0)
        return -1;
    if (request->zone && !tt_streq(request->zone, request->region))
        return tt_fail(err, TT_ERR_SPEC, "region %s has one zone, of the same name; there is no %s",
                       request->region, request->zone);
    making.zone = zone;
    making.zone_id = tt_reply_text(arena, zone, "id");
    result = make(&making, arena, &own);
    json_decref(making.machine);
    if (result == 0)
        *ret_id = making.id;
    else if (err)
        *err = own;
    return result;
}
