/*
 * Resolve: policies: a Deployment's keys over the Fleet's, and the windows in which changes may be
 * made.
 */
#include "specs/resolve.h"

static int day_time(struct tt_specs *specs, const struct tt_document *document, const char *key,
                    const struct tt_scalar *scalar)
{
    int minutes = scalar->text ? tt_day_time_parse(scalar->text) : 0;

    if (minutes >= 0)
        return minutes;
    tt_report_add(specs->report, "out-of-range", scalar->mark, document->subject,
                  "%s must be a time of day in UTC from 00:00 to 24:00, such as 22:00", key);
    return 0;
}

static struct tt_change_window make_window(struct tt_specs *specs,
                                           const struct tt_document *document,
                                           const struct tt_doc_window *doc)
{
    struct tt_change_window window = {.days = doc->days.given ? 0 : TT_ALL_DAYS};

    TT_EACH (day, &doc->days)
        window.days |= 1u << day->number;
    if (doc->days.given && !doc->days.count)
        tt_report_add(specs->report, "out-of-range", doc->days.mark, document->subject,
                      "a change window without days never opens; name days, or leave the key out "
                      "for all of them");
    window.from = day_time(specs, document, "from", &doc->from);
    window.to = day_time(specs, document, "to", &doc->to);
    return window;
}

struct tt_policy tt_resolve_policy(struct tt_specs *specs, const struct tt_document *document,
                                   const struct tt_doc_policy *doc, struct tt_policy policy)
{
    const struct tt_doc_window *windows = doc->windows.items;

    if (doc->on_push.given) {
        policy.on_push = (enum tt_on_push)doc->on_push.number;
        policy.on_push_given = true;
    }
    if (doc->on_drift.given)
        policy.on_drift = (enum tt_on_drift)doc->on_drift.number;
    if (doc->on_failure.given)
        policy.on_failure = (enum tt_on_failure)doc->on_failure.number;
    if (doc->suspend.given)
        policy.suspend = doc->suspend.number != 0;
    if (!doc->windows.given)
        return policy;
    policy.windows.items = NULL; /* the Fleet's stay with the Fleet */
    policy.windows.count = policy.windows.capacity = 0;
    for (size_t i = 0; i < doc->windows.count; i++)
        *TT_VEC_ADD(specs->arena, &policy.windows) = make_window(specs, document, &windows[i]);
    return policy;
}
