/*
 * Strings: comparisons, the nearest word, the growing buffer.
 */
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEAREST_MAX 64 /* longer words get no suggestion */

bool tt_streq(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

int tt_strcmp(const char *a, const char *b)
{
    if (!a || !b)
        return (a != NULL) - (b != NULL);
    return strcmp(a, b);
}

bool tt_starts_with(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool tt_is_dns_label(const char *s)
{
    size_t length = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-");

    return length > 0 && length <= 63 && s[length] == '\0' && s[0] != '-' && s[length - 1] != '-';
}

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;

    return least < c ? least : c;
}

static size_t edit_distance(const char *a, const char *b)
{
    size_t row[NEAREST_MAX + 1];
    size_t width = strlen(b);

    for (size_t j = 0; j <= width; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= width; j++) {
            size_t above = row[j];
            row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[width];
}

const char *tt_nearest(const char *word, const char *const *candidates)
{
    const char *best = NULL;
    size_t least = strlen(word) / 3 + 1;

    if (strlen(word) > NEAREST_MAX)
        return NULL;
    for (; *candidates; candidates++) {
        size_t distance;

        if (strlen(*candidates) > NEAREST_MAX)
            continue;
        distance = edit_distance(word, *candidates);
        if (distance <= least && (!best || distance < least)) {
            best = *candidates;
            least = distance;
        }
    }
    return best;
}

void tt_buf_release(struct tt_buf *buf)
{
    free(buf->data);
    *buf = (struct tt_buf){0};
}

void tt_buf_clear(struct tt_buf *buf)
{
    buf->length = 0;
    if (buf->data)
        buf->data[0] = '\0';
}

static void reserve(struct tt_buf *buf, size_t more)
{
    size_t needed = buf->length + more + 1;
    size_t capacity = buf->capacity ? buf->capacity : 128;
    char *data;

    if (needed <= buf->capacity)
        return;
    while (capacity < needed)
        capacity *= 2;
    data = realloc(buf->data, capacity);
    if (!data) {
        fputs("trimtab: out of memory\n", stderr);
        abort();
    }
    buf->data = data;
    buf->capacity = capacity;
}

void tt_buf_addn(struct tt_buf *buf, const char *s, size_t n)
{
    reserve(buf, n);
    memcpy(buf->data + buf->length, s, n);
    buf->length += n;
    buf->data[buf->length] = '\0';
}

void tt_buf_add(struct tt_buf *buf, const char *s)
{
    tt_buf_addn(buf, s, strlen(s));
}

void tt_buf_addf(struct tt_buf *buf, const char *format, ...)
{
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0)
        abort();
    reserve(buf, (size_t)length);
    va_start(args, format);
    vsnprintf(buf->data + buf->length, (size_t)length + 1, format, args);
    va_end(args);
    buf->length += (size_t)length;
}

const char *tt_buf_text(const struct tt_buf *buf)
{
    return buf->data ? buf->data : "";
}
