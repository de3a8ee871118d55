/*
 * Findings: collecting, sorting and printing what is wrong with the specs, each with its place, its
 * source line and a caret, and without the secrets that the line may hold.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "specs/report.h"

#define SHOWN      120 /* characters of a source line that are printed */
#define SHOWN_LEFT 60  /* of these, before the caret when the line is longer */

void tt_report_add(const struct tt_report *report, const char *code, struct tt_mark mark,
                   const char *subject, const char *format, ...)
{
    struct tt_finding finding = {.code = code, .mark = mark, .subject = subject};
    char *message;
    va_list args;

    va_start(args, format);
    message = tt_vprintf(report->arena, format, args);
    va_end(args);
    tt_mask_runs(message);
    finding.message = message;
    *TT_VEC_ADD(report->arena, report->findings) = finding;
}

const char *tt_did_you_mean(struct tt_arena *arena, const char *word, const char *const *candidates)
{
    const char *near = tt_nearest(word, candidates);

    return near ? tt_printf(arena, ": did you mean %s?", near) : "";
}

static int compare(const void *left, const void *right)
{
    const struct tt_finding *a = left, *b = right;
    int order = tt_strcmp(a->mark.file, b->mark.file);

    if (!order)
        order = (a->mark.line > b->mark.line) - (a->mark.line < b->mark.line);
    if (!order)
        order = (a->mark.column > b->mark.column) - (a->mark.column < b->mark.column);
    if (!order)
        order = strcmp(a->code, b->code);
    return order ? order : strcmp(a->message, b->message);
}

void tt_findings_sort(struct tt_findings *findings)
{
    size_t kept = 0;

    if (findings->count > 1)
        qsort(findings->items, findings->count, sizeof(*findings->items), compare);
    for (size_t i = 0; i < findings->count; i++)
        if (i == 0 || compare(&findings->items[kept - 1], &findings->items[i]) != 0)
            findings->items[kept++] = findings->items[i];
    findings->count = kept;
}

const char *tt_skip_chars(const char *s, int count)
{
    while (*s && count > 0) {
        s++;
        while (((unsigned char)*s & 0xC0) == 0x80)
            s++;
        count--;
    }
    return s;
}

/* The line, or the part of a long one around COLUMN, and a caret under the place. */
static void print_line(FILE *out, const struct tt_finding *finding, const char *caret,
                       const char *reset)
{
    int column = finding->mark.column > 0 ? finding->mark.column - 1 : 0;
    const char *start = finding->line;
    const char *end = tt_skip_chars(start, SHOWN);
    const char *place;

    if (*end && column > SHOWN_LEFT) {
        start = tt_skip_chars(start, column - SHOWN_LEFT);
        end = tt_skip_chars(start, SHOWN);
        column = SHOWN_LEFT;
    }
    fprintf(out, "  %.*s\n  ", (int)(end - start), start);
    place = tt_skip_chars(start, column);
    for (const char *c = start; c < place; c = tt_skip_chars(c, 1))
        fputc(*c == '\t' ? '\t' : ' ', out);
    fprintf(out, "%s^%s\n", caret, reset);
}

void tt_findings_print(FILE *out, const struct tt_findings *findings, bool color)
{
    const char *bold = color ? "\033[1m" : "";
    const char *red = color ? "\033[1;31m" : "";
    const char *reset = color ? "\033[0m" : "";

    TT_EACH (finding, findings) {
        if (finding->mark.file && finding->mark.line)
            fprintf(out, "%s%s:%d:%d:%s ", bold, finding->mark.file, finding->mark.line,
                    finding->mark.column, reset);
        else if (finding->mark.file)
            fprintf(out, "%s%s:%s ", bold, finding->mark.file, reset);
        fprintf(out, "%serror[%s]:%s %s\n", red, finding->code, reset, finding->message);
        if (finding->line)
            print_line(out, finding, red, reset);
    }
}
