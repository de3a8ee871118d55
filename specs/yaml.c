/*
 * YAML: composing trees from libyaml's events, with limits on depth and on what aliases stand for.
 *
 * An alias is not copied: it shares the node of its anchor. What it would have expanded to is
 * counted all the same, so that a "billion laughs" file is refused whatever reads the tree.
 */
#include "specs/yaml.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/map.h"
#include "base/str.h"

#define MANY_PAIRS 16 /* from here on keys are looked up through a map */

struct composer {
    const struct tt_report *report;
    struct tt_arena *arena;
    const char *file;
    const char *text; /* for the place of errors that libyaml gives as an offset */
    yaml_parser_t parser;
    struct tt_map anchors; /* the latest node of each anchor; of one document */
    size_t aliased;
    struct tt_yaml_document *document;
};

#define AUTO_EVENT __attribute__((cleanup(yaml_event_delete))) yaml_event_t

static void delete_parser(struct composer *c)
{
    yaml_parser_delete(&c->parser);
}

static struct tt_mark mark_of(const struct composer *c, yaml_mark_t mark)
{
    return (struct tt_mark){c->file, (int)mark.line + 1, (int)mark.column + 1};
}

static struct tt_mark mark_of_offset(const struct composer *c, size_t offset)
{
    struct tt_mark mark = {c->file, 1, 1};

    for (size_t i = 0; i < offset; i++) {
        unsigned char byte = (unsigned char)c->text[i];

        if (byte == '\n') {
            mark.line++;
            mark.column = 1;
        } else if ((byte & 0xC0) != 0x80) {
            mark.column++;
        }
    }
    return mark;
}

static int syntax_error(struct composer *c)
{
    const yaml_parser_t *p = &c->parser;
    const char *problem = p->problem ? p->problem : "not YAML";

    if (p->error == YAML_READER_ERROR)
        tt_report_add(c->report, "yaml-syntax", mark_of_offset(c, p->problem_offset), NULL,
                      "%s; files are UTF-8 text", problem);
    else if (p->context && p->context_mark.line != p->problem_mark.line)
        tt_report_add(c->report, "yaml-syntax", mark_of(c, p->problem_mark), NULL,
                      "%s (%s that begins on line %zu)", problem, p->context,
                      p->context_mark.line + 1);
    else
        tt_report_add(c->report, "yaml-syntax", mark_of(c, p->problem_mark), NULL, "%s%s%s",
                      p->context ? p->context : "", p->context ? ": " : "", problem);
    return -1;
}

static int next_event(struct composer *c, yaml_event_t *event)
{
    if (yaml_parser_parse(&c->parser, event))
        return 0;
    *event = (yaml_event_t){0};
    return syntax_error(c);
}

/* What is wrong with this document alone. */
static void add_soft(struct composer *c, const char *code, struct tt_mark mark, const char *message)
{
    *TT_VEC_ADD(c->arena, &c->document->findings) =
        (struct tt_finding){.code = code, .message = message, .mark = mark};
}

static void check_tag(struct composer *c, const yaml_char_t *tag, struct tt_mark mark)
{
    static const char *const core[] = {"!",           YAML_STR_TAG,  YAML_INT_TAG,
                                       YAML_BOOL_TAG, YAML_NULL_TAG, YAML_FLOAT_TAG,
                                       YAML_MAP_TAG,  YAML_SEQ_TAG,  NULL};

    if (tag && tt_word_find(core, (const char *)tag) < 0)
        add_soft(c, "yaml-syntax", mark,
                 tt_printf(c->arena, "the tag %.80s is not of YAML's core schema; remove it",
                           (const char *)tag));
}

static enum tt_scalar_kind kind_by_tag(const yaml_event_t *event, const char *text)
{
    static const struct {
        const char *tag;
        enum tt_scalar_kind kind;
    } tags[] = {{YAML_INT_TAG, TT_SCALAR_INT},
                {YAML_BOOL_TAG, TT_SCALAR_BOOL},
                {YAML_NULL_TAG, TT_SCALAR_NULL},
                {YAML_FLOAT_TAG, TT_SCALAR_FLOAT}};
    const char *tag = (const char *)event->data.scalar.tag;

    for (size_t i = 0; tag && i < sizeof(tags) / sizeof(*tags); i++)
        if (strcmp(tags[i].tag, tag) == 0)
            return tags[i].kind;
    if (event->data.scalar.plain_implicit)
        return tt_scalar_resolve(text);
    return TT_SCALAR_STRING;
}

static struct tt_node *new_node(struct composer *c, enum tt_node_kind kind, yaml_mark_t mark)
{
    struct tt_node *node = TT_NEW(c->arena, struct tt_node);

    node->kind = kind;
    node->mark = mark_of(c, mark);
    node->size = 1;
    return node;
}

static struct tt_node *compose_scalar(struct composer *c, const yaml_event_t *event)
{
    struct tt_node *node = new_node(c, TT_NODE_SCALAR, event->start_mark);
    const char *value = (const char *)event->data.scalar.value;
    size_t length = event->data.scalar.length;

    node->text = tt_strndup(c->arena, value, length);
    node->scalar = kind_by_tag(event, node->text);
    check_tag(c, event->data.scalar.tag, node->mark);
    if (strlen(node->text) != length)
        add_soft(c, "yaml-syntax", node->mark, "a text must not hold the character NUL");
    return node;
}

static const struct tt_node *compose_alias(struct composer *c, const yaml_event_t *event, int depth)
{
    const char *anchor = (const char *)event->data.alias.anchor;
    const struct tt_node *node = tt_map_get(&c->anchors, anchor);
    struct tt_mark mark = mark_of(c, event->start_mark);

    if (!node) {
        tt_report_add(c->report, "yaml-syntax", mark, NULL,
                      "the alias *%s has no anchor &%s before it in this document", anchor, anchor);
        return NULL;
    }
    if (node->open) {
        tt_report_add(c->report, "yaml-syntax", mark, NULL,
                      "the alias *%s stands inside of what it stands for", anchor);
        return NULL;
    }
    c->aliased += node->size;
    if (c->aliased > TT_YAML_MAX_ALIASED) {
        tt_report_add(c->report, "out-of-range", mark, NULL,
                      "the aliases of this file stand for more than %d values; write them out or "
                      "split the file",
                      TT_YAML_MAX_ALIASED);
        return NULL;
    }
    if (depth + node->height > TT_YAML_MAX_DEPTH) {
        tt_report_add(c->report, "out-of-range", mark, NULL, "nested deeper than %d levels",
                      TT_YAML_MAX_DEPTH);
        return NULL;
    }
    return node;
}

static const struct tt_node *compose(struct composer *c, const yaml_event_t *event, int depth);

static void grow(struct tt_node *node, const struct tt_node *child)
{
    node->size += child->size;
    if (child->height >= node->height)
        node->height = child->height + 1;
}

static int compose_items(struct composer *c, struct tt_node *node, int depth)
{
    for (;;) {
        AUTO_EVENT event = {0};
        const struct tt_node *item;

        if (next_event(c, &event) < 0)
            return -1;
        if (event.type == YAML_SEQUENCE_END_EVENT)
            return 0;
        item = compose(c, &event, depth + 1);
        if (!item)
            return -1;
        *TT_VEC_ADD(c->arena, &node->items) = item;
        grow(node, item);
    }
}

/* The key's node among the keys so far, or NULL; keeps KEYS filled once there are many. */
static const struct tt_node *find_key(struct tt_map *keys, const struct tt_node *node,
                                      const char *text)
{
    if (node->pairs.count < MANY_PAIRS) {
        TT_EACH (pair, &node->pairs)
            if (strcmp(pair->key->text, text) == 0)
                return pair->key;
        return NULL;
    }
    if (!keys->count)
        TT_EACH (pair, &node->pairs)
            tt_map_put(keys, pair->key->text, (void *)(uintptr_t)pair->key);
    return tt_map_get(keys, text);
}

static void add_pair(struct composer *c, struct tt_map *keys, struct tt_node *node,
                     struct tt_pair pair)
{
    const struct tt_node *first;

    grow(node, pair.key);
    grow(node, pair.value);
    if (pair.key->kind != TT_NODE_SCALAR) {
        add_soft(c, "bad-type", pair.key->mark,
                 tt_printf(c->arena, "a key must be a string, not %s",
                           tt_node_describe(c->arena, pair.key)));
        return;
    }
    first = find_key(keys, node, pair.key->text);
    if (first) {
        add_soft(c, "duplicate-key", pair.key->mark,
                 tt_printf(c->arena, "the key %.80s stands twice; the first one is on line %d",
                           pair.key->text, first->mark.line));
        return;
    }
    *TT_VEC_ADD(c->arena, &node->pairs) = pair;
    if (keys->count)
        tt_map_put(keys, pair.key->text, (void *)(uintptr_t)pair.key);
}

static int compose_pairs(struct composer *c, struct tt_node *node, int depth)
{
    struct tt_map keys;

    tt_map_init(&keys, c->arena);
    for (;;) {
        AUTO_EVENT key_event = {0};
        AUTO_EVENT value_event = {0};
        struct tt_pair pair;

        if (next_event(c, &key_event) < 0)
            return -1;
        if (key_event.type == YAML_MAPPING_END_EVENT)
            return 0;
        pair.key = compose(c, &key_event, depth + 1);
        if (!pair.key || next_event(c, &value_event) < 0)
            return -1;
        pair.value = compose(c, &value_event, depth + 1);
        if (!pair.value)
            return -1;
        add_pair(c, &keys, node, pair);
    }
}

/* A sequence or a mapping, up to its end event. */
static const struct tt_node *compose_collection(struct composer *c, const yaml_event_t *event,
                                                int depth)
{
    bool mapping = event->type == YAML_MAPPING_START_EVENT;
    struct tt_node *node =
        new_node(c, mapping ? TT_NODE_MAPPING : TT_NODE_SEQUENCE, event->start_mark);
    const yaml_char_t *anchor =
        mapping ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
    int failed;

    if (depth >= TT_YAML_MAX_DEPTH) {
        tt_report_add(c->report, "out-of-range", node->mark, NULL, "nested deeper than %d levels",
                      TT_YAML_MAX_DEPTH);
        return NULL;
    }
    check_tag(c, mapping ? event->data.mapping_start.tag : event->data.sequence_start.tag,
              node->mark);
    if (anchor)
        tt_map_put(&c->anchors, tt_strdup(c->arena, (const char *)anchor), node);
    node->open = true;
    failed = mapping ? compose_pairs(c, node, depth) : compose_items(c, node, depth);
    node->open = false;
    return failed ? NULL : node;
}

static const struct tt_node *compose(struct composer *c, const yaml_event_t *event, int depth)
{
    struct tt_node *node;

    if (event->type == YAML_ALIAS_EVENT)
        return compose_alias(c, event, depth);
    if (event->type != YAML_SCALAR_EVENT)
        return compose_collection(c, event, depth);
    node = compose_scalar(c, event);
    if (event->data.scalar.anchor)
        tt_map_put(&c->anchors, tt_strdup(c->arena, (const char *)event->data.scalar.anchor), node);
    return node;
}

static int compose_document(struct composer *c, struct tt_yaml_documents *documents)
{
    AUTO_EVENT event = {0};
    struct tt_yaml_document document = {0};

    c->document = &document; /* cppcheck-suppress autoVariables ; it is copied at the end */
    tt_map_init(&c->anchors, c->arena);
    if (next_event(c, &event) < 0)
        return -1;
    document.root = compose(c, &event, 0);
    if (!document.root)
        return -1;
    *TT_VEC_ADD(c->arena, documents) = document;
    return 0;
}

int tt_yaml_parse(const struct tt_report *report, const char *file, const char *text, size_t size,
                  struct tt_yaml_documents *ret_documents)
{
    __attribute__((cleanup(delete_parser))) struct composer c = {
        .report = report, .arena = report->arena, .file = file, .text = text};

    if (size > TT_YAML_MAX_SIZE) {
        tt_report_add(report, "out-of-range", (struct tt_mark){file, 1, 1}, NULL,
                      "the file is larger than %zu MiB; split it", TT_YAML_MAX_SIZE >> 20);
        return -1;
    }
    if (!yaml_parser_initialize(&c.parser))
        abort();
    yaml_parser_set_input_string(&c.parser, (const unsigned char *)text, size);
    for (;;) {
        AUTO_EVENT event = {0};

        if (next_event(&c, &event) < 0)
            return -1;
        if (event.type == YAML_STREAM_END_EVENT)
            return 0;
        if (event.type == YAML_DOCUMENT_START_EVENT && compose_document(&c, ret_documents) < 0)
            return -1;
    }
}

const struct tt_node *tt_node_get(const struct tt_node *node, const char *key)
{
    if (node)
        TT_EACH (pair, &node->pairs)
            if (strcmp(pair->key->text, key) == 0)
                return pair->value;
    return NULL;
}

struct tt_mark tt_node_key_mark(const struct tt_node *node, const char *key)
{
    TT_EACH (pair, &node->pairs)
        if (strcmp(pair->key->text, key) == 0)
            return pair->key->mark;
    return node->mark;
}
