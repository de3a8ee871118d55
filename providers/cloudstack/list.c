/*
 * List: all pages of a list command. The server gives at most 500 items a page; between two pages
 * items may move, so that one may come twice.
 */
#include <string.h>

#include "base/map.h"
#include "base/str.h"
#include "providers/cloudstack/cloud.h"

#define PAGE_SIZE 500
#define MAX_PAGES 400 /* 200,000 items: more than one zone has */

/* Moves the items of PAGE that are not SEEN yet to ITEMS. */
static void add_page(struct tt_arena *scratch, struct tt_map *seen, const json_t *page,
                     json_t *items)
{
    json_t *item;
    size_t i;

    json_array_foreach (page, i, item) {
        const char *id = json_string_value(json_object_get(item, "id"));

        if (id && tt_map_put(seen, tt_strdup(scratch, id), seen))
            continue;
        json_array_append(items, item);
    }
}

/* Adds one page; RET_SIZE is the number of items on it. */
static int read_page(struct tt_cloudstack *cloud, struct tt_arena *scratch, const char *command,
                     const struct tt_cloudstack_parameters *parameters, const char *key, int number,
                     struct tt_map *seen, json_t *items, size_t *ret_size, struct tt_error *err)
{
    struct tt_cloudstack_parameters own = {0};
    AUTO_JSON *answer = NULL;
    const json_t *page;

    TT_EACH (parameter, &parameters->list)
        tt_cloudstack_add(scratch, &own, parameter->name, parameter->value);
    tt_cloudstack_add(scratch, &own, "page", tt_printf(scratch, "%d", number));
    tt_cloudstack_add(scratch, &own, "pagesize", tt_printf(scratch, "%d", PAGE_SIZE));
    if (tt_cloudstack_call(cloud, command, false, &own, &answer, err) < 0)
        return -1;
    page = json_object_get(answer, key);
    if (page && !json_is_array(page))
        return tt_fail(err, TT_ERR_UNAVAILABLE, "%s answers with %s that is no list", command, key);
    add_page(scratch, seen, page, items);
    *ret_size = json_array_size(page);
    return 0;
}

int tt_cloudstack_list(struct tt_cloudstack *cloud, const char *command,
                       struct tt_cloudstack_parameters *parameters, const char *key,
                       json_t **ret_items, struct tt_error *err)
{
    struct tt_arena scratch = {0};
    struct tt_map seen;
    AUTO_JSON *items = json_array();
    size_t size = PAGE_SIZE;
    int page, result = 0;

    tt_arena_init(&scratch);
    tt_map_init(&seen, &scratch);
    for (page = 1; page <= MAX_PAGES && size == PAGE_SIZE && result == 0; page++)
        result =
            read_page(cloud, &scratch, command, parameters, key, page, &seen, items, &size, err);
    if (result == 0 && size == PAGE_SIZE)
        result = tt_fail(err, TT_ERR_UNAVAILABLE, "%s has more than %d items", command,
                         MAX_PAGES * PAGE_SIZE);
    if (result == 0) {
        *ret_items = items;
        items = NULL;
    }
    tt_arena_release(&scratch);
    return result;
}
