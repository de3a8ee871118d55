/*
 * List: all pages of a list command. The server gives at most 500 items a page by default; between
 * two pages items may move, so that one may come twice.
 */
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/str.h"
#include "providers/cloudstack/cloud.h"

#define MAX_PAGES 2000 /* of 500: a million items, more than one zone has */

/* Adds the items of PAGE that are not SEEN yet to ITEMS; returns how many. */
static size_t add_page(struct tt_arena *scratch, struct tt_map *seen, const json_t *page,
                       json_t *items)
{
    size_t before = json_array_size(items);
    json_t *item;
    size_t i;

    json_array_foreach (page, i, item) {
        const char *id = tt_reply_peek(item, "id");

        if (id && tt_map_put(seen, tt_strdup(scratch, id), seen))
            continue;
        json_array_append(items, item);
    }
    return json_array_size(items) - before;
}

/* Adds one page; RET_MORE tells whether there may be another. Some lists know no pages and give
 * everything each time: what brings nothing new is the end, too. */
static int read_page(struct tt_cloudstack *cloud, struct tt_arena *scratch, const char *command,
                     const struct tt_cloudstack_parameters *parameters, const char *key, int number,
                     struct tt_map *seen, json_t *items, bool *ret_more, struct tt_error *err)
{
    struct tt_cloudstack_parameters own = {0};
    TT_REPLY_AUTO *answer = NULL;
    const json_t *page;
    int size = atomic_load(&cloud->page_size);

    TT_EACH (parameter, &parameters->list)
        tt_cloudstack_add(scratch, &own, parameter->name, parameter->value);
    tt_cloudstack_add(scratch, &own, "page", tt_printf(scratch, "%d", number));
    tt_cloudstack_add(scratch, &own, "pagesize", tt_printf(scratch, "%d", size));
    if (tt_cloudstack_call(cloud, command, false, &own, &answer, err) < 0)
        return -1;
    page = json_object_get(answer, key);
    if (page && !json_is_array(page))
        return tt_fail(err, TT_ERR_UNAVAILABLE, "%s answers with %s that is no list", command, key);
    *ret_more = add_page(scratch, seen, page, items) > 0 && json_array_size(page) == (size_t)size;
    return 0;
}

/* A server may have been set up for smaller pages (default.page.size) and names its number when it
 * refuses ours; true: it is known now, so that the same page can be asked for again. */
static bool learn_page_size(struct tt_cloudstack *cloud, const struct tt_error *err)
{
    static const char words[] = "max allowed page size value: ";
    const char *told = err->class == TT_ERR_SPEC ? strstr(err->message, words) : NULL;
    int size = told ? atoi(told + strlen(words)) : 0;

    if (size < 1 || size >= atomic_load(&cloud->page_size))
        return false;
    atomic_store(&cloud->page_size, size);
    return true;
}

int tt_cloudstack_list(struct tt_cloudstack *cloud, const char *command,
                       struct tt_cloudstack_parameters *parameters, const char *key,
                       json_t **ret_items, struct tt_error *err)
{
    struct tt_arena scratch = {0};
    struct tt_map seen;
    struct tt_error own = {0};
    TT_REPLY_AUTO *items = json_array();
    bool more = true;
    int page, result = 0;

    tt_arena_init(&scratch);
    tt_map_init(&seen, &scratch);
    for (page = 1; page <= MAX_PAGES && more && result == 0; page++) {
        result =
            read_page(cloud, &scratch, command, parameters, key, page, &seen, items, &more, &own);
        if (result < 0 && page == 1 && learn_page_size(cloud, &own)) {
            own = (struct tt_error){0};
            result = read_page(cloud, &scratch, command, parameters, key, page, &seen, items, &more,
                               &own);
        }
    }
    if (result == 0 && more)
        result = tt_fail(&own, TT_ERR_UNAVAILABLE, "%s has more than %d pages", command, MAX_PAGES);
    if (result == 0) {
        *ret_items = items;
        items = NULL;
    } else if (err) {
        *err = own;
    }
    tt_arena_release(&scratch);
    return result;
}
