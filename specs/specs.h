/*
 * Specs: from YAML in Git (or a work tree) to a checked struct tt_desired.
 *
 *   source.h (files of a revision) → yaml.h (a tree with marks) → decode.h (one table per kind)
 *   → check.h (design.md §4) → desired
 */
#ifndef TT_SPECS_SPECS_H
#define TT_SPECS_SPECS_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "model/desired.h"
#include "model/world.h"

struct tt_specs_request {
    const char *repository; /* -C: a repository, bare or not, or a folder inside one */
    const char *path;       /* --path: a folder inside the repository; NULL: its root */
    const char *revision;   /* --rev: anything git rev-parse knows; NULL: HEAD */
    bool worktree;          /* read the work tree instead of a revision */
    const struct tt_world
        *world; /* NULL, or the snapshot whose capabilities `file` accounts have */
};

/* One thing that is wrong with the specs. */
struct tt_finding {
    const char *code; /* "unknown-key" (design.md §4) */
    const char *message;
    const char *subject; /* "Service/storefront/web"; NULL: none */
    struct tt_mark mark;
    const char *line; /* the source line, for the caret; NULL: none */
};

struct tt_findings {
    struct tt_finding *items; /* by file, line, column */
    size_t count;
    size_t capacity;
};

/* Reads, decodes and checks. Returns 0 with *ret_desired when nothing is wrong; 0 with *ret_desired
 * NULL and all findings of all files when the specs are wrong; -1 when they could not be read at
 * all (no repository, no such revision: SPEC or NOT_FOUND). */
int tt_specs_load(struct tt_arena *arena, const struct tt_specs_request *request,
                  struct tt_desired **ret_desired, struct tt_findings *ret_findings,
                  struct tt_error *err);

/* "edge.yaml:9:10: error[scope-global-cloud]: ...", the line and a caret under the place. */
void tt_findings_print(FILE *out, const struct tt_findings *findings, bool color);

/* The JSON Schema of all kinds, made from the decoding tables; ends with a newline. */
char *tt_specs_schema(struct tt_arena *arena);

#endif
