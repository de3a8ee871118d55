/*
 * Digest: a deployment and what it depends on as JSON without places, hashed.
 */
#include "model/digest.h"

#include <string.h>

#include "base/sha256.h"
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

bool tt_deployment_uses(const struct tt_deployment *deployment, const struct tt_account *account)
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

const char *tt_deployment_digest(struct tt_arena *arena, const struct tt_desired *desired,
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
        if (tt_deployment_uses(deployment, *account))
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
