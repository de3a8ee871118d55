/*
 * Errors as values.
 *
 * A function that can fail returns int (0 or -1) and takes a struct tt_error * last; the error is
 * untouched on success. The bottom of the chain states the fact (tt_fail), each caller adds only
 * what it alone knows (tt_wrap): "web-3: create-server: no capacity in zone a". The class alone
 * decides whether something is tried again.
 */
#ifndef TT_BASE_ERROR_H
#define TT_BASE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>

enum tt_error_class {
    TT_ERR_NONE = 0,
    TT_ERR_SPEC,        /* what the user wrote is wrong */
    TT_ERR_NOT_FOUND,   /* the thing does not exist */
    TT_ERR_CONFLICT,    /* the thing changed, exists already or is busy: observe again */
    TT_ERR_DENIED,      /* credentials or permissions */
    TT_ERR_THROTTLED,   /* asked too often: try again later */
    TT_ERR_UNAVAILABLE, /* provably had no effect: try again */
    TT_ERR_TIMEOUT,     /* the outcome is unknown: never repeat blindly */
    TT_ERR_UNSUPPORTED, /* the provider has no such thing */
    TT_ERR_INTERNAL,    /* a bug, or this host failed us (disk full) */
};

/* Where in a source file something was written; line and column start at 1, 0 is unknown. */
struct tt_mark {
    const char *file; /* NULL: unknown; borrowed */
    int line;
    int column;
};

struct tt_error {
    enum tt_error_class class;
    char code[64];      /* the provider's own code, or one of ours; may be "" */
    char message[1024]; /* one line, without a final stop */
    struct tt_mark mark;
};

/* The class as the word users see: "not-found". */
const char *tt_error_class_name(enum tt_error_class class);

/* States a fact; returns -1, so that a caller can "return tt_fail(...)". ERR may be NULL. */
int tt_fail(struct tt_error *err, enum tt_error_class class, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int tt_vfail(struct tt_error *err, enum tt_error_class class, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

/* As tt_fail, with errno's text appended. */
int tt_fail_errno(struct tt_error *err, enum tt_error_class class, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts context in front of the message: "CONTEXT: message"; returns -1. */
int tt_wrap(struct tt_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Throttled and unavailable: the same call may be made again. */
bool tt_error_is_retryable(const struct tt_error *err);

#endif
