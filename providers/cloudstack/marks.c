/*
 * Marks: the tags of a machine. They come by a call of their own after the machine's, and another
 * thread may be putting on the same ones: what counts is what stands there in the end.
 */
#include <string.h>

#include "base/str.h"
#include "providers/cloudstack/machines.h"

struct mark {
    const char *name, *value;
};

#define MARKS 7

static void add_tag(struct tt_arena *arena, struct tt_cloudstack_parameters *parameters, size_t i,
                    const char *name, const char *value)
{
    tt_cloudstack_add(arena, parameters, tt_printf(arena, "tags[%zu].key", i), name);
    tt_cloudstack_add(arena, parameters, tt_printf(arena, "tags[%zu].value", i), value);
}

static void of_machine(struct tt_arena *arena, struct tt_cloudstack_parameters *parameters,
                       const char *id)
{
    tt_cloudstack_add(arena, parameters, "resourceids", id);
    tt_cloudstack_add(arena, parameters, "resourcetype", "UserVm");
}

/* The marks in TAGS as names and values, in the order of the array; returns how many. */
static size_t marks_of(struct tt_arena *arena, const struct tt_tags *tags, struct mark marks[MARKS])
{
    const struct mark all[MARKS] = {
        {"trimtab:owner", tags->owner},
        {"trimtab:deployment", tags->deployment},
        {"trimtab:service", tags->service},
        {"trimtab:balancer", tags->balancer},
        {"trimtab:slot", tags->slot < 0 ? NULL : tt_printf(arena, "%d", tags->slot)},
        {"trimtab:incarnation", tags->incarnation},
        {"trimtab:spec", tags->spec},
    };
    size_t count = 0;

    for (size_t i = 0; i < MARKS; i++)
        if (all[i].value)
            marks[count++] = all[i];
    return count;
}

/* A tag that exists cannot be made again, so one with another value is taken off first. */
static int change_marks(struct tt_cloudstack *cloud, struct tt_arena *arena, const char *id,
                        const json_t *machine, const struct tt_tags *tags, struct tt_error *err)
{
    struct mark marks[MARKS];
    struct tt_cloudstack_parameters off = {0}, on = {0};
    size_t count = marks_of(arena, tags, marks), added = 0, removed = 0;

    of_machine(arena, &off, id);
    of_machine(arena, &on, id);
    for (size_t i = 0; i < count; i++) {
        const char *value = tt_cloudstack_tag_of(machine, marks[i].name);

        if (tt_streq(value, marks[i].value))
            continue;
        if (value)
            add_tag(arena, &off, removed++, marks[i].name, value);
        add_tag(arena, &on, added++, marks[i].name, marks[i].value);
    }
    if (removed && tt_cloudstack_call_and_wait(cloud, "deleteTags", &off, NULL, err) < 0)
        return -1;
    return added ? tt_cloudstack_call_and_wait(cloud, "createTags", &on, NULL, err) : 0;
}

int tt_cloudstack_put_marks(struct tt_cloudstack *cloud, struct tt_arena *arena, const char *id,
                            const json_t *machine, const struct tt_tags *tags, struct tt_error *err)
{
    TT_REPLY_AUTO *now = NULL;
    struct tt_error own = {0};

    if (change_marks(cloud, arena, id, machine, tags, &own) == 0)
        return 0;
    if (own.class == TT_ERR_SPEC || own.class == TT_ERR_CONFLICT || own.class == TT_ERR_TIMEOUT) {
        if (tt_cloudstack_machine(cloud, id, &now, NULL) == 0)
            return change_marks(cloud, arena, id, now, tags, err);
    }
    if (err)
        *err = own;
    return -1;
}
