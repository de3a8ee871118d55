/*
 * Time: the host's clock, RFC 3339 and durations.
 */
#include "base/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_DURATION (INT64_C(30) * 24 * 3600 * 1000)

static tt_time read_clock(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (tt_time)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static tt_time real_now(void *self)
{
    (void)self;
    return read_clock(CLOCK_REALTIME);
}

static void real_sleep(void *self, tt_time delay)
{
    struct timespec span = {.tv_sec = delay / 1000, .tv_nsec = (delay % 1000) * 1000000};

    (void)self;
    if (delay > 0)
        nanosleep(&span, NULL);
}

static tt_time real_steady(void *self)
{
    (void)self;
    return read_clock(CLOCK_BOOTTIME);
}

const struct tt_clock *tt_clock_real(void)
{
    static const struct tt_clock real = {
        .now = real_now, .sleep = real_sleep, .steady = real_steady};

    return &real;
}

tt_time tt_clock_steady(const struct tt_clock *clock)
{
    return clock->steady ? clock->steady(clock->self) : clock->now(clock->self);
}

tt_time tt_monotonic(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

bool tt_time_is_recent(tt_time began, tt_time now, tt_time span)
{
    return began != TT_TIME_UNKNOWN && now - began < span && began - now < span;
}

/* 9999-12-31T23:59:59.999Z: what four digits of a year can say. */
#define LAST_TIME INT64_C(253402300799999)

/* The fraction and the zone after the seconds: milliseconds to add, or -1. */
static int parse_tail(const char *tail, int64_t *ret_ms)
{
    int64_t ms = 0;
    int hours, minutes, length = 0;

    if (*tail == '.') {
        int scale = 100;
        for (tail++; *tail >= '0' && *tail <= '9'; tail++, scale /= 10)
            ms += (*tail - '0') * scale;
    }
    if (strcmp(tail, "Z") != 0) {
        char sign = *tail;
        if ((sign != '+' && sign != '-') ||
            (sscanf(tail + 1, "%2d:%2d%n", &hours, &minutes, &length) != 2 &&
             sscanf(tail + 1, "%2d%2d%n", &hours, &minutes, &length) != 2) ||
            tail[1 + length] != '\0')
            return -1;
        ms -= (sign == '+' ? 1 : -1) * ((int64_t)hours * 60 + minutes) * 60000;
    }
    *ret_ms = ms;
    return 0;
}

int tt_time_parse(const char *text, tt_time *ret_time)
{
    struct tm tm = {0};
    int length = 0;
    int64_t ms;

    if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
               &tm.tm_min, &tm.tm_sec, &length) != 6 ||
        length != 19 || parse_tail(text + length, &ms) < 0)
        return -1;
    if (tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 23 ||
        tm.tm_min > 59 || tm.tm_sec > 60)
        return -1;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    ms += (tt_time)timegm(&tm) * 1000;
    if (ms < 0 || ms > LAST_TIME)
        return -1;
    *ret_time = ms;
    return 0;
}

char *tt_time_format(struct tt_arena *arena, tt_time time)
{
    time_t seconds = (time_t)(time / 1000);
    char text[32];
    struct tm tm;

    gmtime_r(&seconds, &tm);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
    return tt_strdup(arena, text);
}

char *tt_time_format_exact(struct tt_arena *arena, tt_time time)
{
    char *text = tt_time_format(arena, time);

    if (time % 1000 == 0)
        return text;
    text[strlen(text) - 1] = '\0'; /* the Z comes after the fraction */
    return tt_printf(arena, "%s.%03dZ", text, (int)(time % 1000));
}

static const struct unit {
    const char *name;
    int64_t ms;
} units[] = {{"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};

int tt_duration_parse(const char *text, tt_time *ret_duration)
{
    char *end;
    long long number;

    if (*text < '0' || *text > '9')
        return -1;
    errno = 0;
    number = strtoll(text, &end, 10);
    if (errno || number > MAX_DURATION)
        return -1;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(end, units[i].name) != 0)
            continue;
        if (number > MAX_DURATION / units[i].ms)
            return -1;
        *ret_duration = number * units[i].ms;
        return 0;
    }
    return -1;
}

char *tt_duration_format(struct tt_arena *arena, tt_time duration)
{
    size_t i = 0;

    if (duration == 0)
        return tt_strdup(arena, "0s");
    while (duration % units[i].ms)
        i++;
    return tt_printf(arena, "%" PRId64 "%s", duration / units[i].ms, units[i].name);
}
