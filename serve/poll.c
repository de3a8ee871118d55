/*
 * Poll: what a commit asks of each deployment, and which accounts that concerns.
 */
#include "serve/poll.h"

#include <string.h>

#include "base/str.h"
#include "model/digest.h"

static const char *accounts_of(struct tt_arena *arena, const struct tt_desired *desired,
                               const struct tt_deployment *deployment)
{
    TT_BUF_AUTO text = {0};

    tt_buf_add(&text, ",");
    TT_EACH (account, &desired->accounts)
        if (tt_deployment_uses(deployment, *account))
            tt_buf_addf(&text, "%s,", (*account)->name);
    return tt_strdup(arena, tt_buf_text(&text));
}

static struct tt_policy copy_policy(struct tt_arena *arena, const struct tt_policy *policy)
{
    struct tt_policy copy = *policy;

    memset(&copy.windows, 0, sizeof(copy.windows));
    TT_EACH (window, &policy->windows)
        *TT_VEC_ADD(arena, &copy.windows) = *window;
    return copy;
}

static int fail_findings(const struct tt_findings *findings, const char *revision,
                         struct tt_error *err)
{
    const struct tt_finding *first = findings->items;

    return tt_fail(err, TT_ERR_SPEC, "the specs of %.12s are wrong: %s:%d:%d: %s%s", revision,
                   first->mark.file ? first->mark.file : "", first->mark.line, first->mark.column,
                   first->message, findings->count > 1 ? ", and more" : "");
}

int tt_poll_read(struct tt_arena *arena, const struct tt_repository_config *repository,
                 const char *folder, const char *revision, struct tt_followed_list *ret_list,
                 struct tt_error *err)
{
    struct tt_specs_request request = {
        .repository = folder, .path = repository->path, .revision = revision};
    struct tt_findings findings = {0};
    struct tt_followed_list list = {0};
    struct tt_desired *desired = NULL;
    struct tt_arena scratch;
    int result;

    tt_arena_init(&scratch);
    result = tt_specs_load(&scratch, &request, &desired, &findings, err);
    if (result == 0 && !desired)
        result = fail_findings(&findings, revision, err);
    if (result == 0 && desired) {
        TT_EACH (deployment, &desired->deployments)
            *TT_VEC_ADD(arena, &list) = (struct tt_followed){
                .name = tt_strdup(arena, (*deployment)->name),
                .policy = copy_policy(arena, &(*deployment)->policy),
                .accounts = accounts_of(arena, desired, *deployment),
                .mark = tt_deployment_digest(arena, desired, *deployment),
            };
        *ret_list = list;
    }
    if (result < 0 && err)
        err->mark.file = NULL; /* it lived with the specs */
    tt_arena_release(&scratch);
    return result;
}
