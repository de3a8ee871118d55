/*
 * Policy: its words, its defaults and whether a change window is open.
 */
#include "model/policy.h"

#include <ctype.h>
#include <string.h>

#define DAY_MINUTES (24 * 60)
#define MINUTE      ((tt_time)60 * 1000)

const char *const tt_on_push_words[] = {"plan", "apply", NULL};
const char *const tt_on_drift_words[] = {"report", "repair", NULL};
const char *const tt_on_failure_words[] = {"recover", "report", NULL};
const char *const tt_day_words[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun", NULL};

struct tt_policy tt_policy_default(void)
{
    return (struct tt_policy){.on_drift = TT_ON_DRIFT_REPAIR, .on_failure = TT_ON_FAILURE_RECOVER};
}

/* True at minute MINUTE of weekday DAY (0 is Monday). */
static bool is_within(const struct tt_change_window *window, int day, int minute)
{
    bool today = window->days & (1u << day);
    bool yesterday = window->days & (1u << ((day + TT_DAYS - 1) % TT_DAYS));

    if (window->from < window->to)
        return today && minute >= window->from && minute < window->to;
    return (today && minute >= window->from) || (yesterday && minute < window->to);
}

bool tt_window_open(const struct tt_policy *policy, tt_time now)
{
    tt_time minutes = now / MINUTE;
    int day = (int)((minutes / DAY_MINUTES + 3) % TT_DAYS); /* 1970 began on a Thursday */

    if (!policy->windows.count)
        return true;
    TT_EACH (window, &policy->windows)
        if (is_within(window, day, (int)(minutes % DAY_MINUTES)))
            return true;
    return false;
}

int tt_day_time_parse(const char *text)
{
    int hour, minute;

    if (strlen(text) != 5 || text[2] != ':' || !isdigit((unsigned char)text[0]) ||
        !isdigit((unsigned char)text[1]) || !isdigit((unsigned char)text[3]) ||
        !isdigit((unsigned char)text[4]))
        return -1;
    hour = (text[0] - '0') * 10 + text[1] - '0';
    minute = (text[3] - '0') * 10 + text[4] - '0';
    if (minute > 59 || hour > 24 || (hour == 24 && minute > 0))
        return -1;
    return hour * 60 + minute;
}
