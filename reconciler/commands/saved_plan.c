/*
 * Saved plan: reading and comparing.
 */
#include "reconciler/commands/saved_plan.h"

#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "model/plan_json.h"
#include "reconciler/plan_text.h"

#define MAX_PLAN (1024u * 1024 * 1024)

/* A deployment that is not in Git is deleted only by --prune: the plan was made with it. */
static bool was_made_with_prune(const struct tt_plan *plan)
{
    TT_EACH (step, &plan->steps)
        if (step->because == TT_BECAUSE_REMOVED)
            return true;
    return false;
}

int tt_saved_plan_read(struct tt_session *session, const char *file, struct tt_plan **ret_plan,
                       struct tt_error *err)
{
    char *text;
    size_t size;

    if (tt_file_read(&session->arena, file, MAX_PLAN, &text, &size, err) < 0 ||
        tt_plan_from_json(&session->arena, text, size, file, ret_plan, err) < 0)
        return -1;
    session->options.prune = session->options.prune || was_made_with_prune(*ret_plan);
    if (!session->options.revision && !session->options.worktree &&
        strcmp((*ret_plan)->revision, "worktree") == 0)
        session->options.worktree = true;
    return 0;
}

static bool same_after(const struct tt_step *a, const struct tt_step *b)
{
    return a->after.count == b->after.count &&
           (!a->after.count ||
            memcmp(a->after.items, b->after.items, a->after.count * sizeof(int)) == 0);
}

static bool same_zones(const struct tt_strings *a, const struct tt_strings *b)
{
    return (!a && !b) || (a && b && tt_strings_equal_sets(a, b));
}

static bool same_step(const struct tt_step *a, const struct tt_step *b)
{
    return a->action == b->action && a->subject.kind == b->subject.kind &&
           a->subject.slot == b->subject.slot && a->because == b->because &&
           tt_streq(a->subject.deployment, b->subject.deployment) &&
           tt_streq(a->subject.name, b->subject.name) && tt_streq(a->account, b->account) &&
           tt_streq(a->region, b->region) && tt_streq(a->zone, b->zone) &&
           tt_streq(a->server, b->server) && tt_streq(a->address, b->address) &&
           tt_streq(a->balancer, b->balancer) && tt_streq(a->machine, b->machine) &&
           same_zones(a->zones, b->zones) && same_after(a, b);
}

int tt_saved_plan_check(struct tt_arena *arena, const struct tt_plan *saved,
                        const struct tt_plan *fresh, struct tt_error *err)
{
    size_t count =
        saved->steps.count > fresh->steps.count ? saved->steps.count : fresh->steps.count;

    for (size_t i = 0; i < count; i++) {
        const struct tt_step *old = i < saved->steps.count ? &saved->steps.items[i] : NULL;
        const struct tt_step *new = i < fresh->steps.count ? &fresh->steps.items[i] : NULL;

        if (old && new &&same_step(old, new))
            continue;
        return tt_fail(err, TT_ERR_CONFLICT,
                       "the world has moved since the plan was made: step s%zu was \"%s\" and "
                       "would now be \"%s\"; plan again",
                       i + 1, old ? tt_step_text(arena, old) : "nothing",
                       new ? tt_step_text(arena, new) : "nothing");
    }
    return 0;
}
