/*
 * Settings as text.
 */
#include "reconciler/planner/settings_text.h"

#include "base/str.h"

static const char *listener_text(struct tt_arena *arena, const struct tt_listener *listener)
{
    const char *target =
        listener->target_port ? tt_printf(arena, " → %d", listener->target_port) : "";
    const char *algorithm =
        listener->algorithm
            ? tt_printf(arena, " by %s", tt_algorithm_words[listener->algorithm - 1])
            : "";

    return tt_printf(arena, "%s %d%s%s", tt_protocol_words[listener->protocol], listener->port,
                     target, algorithm);
}

const char *tt_listeners_text(struct tt_arena *arena, const struct tt_listeners *listeners)
{
    struct tt_strings texts = {0};

    if (listeners)
        TT_EACH (listener, listeners)
            tt_strings_add(arena, &texts, listener_text(arena, listener));
    tt_strings_sort(&texts);
    return tt_strings_join(arena, &texts, "nothing");
}

const char *tt_check_text(struct tt_arena *arena, const struct tt_health_check *check)
{
    if (!check || (!check->http && !check->interval)) /* as worlds say that there is none */
        return "none";
    return tt_printf(arena, "%s%s%s every %s within %s, %d %s", check->http ? "http" : "tcp",
                     check->http ? " " : "", check->http && check->path ? check->path : "",
                     tt_duration_format(arena, check->interval),
                     tt_duration_format(arena, check->timeout), check->unhealthy_after,
                     check->unhealthy_after == 1 ? "time" : "times");
}
