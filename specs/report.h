/*
 * Reporting what is wrong: every stage of specs/ adds its findings to one list and goes on, so
 * that a user sees all errors of all files at once.
 */
#ifndef TT_SPECS_REPORT_H
#define TT_SPECS_REPORT_H

#include "specs/specs.h"

struct tt_report {
    struct tt_arena *arena; /* where findings and their texts live */
    struct tt_findings *findings;
};

/* Adds a finding; SUBJECT ("Service/storefront/web") may be NULL. MARK and CODE are borrowed. */
void tt_report_add(const struct tt_report *report, const char *code, struct tt_mark mark,
                   const char *subject, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* ": did you mean WORD?", or "" when nothing is near. CANDIDATES ends with NULL. */
const char *tt_did_you_mean(struct tt_arena *arena, const char *word,
                            const char *const *candidates);

/* Sorts by file, line and column and drops what was said twice (through an alias). */
void tt_findings_sort(struct tt_findings *findings);

/* Covers what looks like a credential in the text of a file with asterisks, in place. */
void tt_mask_text(char *text);

/* Covers runs of characters that are too long and too mixed for a word. */
void tt_mask_runs(char *text);

/* Covers the value of the key at COLUMN of LINE, whatever the key is called. */
void tt_mask_value_of(char *line, int column);

/* S without its first COUNT characters of UTF-8. */
const char *tt_skip_chars(const char *s, int count);

/* True for what no name is: a private key, or a run of base64 as long as a secret key. In a PATH
 * slashes end a run. */
bool tt_is_secret_text(const char *text, bool path);

/* True for keys that hold credentials: accessKey, password, api_token ... */
bool tt_is_secret_word(const char *key);

#endif
