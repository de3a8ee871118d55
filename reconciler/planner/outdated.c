/*
 * Outdated: what differs between a machine and the spec it should be made from. What the spec
 * does not give and what was not observed is not compared.
 */
#include "base/str.h"
#include "reconciler/planner/view.h"

struct comparison {
    struct tt_arena *arena;
    struct tt_strings *fields; /* NULL until something differs */
    struct tt_buf reason;
};

static void note(struct comparison *c, const char *field, const char *old, const char *new)
{
    if (!c->fields)
        c->fields = TT_NEW(c->arena, struct tt_strings);
    tt_strings_add(c->arena, c->fields, field);
    tt_buf_addf(&c->reason, "%s%s", c->reason.length ? ", " : "", field);
    if (old)
        tt_buf_addf(&c->reason, " %s → %s", old, new);
    else
        tt_buf_add(&c->reason, " changed");
}

static void compare_text(struct comparison *c, const char *field, const char *old, const char *new)
{
    if (old && new && !tt_streq(old, new))
        note(c, field, old, new);
}

static void compare_firewalls(struct comparison *c, const struct tt_strings *old,
                              const struct tt_strings *new)
{
    if (old && new && !tt_strings_equal_sets(old, new))
        note(c, "firewalls", tt_strings_join(c->arena, old, "none"),
             tt_strings_join(c->arena, new, "none"));
}

const struct tt_strings *tt_outdated_fields(struct tt_arena *arena, const struct tt_server *server,
                                            const struct tt_server_spec *spec,
                                            const char **ret_reason)
{
    struct comparison c = {.arena = arena};

    compare_text(&c, "template", server->template, spec->template);
    compare_text(&c, "size", server->size, spec->size);
    compare_firewalls(&c, server->firewalls, spec->firewalls);
    if (server->tags.spec && !tt_streq(server->tags.spec, tt_server_spec_hash(arena, spec)))
        note(&c, "userData", NULL, NULL);
    compare_text(&c, "key", server->key, spec->key);
    compare_text(&c, "network", server->network, spec->network);
    if (c.fields)
        *ret_reason = tt_strdup(arena, tt_buf_text(&c.reason));
    tt_buf_release(&c.reason);
    return c.fields;
}
