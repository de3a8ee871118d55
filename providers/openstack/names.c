/*
 * Names: asking Glance, Nova and Neutron who is called what.
 */
#include "providers/openstack/names.h"

#include "base/str.h"

static int list_flavors(const struct tt_openstack_visit *visit, json_t **ret_items,
                        struct tt_error *err)
{
    return tt_openstack_list(visit, TT_OPENSTACK_COMPUTE, "list flavors", "/flavors/detail",
                             "flavors", ret_items, err);
}

static int list_networks(const struct tt_openstack_visit *visit, json_t **ret_items,
                         struct tt_error *err)
{
    return tt_openstack_list(visit, TT_OPENSTACK_NETWORK, "list networks",
                             "/networks?fields=id&fields=name&fields=router:external", "networks",
                             ret_items, err);
}

/* Images by name or id, those that can be used. */
static int list_images(const struct tt_openstack_visit *visit, const char *key, const char *value,
                       json_t **ret_items, struct tt_error *err)
{
    return tt_openstack_list(visit, TT_OPENSTACK_IMAGE, "list images",
                             tt_printf(visit->arena, "/images?status=active&%s=%s", key,
                                       tt_http_escape(visit->arena, value, false)),
                             "images", ret_items, err);
}

/* --- for what is there -------------------------------------------------------------------------
 */

/* "in:a,b" of those words that are ids, or of the others; NULL: there are none. */
static const char *in_list(struct tt_arena *arena, const struct tt_strings *words, bool ids)
{
    TT_BUF_AUTO text = {0};

    TT_EACH (word, words)
        if (tt_openstack_is_id(*word) == ids)
            tt_buf_addf(&text, "%s%s%s%s", text.length ? "," : "in:", ids ? "" : "\"", *word,
                        ids ? "" : "\"");
    return text.length ? tt_strdup(arena, tt_buf_text(&text)) : NULL;
}

static int read_images(const struct tt_openstack_visit *visit, struct tt_openstack_names *names,
                       bool ids, struct tt_error *err)
{
    const char *list = in_list(visit->arena, &names->request->templates, ids);
    TT_REPLY_AUTO *items = NULL;
    const json_t *item;
    size_t i;

    if (!list)
        return 0;
    if (list_images(visit, ids ? "id" : "name", list, &items, err) < 0)
        return -1;
    json_array_foreach (items, i, item) {
        const char *id = tt_reply_text(visit->arena, item, "id");
        const char *word = ids ? id : tt_reply_text(visit->arena, item, "name");

        if (!id || !word)
            continue;
        tt_map_put(&names->images, id, (void *)word);
        if (!tt_strings_has(&names->templates, word))
            tt_strings_add(visit->arena, &names->templates, word);
    }
    return 0;
}

/* NAME → ID for each of ITEMS that the specs name by its id. */
static void put_words(struct tt_arena *arena, struct tt_map *map, const struct tt_strings *words,
                      const json_t *items)
{
    const json_t *item;
    size_t i;

    json_array_foreach (items, i, item) {
        const char *id = tt_reply_text(arena, item, "id");
        const char *name = tt_reply_text(arena, item, "name");

        if (id && name && !tt_strings_has(words, name) && tt_strings_has(words, id))
            tt_map_put(map, name, (void *)id);
    }
}

static int read_networks(const struct tt_openstack_visit *visit, struct tt_openstack_names *names,
                         struct tt_error *err)
{
    TT_REPLY_AUTO *items = NULL;
    const json_t *item;
    size_t i;

    if (list_networks(visit, &items, err) < 0)
        return -1;
    put_words(visit->arena, &names->networks, &names->request->networks, items);
    json_array_foreach (items, i, item) {
        const char *name = tt_reply_text(visit->arena, item, "name");

        if (name && tt_reply_flag(item, "router:external"))
            tt_map_put(&names->outside, name, (void *)name);
    }
    return 0;
}

static int read_flavors(const struct tt_openstack_visit *visit, struct tt_openstack_names *names,
                        struct tt_error *err)
{
    TT_REPLY_AUTO *items = NULL;

    if (!names->request->sizes.count)
        return 0;
    if (list_flavors(visit, &items, err) < 0)
        return -1;
    put_words(visit->arena, &names->flavors, &names->request->sizes, items);
    return 0;
}

static int read_groups(const struct tt_openstack_visit *visit, struct tt_openstack_names *names,
                       struct tt_error *err)
{
    TT_REPLY_AUTO *items = NULL;
    bool by_id = false;

    TT_EACH (word, &names->request->firewalls)
        by_id |= tt_openstack_is_id(*word);
    if (!by_id)
        return 0;
    if (tt_openstack_list(visit, TT_OPENSTACK_NETWORK, "list security groups",
                          "/security-groups?fields=id&fields=name", "security_groups", &items,
                          err) < 0)
        return -1;
    put_words(visit->arena, &names->groups, &names->request->firewalls, items);
    return 0;
}

int tt_openstack_read_names(const struct tt_openstack_visit *visit,
                            const struct tt_observe_request *request,
                            struct tt_openstack_names *ret_names, struct tt_error *err)
{
    struct tt_openstack_names names = {.request = request};

    tt_map_init(&names.images, visit->arena);
    tt_map_init(&names.flavors, visit->arena);
    tt_map_init(&names.networks, visit->arena);
    tt_map_init(&names.groups, visit->arena);
    tt_map_init(&names.outside, visit->arena);
    if (read_images(visit, &names, false, err) < 0 || read_images(visit, &names, true, err) < 0 ||
        read_networks(visit, &names, err) < 0 || read_flavors(visit, &names, err) < 0 ||
        read_groups(visit, &names, err) < 0)
        return -1;
    *ret_names = names;
    return 0;
}

/* --- for what is to be made ------------------------------------------------------------------- */

/* The one of ITEMS whose id or name is WORD. */
static int pick(const struct tt_openstack_visit *visit, const json_t *items, const char *kind,
                const char *word, const char **ret_id, struct tt_error *err)
{
    const char *found = NULL;
    const json_t *item;
    size_t i, count = 0;

    json_array_foreach (items, i, item) {
        if (tt_streq(tt_reply_peek(item, "id"), word)) {
            *ret_id = tt_strdup(visit->arena, word);
            return 0;
        }
        if (tt_streq(tt_reply_peek(item, "name"), word)) {
            found = tt_reply_text(visit->arena, item, "id");
            count++;
        }
    }
    if (count > 1)
        return tt_fail(err, TT_ERR_SPEC,
                       "%zu %ss in region %s are called %s: name the one that is meant by its id",
                       count, kind, visit->region->name, word);
    if (!found)
        return tt_fail(err, TT_ERR_SPEC, "there is no %s %s in region %s of account %s", kind, word,
                       visit->region->name, visit->cloud->account->name);
    *ret_id = found;
    return 0;
}

int tt_openstack_image_id(const struct tt_openstack_visit *visit, const char *image,
                          const char **ret_id, struct tt_error *err)
{
    TT_REPLY_AUTO *items = NULL;

    if (list_images(visit, tt_openstack_is_id(image) ? "id" : "name", image, &items, err) < 0)
        return -1;
    return pick(visit, items, "image", image, ret_id, err);
}

int tt_openstack_flavor_id(const struct tt_openstack_visit *visit, const char *flavor,
                           const char **ret_id, struct tt_error *err)
{
    TT_REPLY_AUTO *items = NULL;

    if (!flavor)
        return tt_fail(err, TT_ERR_SPEC,
                       "a server in account %s needs a size: the name of a flavor",
                       visit->cloud->account->name);
    if (list_flavors(visit, &items, err) < 0)
        return -1;
    return pick(visit, items, "flavor", flavor, ret_id, err);
}

int tt_openstack_network_id(const struct tt_openstack_visit *visit, const char *network,
                            const char **ret_id, struct tt_error *err)
{
    TT_REPLY_AUTO *items = NULL;
    struct tt_strings names = {0};
    const char *only = NULL;
    const json_t *item;
    size_t i;

    if (list_networks(visit, &items, err) < 0)
        return -1;
    if (network)
        return pick(visit, items, "network", network, ret_id, err);
    json_array_foreach (items, i, item)
        if (!tt_reply_flag(item, "router:external")) {
            only = tt_reply_text(visit->arena, item, "id");
            tt_strings_add(visit->arena, &names, tt_reply_text(visit->arena, item, "name"));
        }
    if (names.count != 1)
        return tt_fail(err, TT_ERR_SPEC,
                       "region %s of account %s has %zu networks a server can be in (%s): name one "
                       "as the service's network",
                       visit->region->name, visit->cloud->account->name, names.count,
                       tt_strings_join(visit->arena, &names, "none"));
    *ret_id = only;
    return 0;
}
