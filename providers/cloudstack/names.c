/*
 * Names: made and read from the end, since the head may be cut.
 */
#include "providers/cloudstack/names.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "base/str.h"

#define MAX_HOST_NAME 63
#define NO_SPEC       "x"

void tt_cloudstack_owner_mark(const char *owner, char ret_mark[9])
{
    struct tt_arena scratch = {0};

    tt_arena_init(&scratch);
    snprintf(ret_mark, 9, "%s", tt_sha256_hex(&scratch, owner, strlen(owner)));
    tt_arena_release(&scratch);
}

const char *tt_cloudstack_host_name(struct tt_arena *arena, const char *display,
                                    const struct tt_tags *tags, const char *mark)
{
    const char *tail =
        tt_printf(arena, "-%c%zu-%s-%s-%s", tags->service ? 's' : 'b', strlen(tags->deployment),
                  mark, tags->spec ? tags->spec : NO_SPEC, tags->incarnation);
    const char *start = isdigit((unsigned char)display[0]) ? "t" : "";
    int room = MAX_HOST_NAME - (int)strlen(tail) - (int)strlen(start);
    char *name;
    size_t end;

    name = tt_printf(arena, "%s%.*s", start, room > 0 ? room : 0, display);
    for (end = strlen(name); end > 1 && name[end - 1] == '-'; end--)
        name[end - 1] = '\0';
    return tt_printf(arena, "%s%s", name, tail);
}

/* Cuts the part after the last dash off TEXT; NULL: there is none. */
static char *cut_last(char *text)
{
    char *dash = strrchr(text, '-');

    if (!dash || !dash[1])
        return NULL;
    *dash = '\0';
    return dash + 1;
}

static bool read_number(const char *text, int *ret_number)
{
    char *end;
    long number;

    if (!isdigit((unsigned char)text[0]) || strlen(text) > 9)
        return false;
    number = strtol(text, &end, 10);
    if (*end)
        return false;
    *ret_number = (int)number;
    return true;
}

/* "storefront-web-3" with a deployment of LENGTH characters. */
static bool read_display(struct tt_arena *arena, const char *display, char kind, int length,
                         struct tt_tags *tags)
{
    char *rest = tt_strdup(arena, display);
    char *slot;

    if ((int)strlen(rest) < length + 2 || rest[length] != '-')
        return false;
    rest[length] = '\0';
    tags->deployment = rest;
    rest += length + 1;
    if (kind == 'b') {
        tags->balancer = rest;
        tags->slot = 0;
        return true;
    }
    slot = cut_last(rest);
    tags->service = rest;
    return slot && rest[0] && read_number(slot, &tags->slot);
}

bool tt_cloudstack_read_name(struct tt_arena *arena, const char *display, const char *host,
                             const char *mark, const char *owner, struct tt_tags *ret_tags)
{
    struct tt_tags tags = {.owner = owner, .slot = -1};
    char *rest, *spec, *owned_by, *what;
    int length;

    if (!display || !host)
        return false;
    rest = tt_strdup(arena, host);
    tags.incarnation = cut_last(rest);
    spec = tags.incarnation ? cut_last(rest) : NULL;
    tags.spec = tt_streq(spec, NO_SPEC) ? NULL : spec;
    owned_by = spec ? cut_last(rest) : NULL;
    what = owned_by ? cut_last(rest) : NULL;
    if (!what || strcmp(owned_by, mark) != 0 || (what[0] != 's' && what[0] != 'b') ||
        !read_number(what + 1, &length) || length < 1 ||
        !read_display(arena, display, what[0], length, &tags))
        return false;
    *ret_tags = tags;
    return true;
}
