/*
 * YAML: libyaml's events become a tree with marks, within limits.
 *
 * Feeds decode.h. A file may hold many documents; a syntax error ends the file and keeps the
 * documents before it. What makes only one document wrong (a duplicate key, a tag) is kept with
 * that document, for it counts only if the document is ours.
 */
#ifndef TT_SPECS_YAML_H
#define TT_SPECS_YAML_H

#include <stdbool.h>

#include "base/error.h"
#include "base/vec.h"
#include "specs/report.h"

#define TT_YAML_MAX_SIZE    ((size_t)16 << 20) /* bytes of a file */
#define TT_YAML_MAX_DEPTH   64
#define TT_YAML_MAX_ALIASED 100000 /* nodes that all aliases of a file stand for together */

enum tt_node_kind { TT_NODE_SCALAR, TT_NODE_SEQUENCE, TT_NODE_MAPPING };

/* What a scalar is by YAML's core schema. */
enum tt_scalar_kind {
    TT_SCALAR_NULL,
    TT_SCALAR_BOOL,
    TT_SCALAR_INT,
    TT_SCALAR_FLOAT,
    TT_SCALAR_STRING,
};

struct tt_node;

struct tt_pair {
    const struct tt_node *key; /* a scalar */
    const struct tt_node *value;
};

struct tt_node {
    enum tt_node_kind kind;
    enum tt_scalar_kind scalar;
    const char *text; /* of a scalar */
    struct tt_mark mark;
    TT_VEC(const struct tt_node *) items; /* of a sequence; aliases share their node */
    TT_VEC(struct tt_pair) pairs;         /* of a mapping, in order, without duplicates */
    size_t size;                          /* nodes in it, aliases counted as what they stand for */
    int height;                           /* levels below it */
    bool open;                            /* while it is being composed */
};

struct tt_yaml_document {
    const struct tt_node *root;  /* never NULL */
    struct tt_findings findings; /* duplicate keys, foreign tags, keys that are no strings */
};

struct tt_yaml_documents {
    struct tt_yaml_document *items;
    size_t count;
    size_t capacity;
};

/* Parses TEXT. What makes the file unreadable (yaml-syntax, out-of-range for the limits) is
 * reported; returns -1 then, with the documents that came before it. FILE is borrowed. */
int tt_yaml_parse(const struct tt_report *report, const char *file, const char *text, size_t size,
                  struct tt_yaml_documents *ret_documents);

/* The value of KEY in a mapping; NULL: not there, or NODE is no mapping (or NULL). */
const struct tt_node *tt_node_get(const struct tt_node *node, const char *key);

/* Where KEY stands in a mapping, or the mapping's own place. */
struct tt_mark tt_node_key_mark(const struct tt_node *node, const char *key);

/* The kind of a plain scalar by the core schema. */
enum tt_scalar_kind tt_scalar_resolve(const char *text);

/* "a list", "the number 5", "nothing": for messages. */
const char *tt_node_describe(struct tt_arena *arena, const struct tt_node *node);

#endif
