/*
 * Readonly: a provider that can look and cannot touch. plan and drift hold nothing else, so that
 * no bug in them can change a cloud.
 */
#include <string.h>

#include "providers/decorators.h"
#include "providers/intercept.h"

/* The one command that only reads. */
static bool is_list_proxy(const struct tt_run_request *request)
{
    const char *path = request->argv[0];
    const char *slash = path ? strrchr(path, '/') : NULL;

    return path && strcmp(slash ? slash + 1 : path, "listProxy") == 0;
}

static int only_look(struct tt_intercept *intercept, struct tt_call *call, struct tt_error *err)
{
    if (call->member == TT_CALL_OBSERVE ||
        (call->member == TT_CALL_RUN && is_list_proxy(call->run)))
        return tt_intercept_proceed(intercept, call, err);
    return tt_fail(err, TT_ERR_DENIED, "%s of %s is refused: %s is open for reading only",
                   tt_call_member_words[call->member], call->object, intercept->ops.name);
}

struct tt_provider *tt_decorate_readonly(struct tt_arena *arena, struct tt_provider *inner)
{
    struct tt_intercept *readonly = TT_NEW(arena, struct tt_intercept);

    tt_intercept_init(readonly, inner, only_look);
    return &readonly->base;
}
