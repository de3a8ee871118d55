/*
 * Errors as values: filling, wrapping, classifying.
 */
#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const char *tt_error_class_name(enum tt_error_class class)
{
    static const char *const names[] = {
        [TT_ERR_NONE] = "none",
        [TT_ERR_SPEC] = "spec",
        [TT_ERR_NOT_FOUND] = "not-found",
        [TT_ERR_CONFLICT] = "conflict",
        [TT_ERR_DENIED] = "denied",
        [TT_ERR_THROTTLED] = "throttled",
        [TT_ERR_UNAVAILABLE] = "unavailable",
        [TT_ERR_TIMEOUT] = "timeout",
        [TT_ERR_UNSUPPORTED] = "unsupported",
        [TT_ERR_INTERNAL] = "internal",
    };

    return names[class];
}

int tt_vfail(struct tt_error *err, enum tt_error_class class, const char *format, va_list args)
{
    if (!err)
        return -1;
    *err = (struct tt_error){.class = class};
    vsnprintf(err->message, sizeof(err->message), format, args);
    return -1;
}

int tt_fail(struct tt_error *err, enum tt_error_class class, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    tt_vfail(err, class, format, args);
    va_end(args);
    return -1;
}

int tt_fail_errno(struct tt_error *err, enum tt_error_class class, const char *format, ...)
{
    int number = errno;
    va_list args;
    size_t length;

    va_start(args, format);
    tt_vfail(err, class, format, args);
    va_end(args);
    if (err) {
        length = strlen(err->message);
        snprintf(err->message + length, sizeof(err->message) - length, ": %s", strerror(number));
    }
    return -1;
}

int tt_wrap(struct tt_error *err, const char *format, ...)
{
    char context[sizeof(err->message)];
    char inner[sizeof(err->message)];
    va_list args;
    size_t length;

    if (!err)
        return -1;
    va_start(args, format);
    vsnprintf(context, sizeof(context), format, args);
    va_end(args);
    memcpy(inner, err->message, sizeof(inner));
    length = strlen(context);
    memcpy(err->message, context, length + 1);
    if (length + sizeof(": ") < sizeof(err->message))
        snprintf(err->message + length, sizeof(err->message) - length, ": %.*s",
                 (int)(sizeof(err->message) - length - sizeof(": ")), inner);
    return -1;
}

bool tt_error_is_retryable(const struct tt_error *err)
{
    return err->class == TT_ERR_THROTTLED || err->class == TT_ERR_UNAVAILABLE;
}
