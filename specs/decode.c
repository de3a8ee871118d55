/*
 * Decode: walks a document's tree with the tables. Everything is told at once: unknown keys,
 * missing ones, values of the wrong type, keys that belong to another type of the thing.
 */
#include "specs/decode.h"

#include <string.h>

#include "base/str.h"

struct decoder {
    const struct tt_report *report;
    struct tt_arena *arena;
    const char *subject;
};

static void decode_table(const struct decoder *d, const struct tt_table *table,
                         const struct tt_node *node, struct tt_mark mark, void *out);

static const char *const *table_keys(const struct decoder *d, const struct tt_table *table)
{
    size_t count = 0;
    const char **keys;

    while (table->fields[count].key)
        count++;
    keys = TT_NEW_ARRAY(d->arena, count + 1, const char *);
    for (size_t i = 0; i < count; i++)
        keys[i] = table->fields[i].key;
    return keys;
}

static void unknown_key(const struct decoder *d, const struct tt_table *table,
                        const struct tt_node *key)
{
    const char *const *keys = table_keys(d, table);
    const char *near = tt_nearest(key->text, keys);
    struct tt_strings known = {0};
    bool secret = (table->credentials && !near) ||
                  ((table->account || table->credentials) && tt_is_secret_word(key->text));

    if (secret) {
        tt_report_add(d->report, "secret-in-git", key->mark, d->subject,
                      "%.80s looks like a credential, and a secret must not stand in Git; take it "
                      "back where it was issued, and name a profile, an env prefix or a file "
                      "under credentials instead",
                      key->text);
        return;
    }
    if (near) {
        tt_report_add(d->report, "unknown-key", key->mark, d->subject,
                      "%s has no key %.80s: did you mean %s?", table->name, key->text, near);
        return;
    }
    for (; *keys; keys++)
        tt_strings_add(d->arena, &known, *keys);
    tt_report_add(d->report, "unknown-key", key->mark, d->subject, "%s has no key %.80s; it has %s",
                  table->name, key->text, tt_strings_join(d->arena, &known, "none"));
}

static void decode_list(const struct decoder *d, const struct tt_field *field,
                        const struct tt_node *node, struct tt_mark mark, struct tt_scalars *out)
{
    out->given = true;
    out->mark = mark;
    if (node->kind != TT_NODE_SEQUENCE) {
        tt_report_add(d->report, "bad-type", node->mark, d->subject, "%s must be a list, not %s",
                      field->key, tt_node_describe(d->arena, node));
        return;
    }
    TT_EACH (item, &node->items) {
        struct tt_scalar value;

        if (tt_decode_scalar(d->report, field, field->item, *item, d->subject, &value) == 0)
            *TT_VEC_ADD(d->arena, out) = value;
    }
}

static void decode_objects(const struct decoder *d, const struct tt_field *field,
                           const struct tt_node *node, struct tt_mark mark, struct tt_objects *out)
{
    size_t size = field->table->size;

    out->given = true;
    out->mark = mark;
    if (node->kind != TT_NODE_SEQUENCE) {
        tt_report_add(d->report, "bad-type", node->mark, d->subject, "%s must be a list, not %s",
                      field->key, tt_node_describe(d->arena, node));
        return;
    }
    out->items = tt_alloc_array(d->arena, node->items.count, size);
    TT_EACH (item, &node->items) {
        void *slot = (char *)out->items + out->count * size;

        if ((*item)->kind != TT_NODE_MAPPING) {
            tt_report_add(d->report, "bad-type", (*item)->mark, d->subject,
                          "an entry of %s must be a mapping, not %s", field->key,
                          tt_node_describe(d->arena, *item));
            continue;
        }
        decode_table(d, field->table, *item, (*item)->mark, slot);
        out->count++;
    }
}

static void decode_object(const struct decoder *d, const struct tt_field *field,
                          const struct tt_node *node, struct tt_mark mark, void *out)
{
    bool empty = node->kind == TT_NODE_SCALAR && node->scalar == TT_SCALAR_NULL;

    if (node->kind != TT_NODE_MAPPING && !empty) {
        tt_report_add(d->report, "bad-type", node->mark, d->subject, "%s must be a mapping, not %s",
                      field->key, tt_node_describe(d->arena, node));
        return;
    }
    decode_table(d, field->table, node, mark, out);
}

/* Defaults of a mapping that is not there: as if it were empty, but nothing in it is required. */
static void fill_defaults(const struct tt_table *table, void *out)
{
    for (const struct tt_field *field = table->fields; field->key; field++) {
        void *slot = (char *)out + field->offset;

        if (field->type == TT_FIELD_OBJECT)
            fill_defaults(field->table, slot);
        else if (field->fallback)
            tt_decode_default(field, slot);
    }
}

static void decode_field(const struct decoder *d, const struct tt_field *field,
                         const struct tt_pair *pair, void *slot)
{
    const struct tt_node *value = pair->value;

    switch (field->type) {
    case TT_FIELD_LIST:
        decode_list(d, field, value, pair->key->mark, slot);
        break;
    case TT_FIELD_OBJECT:
        decode_object(d, field, value, pair->key->mark, slot);
        break;
    case TT_FIELD_OBJECTS:
        decode_objects(d, field, value, pair->key->mark, slot);
        break;
    default:
        tt_decode_scalar(d->report, field, field->type, value, d->subject, slot);
        break;
    }
}

/* "vm-dynamic and vm-static": the words whose bits are in MASK. */
static const char *words_of(const struct decoder *d, const char *const *words, unsigned mask)
{
    TT_BUF_AUTO text = {0};

    for (int i = 0; words[i]; i++)
        if (mask & (1u << i))
            tt_buf_addf(&text, "%s%s", text.length ? " and " : "", words[i]);
    return tt_strdup(d->arena, tt_buf_text(&text));
}

static void wrong_variant(const struct decoder *d, const struct tt_field *field,
                          const struct tt_field *by, int word, struct tt_mark mark)
{
    const char *allowed = words_of(d, by->words, field->only);

    if (strcmp(field->key, "recovery") == 0 && word == TT_BALANCER_VM_STATIC)
        tt_report_add(d->report, "recovery-on-static", mark, d->subject,
                      "a vm-static balancer is never replaced, so it has no recovery; use type "
                      "vm-dynamic for a balancer that recovers, or remove this key");
    else
        tt_report_add(d->report, "unknown-key", mark, d->subject,
                      "%s belongs to %s %s, and this one is %s", field->key, by->key, allowed,
                      by->words[word]);
}

/* What depends on the discriminator's word: keys of other variants, keys that this one needs. */
static void check_variant(const struct decoder *d, const struct tt_table *table,
                          const struct tt_node *node, struct tt_mark mark, const void *out)
{
    const struct tt_field *by = tt_table_field(table, table->discriminator);
    const struct tt_scalar *word = (const void *)((const char *)out + by->offset);

    if (!word->given)
        return;
    for (const struct tt_field *field = table->fields; field->key; field++) {
        bool given = tt_node_get(node, field->key) != NULL;

        if (given && field->only && !(field->only & (1u << word->number)))
            wrong_variant(d, field, by, (int)word->number, tt_node_key_mark(node, field->key));
        if (!given && field->required_for & (1u << word->number))
            tt_report_add(d->report, "missing-key", mark, d->subject,
                          "%s of %s %s needs the key %s", table->name, by->key, word->text,
                          field->key);
    }
}

static void decode_table(const struct decoder *d, const struct tt_table *table,
                         const struct tt_node *node, struct tt_mark mark, void *out)
{
    struct tt_object *at = out;

    fill_defaults(table, out);
    at->node = node;
    at->mark = mark;
    TT_EACH (pair, &node->pairs) {
        const struct tt_field *field = tt_table_field(table, pair->key->text);

        if (field)
            decode_field(d, field, pair, (char *)out + field->offset);
        else
            unknown_key(d, table, pair->key);
    }
    for (const struct tt_field *field = table->fields; field->key; field++)
        if (field->required && !tt_node_get(node, field->key))
            tt_report_add(d->report, "missing-key", mark, d->subject, "%s needs the key %s",
                          table->name, field->key);
    if (table->discriminator)
        check_variant(d, table, node, mark, out);
}

/* The text of a string in the tree; NULL: there is none. */
static const char *string_at(const struct tt_node *node, const char *key)
{
    const struct tt_node *value = tt_node_get(node, key);

    return value && value->kind == TT_NODE_SCALAR && value->scalar == TT_SCALAR_STRING ? value->text
                                                                                       : NULL;
}

/* "Service/storefront/web", as far as it can be known. */
static const char *subject_of(struct tt_arena *arena, enum tt_kind kind, const struct tt_node *root)
{
    const char *name = string_at(tt_node_get(root, "metadata"), "name");
    const char *deployment = string_at(tt_node_get(root, "spec"), "deployment");

    if (!name)
        return NULL;
    if (deployment && (kind == TT_KIND_SERVICE || kind == TT_KIND_LOAD_BALANCER))
        return tt_printf(arena, "%s/%s/%s", tt_kind_words[kind], deployment, name);
    return tt_printf(arena, "%s/%s", tt_kind_words[kind], name);
}

/* True when the document is ours to read; reports a version that this program does not know. */
static bool is_ours(const struct tt_report *report, const struct tt_node *root)
{
    const char *version = string_at(root, "apiVersion");

    if (!version || !tt_starts_with(version, "trimtab/"))
        return false;
    if (strcmp(version, TT_API_VERSION) == 0)
        return true;
    tt_report_add(report, "unsupported-version", tt_node_get(root, "apiVersion")->mark, NULL,
                  "this program reads %s, not %.80s; change it, or use the trimtab that knows it",
                  TT_API_VERSION, version);
    return false;
}

static int kind_of(const struct tt_report *report, const struct tt_node *root)
{
    const struct tt_node *node = tt_node_get(root, "kind");
    struct tt_strings known = {0};
    int kind;

    if (!node) {
        tt_report_add(report, "missing-key", root->mark, NULL, "document needs the key kind");
        return -1;
    }
    if (node->kind != TT_NODE_SCALAR || node->scalar != TT_SCALAR_STRING) {
        tt_report_add(report, "bad-type", node->mark, NULL, "kind must be a word, not %s",
                      tt_node_describe(report->arena, node));
        return -1;
    }
    kind = tt_word_find(tt_kind_words, node->text);
    if (kind >= 0)
        return kind;
    if (tt_nearest(node->text, tt_kind_words)) {
        tt_report_add(report, "unknown-kind", node->mark, NULL, "there is no kind %.80s%s",
                      node->text, tt_did_you_mean(report->arena, node->text, tt_kind_words));
        return -1;
    }
    for (const char *const *word = tt_kind_words; *word; word++)
        tt_strings_add(report->arena, &known, *word);
    tt_report_add(report, "unknown-kind", node->mark, NULL, "there is no kind %.80s; there are %s",
                  node->text, tt_strings_join(report->arena, &known, ""));
    return -1;
}

void tt_decode_mapping(const struct tt_report *report, const struct tt_table *table,
                       const struct tt_node *node, void *out)
{
    struct decoder d = {report, report->arena, NULL};

    decode_table(&d, table, node, node->mark, out);
}

struct tt_document *tt_decode_document(const struct tt_report *report, const char *file,
                                       const struct tt_yaml_document *yaml)
{
    struct decoder d = {report, report->arena, NULL};
    struct tt_document *document;
    const char *slash = strrchr(file, '/');
    int kind;

    if (yaml->root->kind != TT_NODE_MAPPING || !is_ours(report, yaml->root))
        return NULL;
    TT_EACH (finding, &yaml->findings)
        *TT_VEC_ADD(report->arena, report->findings) = *finding;
    kind = kind_of(report, yaml->root);
    if (kind < 0)
        return NULL;
    document = TT_NEW(report->arena, struct tt_document);
    document->kind = (enum tt_kind)kind;
    document->folder = slash ? tt_strndup(report->arena, file, (size_t)(slash - file)) : "";
    document->subject = subject_of(report->arena, document->kind, yaml->root);
    d.subject = document->subject;
    decode_table(&d, tt_kind_tables[kind], yaml->root, yaml->root->mark, document);
    return document;
}
