/*
 * Poll: what a commit asks of each deployment, as a hash of all that it depends on: the deployment
 * with its services and balancers, the accounts that they name, the fleet's defaults. Where in a
 * file it stands is left out, so that a push to a neighbour's lines touches nobody.
 */
#include "serve/poll.h"

#include <string.h>

#include "base/sha256.h"
#include "base/str.h"
#include "model/desired_json.h"
#include "model/json.h"

static void drop_marks(json_t *value)
{
    const char *key;
    json_t *member;
    size_t i;

    if (json_is_object(value)) {
        json_object_del(value, "mark");
        json_object_foreach (value, key, member) {
            drop_marks(member);
        }
    } else {
        json_array_foreach (value, i, member) {
            drop_marks(member);
        }
    }
}

static bool uses(const struct tt_deployment *deployment, const struct tt_account *account)
{
    TT_EACH (balancer, &deployment->balancers)
        if ((*balancer)->account == account)
            return true;
    TT_EACH (service, &deployment->services)
        TT_EACH (placement, &(*service)->placements)
            if (placement->account == account)
                return true;
    return false;
}

static const char *accounts_of(struct tt_arena *arena, const struct tt_desired *desired,
                               const struct tt_deployment *deployment)
{
    TT_BUF_AUTO text = {0};

    tt_buf_add(&text, ",");
    TT_EACH (account, &desired->accounts)
        if (uses(deployment, *account))
            tt_buf_addf(&text, "%s,", (*account)->name);
    return tt_strdup(arena, tt_buf_text(&text));
}

static const char *mark_of(struct tt_arena *arena, const struct tt_desired *desired,
                           struct tt_deployment *deployment)
{
    struct tt_desired part = {.owner = desired->owner, .revision = "", .guard = desired->guard};
    struct tt_arena scratch;
    struct tt_error err = {0};
    const char *text, *mark;
    json_t *root = NULL;

    tt_arena_init(&scratch);
    *TT_VEC_ADD(&scratch, &part.deployments) = deployment;
    TT_EACH (account, &desired->accounts)
        if (uses(deployment, *account))
            *TT_VEC_ADD(&scratch, &part.accounts) = *account;
    text = tt_desired_to_json(&scratch, &part);
    if (tt_json_parse(text, strlen(text), "desired", &root, &err) == 0) {
        drop_marks(root);
        text = tt_json_compact(&scratch, root);
    }
    mark = tt_sha256_hex(arena, text, strlen(text));
    tt_arena_release(&scratch);
    return mark;
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
    if (result == 0) {
        TT_EACH (deployment, &desired->deployments)
            *TT_VEC_ADD(arena, &list) = (struct tt_followed){
                .name = tt_strdup(arena, (*deployment)->name),
                .accounts = accounts_of(arena, desired, *deployment),
                .mark = mark_of(arena, desired, *deployment),
            };
        *ret_list = list;
    }
    if (result < 0 && err)
        err->mark.file = NULL; /* it lived with the specs */
    tt_arena_release(&scratch);
    return result;
}
