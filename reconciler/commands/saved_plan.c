/*
 * Saved plan: reading and comparing.
 */
#include "reconciler/commands/saved_plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/map.h"
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

    if (tt_file_read(&session->arena, file, MAX_PLAN, &text, &size, err) < 0)
        return -1;
    return tt_saved_plan_parse(session, text, size, file, ret_plan, err);
}

int tt_saved_plan_parse(struct tt_session *session, const char *text, size_t size, const char *name,
                        struct tt_plan **ret_plan, struct tt_error *err)
{
    if (tt_plan_from_json(&session->arena, text, size, name, ret_plan, err) < 0)
        return -1;
    session->options.prune = session->options.prune || was_made_with_prune(*ret_plan);
    if (!session->options.revision && !session->options.worktree &&
        strcmp((*ret_plan)->revision, "worktree") == 0)
        session->options.worktree = true;
    return 0;
}

/* What makes a step this step, but for what it waits for. */
static const char *key_of(struct tt_arena *arena, const struct tt_step *step)
{
    const char *const parts[] = {tt_action_words[step->action],
                                 tt_because_words[step->because],
                                 tt_subject_text(arena, &step->subject),
                                 step->account,
                                 step->region,
                                 step->zone,
                                 step->server,
                                 step->address,
                                 step->balancer,
                                 step->machine,
                                 step->zones ? tt_strings_join(arena, step->zones, "") : NULL};
    TT_BUF_AUTO key = {0};

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        tt_buf_addf(&key, "%s%s\n", parts[i] ? "=" : "", parts[i] ? parts[i] : "");
    return tt_strdup(arena, tt_buf_text(&key));
}

/* "Service/shop/web": what a plan touches. */
static const char *touched(struct tt_arena *arena, const struct tt_step *step)
{
    struct tt_subject subject = step->subject;

    subject.slot = -1;
    return tt_subject_text(arena, &subject);
}

static int compare_ints(const void *a, const void *b)
{
    return *(const int *)a < *(const int *)b ? -1 : *(const int *)a > *(const int *)b;
}

/* True when OLD waits for the same steps as NEW; OLD's have other numbers there. */
static bool same_after(struct tt_arena *arena, const struct tt_step *old, const struct tt_step *new,
                       const int *numbers)
{
    int *mapped = TT_NEW_ARRAY(arena, old->after.count, int);

    if (old->after.count != new->after.count)
        return false;
    for (size_t i = 0; i < old->after.count; i++)
        mapped[i] = numbers[old->after.items[i]];
    if (old->after.count)
        qsort(mapped, old->after.count, sizeof(*mapped), compare_ints);
    return !old->after.count ||
           memcmp(mapped, new->after.items, old->after.count * sizeof(*mapped)) == 0;
}

static int refuse(struct tt_arena *arena, const struct tt_step *step, const char *how,
                  struct tt_error *err)
{
    return tt_fail(err, TT_ERR_CONFLICT,
                   "the world has moved since the plan was made: \"%s\" (%s) %s; plan again",
                   tt_step_text(arena, step), step->reason, how);
}

/* NUMBERS gets, for each saved step, the number of the same step of FRESH. */
static int find_steps(struct tt_arena *arena, const struct tt_plan *saved,
                      const struct tt_plan *fresh, int *numbers, struct tt_error *err)
{
    struct tt_map by_key;

    tt_map_init(&by_key, arena);
    TT_EACH (step, &fresh->steps)
        tt_map_put(&by_key, key_of(arena, step), step);
    for (size_t i = 0; i < saved->steps.count; i++) {
        const struct tt_step *old = &saved->steps.items[i];
        const struct tt_step *new = tt_map_get(&by_key, key_of(arena, old));

        if (!new)
            return refuse(arena, old, "would not be done now", err);
        numbers[i] = (int)(new - fresh->steps.items);
    }
    for (size_t i = 0; i < saved->steps.count; i++) {
        const struct tt_step *old = &saved->steps.items[i];

        if (!same_after(arena, old, &fresh->steps.items[numbers[i]], numbers))
            return refuse(arena, old, "would wait for other steps now", err);
    }
    return 0;
}

/* What is planned now for whatever the saved plan touches must have been planned then. */
static int check_touched(struct tt_arena *arena, const struct tt_plan *saved,
                         const struct tt_plan *fresh, const int *numbers, struct tt_error *err)
{
    bool *known = TT_NEW_ARRAY(arena, fresh->steps.count, bool);
    struct tt_map subjects;

    tt_map_init(&subjects, arena);
    for (size_t i = 0; i < saved->steps.count; i++) {
        struct tt_step *step = &saved->steps.items[i];

        known[numbers[i]] = true;
        tt_map_put(&subjects, touched(arena, step), step);
    }
    TT_EACH (step, &fresh->steps)
        if (!known[step - fresh->steps.items] && tt_map_get(&subjects, touched(arena, step)))
            return refuse(arena, step, "would be done now, too", err);
    return 0;
}

/* A guard that did not hold a step then, or was opened for it then, must be opened for it now. */
static int check_guards(struct tt_arena *arena, const struct tt_plan *saved,
                        const struct tt_plan *fresh, const int *numbers, struct tt_error *err)
{
    for (size_t i = 0; i < saved->steps.count; i++)
        if (fresh->steps.items[numbers[i]].held && !saved->steps.items[i].held)
            return refuse(arena, &saved->steps.items[i],
                          "is held by a guard now (--allow-destroy N and --allow-vanished open it)",
                          err);
    return 0;
}

int tt_saved_plan_check(struct tt_arena *arena, struct tt_plan *saved, const struct tt_plan *fresh,
                        bool approved, struct tt_error *err)
{
    int *numbers = TT_NEW_ARRAY(arena, saved->steps.count, int);

    if (find_steps(arena, saved, fresh, numbers, err) < 0)
        return -1;
    if (!tt_streq(saved->world, fresh->world) &&
        (check_touched(arena, saved, fresh, numbers, err) < 0 ||
         (!approved && check_guards(arena, saved, fresh, numbers, err) < 0)))
        return -1;
    for (size_t i = 0; i < saved->steps.count; i++)
        saved->steps.items[i].held =
            saved->steps.items[i].held && fresh->steps.items[numbers[i]].held;
    return 0;
}
