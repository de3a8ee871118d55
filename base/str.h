/*
 * Strings: comparisons that accept NULL, and a growing text buffer.
 */
#ifndef TT_BASE_STR_H
#define TT_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

/* Equal; two NULLs are equal, NULL and "" are not. */
bool tt_streq(const char *a, const char *b);

/* strcmp in byte order in which NULL comes first. */
int tt_strcmp(const char *a, const char *b);

bool tt_starts_with(const char *s, const char *prefix);

/* A DNS label: 1 to 63 of [a-z0-9-], neither first nor last a dash. */
bool tt_is_dns_label(const char *s);

/* The entry of CANDIDATES that WORD was probably meant to be (edit distance at most a third of its
 * length), or NULL. CANDIDATES ends with NULL. */
const char *tt_nearest(const char *word, const char *const *candidates);

/* A heap text that grows; zero-initialised is empty. Always NUL-terminated once something was
 * added; tt_buf_text gives "" before. */
struct tt_buf {
    char *data;
    size_t length;
    size_t capacity;
};

void tt_buf_release(struct tt_buf *buf);
void tt_buf_clear(struct tt_buf *buf); /* empty again, memory kept */
void tt_buf_add(struct tt_buf *buf, const char *s);
void tt_buf_addn(struct tt_buf *buf, const char *s, size_t n);
void tt_buf_addf(struct tt_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *tt_buf_text(const struct tt_buf *buf);

#define TT_BUF_AUTO __attribute__((cleanup(tt_buf_release))) struct tt_buf

#endif
