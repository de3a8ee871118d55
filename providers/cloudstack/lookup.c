/*
 * Lookup: one list a kind. The lists' own name filters differ from command to command (exact here,
 * a part there), so the whole list is compared here.
 */
#include "providers/cloudstack/lookup.h"

#include <ctype.h>
#include <string.h>

#include "base/str.h"

#define MAX_TOLD 20 /* names in a message */

const struct tt_cloudstack_kind tt_cloudstack_templates = {
    "template", "listTemplates", "template", "templatefilter", "executable", true};
const struct tt_cloudstack_kind tt_cloudstack_offerings = {
    "service offering", "listServiceOfferings", "serviceoffering", NULL, NULL, false};
const struct tt_cloudstack_kind tt_cloudstack_networks = {"network", "listNetworks", "network",
                                                          "listall", "true",         true};
const struct tt_cloudstack_kind tt_cloudstack_security_groups = {
    "security group", "listSecurityGroups", "securitygroup", "listall", "true", false};

bool tt_cloudstack_is_id(const char *text)
{
    for (size_t i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
            return false;
    }
    return text[36] == '\0';
}

static bool is_named(const json_t *item, const char *name)
{
    return tt_streq(tt_reply_peek(item, "name"), name) || tt_streq(tt_reply_peek(item, "id"), name);
}

/* "a, b, c": the names in ITEMS. */
static const char *names_of(struct tt_arena *arena, const json_t *items)
{
    struct tt_strings names = {0};
    const json_t *item;
    size_t i;

    json_array_foreach (items, i, item) {
        const char *name = tt_reply_peek(item, "name");

        if (name && names.count < MAX_TOLD && !tt_strings_has(&names, name))
            tt_strings_add(arena, &names, tt_strdup(arena, name));
    }
    tt_strings_sort(&names);
    return tt_strings_join(arena, &names, "none");
}

int tt_cloudstack_find(struct tt_cloudstack *cloud, struct tt_arena *arena,
                       const struct tt_cloudstack_kind *kind, const char *zone_id, const char *name,
                       const char **ret_id, struct tt_error *err)
{
    struct tt_cloudstack_parameters parameters = {0};
    TT_REPLY_AUTO *items = NULL;
    const json_t *item, *found = NULL;
    size_t i;

    tt_cloudstack_add(arena, &parameters, kind->filter, kind->filter_value);
    tt_cloudstack_add(arena, &parameters, "zoneid", kind->of_zone ? zone_id : NULL);
    if (tt_cloudstack_list(cloud, kind->command, &parameters, kind->key, &items, err) < 0)
        return tt_wrap(err, "looking for %s %s", kind->what, name);
    json_array_foreach (items, i, item) {
        if (!is_named(item, name))
            continue;
        if (found && !tt_cloudstack_is_id(name))
            return tt_fail(err, TT_ERR_SPEC,
                           "there are several %ss with the name %s: name it by id", kind->what,
                           name);
        found = item;
    }
    if (!found)
        return tt_fail(err, TT_ERR_SPEC, "there is no %s %s; there are: %s", kind->what, name,
                       names_of(arena, items));
    *ret_id = tt_reply_text(arena, found, "id");
    if (!*ret_id)
        return tt_fail(err, TT_ERR_UNAVAILABLE, "%s tells no id of %s", kind->command, name);
    return 0;
}

int tt_cloudstack_zone(struct tt_cloudstack *cloud, const char *region, json_t **ret_zone,
                       struct tt_error *err)
{
    struct tt_arena scratch = {0};
    struct tt_cloudstack_parameters parameters = {0};
    TT_REPLY_AUTO *zones = NULL;
    json_t *zone;
    size_t i;
    int result;

    tt_arena_init(&scratch);
    result = tt_cloudstack_list(cloud, "listZones", &parameters, "zone", &zones, err);
    if (result == 0) {
        result = -1;
        json_array_foreach (zones, i, zone) {
            if (result < 0 && is_named(zone, region)) {
                *ret_zone = json_incref(zone);
                result = 0;
            }
        }
        if (result < 0)
            tt_fail(err, TT_ERR_SPEC, "account %s has no zone %s; there are: %s",
                    cloud->account->name, region, names_of(&scratch, zones));
    }
    tt_arena_release(&scratch);
    return result;
}

int tt_cloudstack_zone_id(struct tt_cloudstack *cloud, struct tt_arena *arena, const char *region,
                          const char **ret_id, struct tt_error *err)
{
    TT_REPLY_AUTO *zone = NULL;

    if (tt_cloudstack_zone(cloud, region, &zone, err) < 0)
        return -1;
    *ret_id = tt_reply_text(arena, zone, "id");
    return *ret_id ? 0 : tt_fail(err, TT_ERR_UNAVAILABLE, "listZones tells no id of %s", region);
}
