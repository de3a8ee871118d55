/*
 * Errors: the codes are those of the API (ApiErrorCode) in the documentation's chapter on errors.
 * 431 stands for all that is wrong with a parameter, an id that does not exist among it; 531 stands
 * for permissions and for limits of a rate alike: there the text decides.
 */
#include "providers/cloudstack/errors.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "providers/http/reply.h"

static bool says(const char *text, const char *word)
{
    return text && strcasestr(text, word) != NULL;
}

/* Whole phrases: "permission to operate" speaks of no rate, nor does an account's limit. */
static bool is_rate(const char *text)
{
    return says(text, "rate limit") || says(text, "too many") || says(text, "api limit") ||
           says(text, "throttl");
}

static enum tt_error_class class_of(enum tt_cloudstack_asked asked, int code, const char *text)
{
    static const enum tt_error_class outcomes[] = {[TT_CLOUDSTACK_QUESTION] = TT_ERR_UNAVAILABLE,
                                                   [TT_CLOUDSTACK_COMMAND] = TT_ERR_TIMEOUT,
                                                   [TT_CLOUDSTACK_JOB] = TT_ERR_CONFLICT};

    switch (code) {
    case 401:
    case 403:
        return TT_ERR_DENIED;
    case 429:
        return TT_ERR_THROTTLED;
    case 430:
        return TT_ERR_SPEC;
    case 431:
        return says(text, "does not exist") || says(text, "unable to find") ||
                       says(text, "doesn't exist") || says(text, "unable to locate")
                   ? TT_ERR_NOT_FOUND
                   : TT_ERR_SPEC;
    case 432:
        return TT_ERR_UNSUPPORTED;
    case 531:
        return is_rate(text) ? TT_ERR_THROTTLED : TT_ERR_DENIED;
    case 532:
        return TT_ERR_DENIED;
    case 533:
    case 534:
    case 535:
    case 536:
    case 537:
        return TT_ERR_CONFLICT;
    default:
        return outcomes[asked];
    }
}

static const char *way_out(int code)
{
    switch (code) {
    case 401:
        return "; check the keys, the clock, and that the account may use this command";
    case 532:
        return "; raise the account's limit or delete what is not needed";
    case 533:
        return "; the zone has no room for it now";
    case 535:
        return "; the zone has no room, or the account has reached a limit";
    default:
        return "";
    }
}

int tt_cloudstack_fail(struct tt_error *err, enum tt_cloudstack_asked asked, int code,
                       const json_t *body)
{
    const char *text = tt_reply_peek(body, "errortext");

    if (!err)
        return -1;
    tt_fail(err, class_of(asked, code, text), "CloudStack says %d: %.700s%s", code,
            text && text[0] ? text : "no reason given", way_out(code));
    if (code == 533 || code == 535)
        strcpy(err->code, "no-capacity");
    else
        snprintf(err->code, sizeof(err->code), "%d", code);
    return -1;
}
