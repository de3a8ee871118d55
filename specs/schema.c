/*
 * Schema: the decoding tables as a JSON Schema (draft 2020-12), for editors that complete and
 * check specs while they are written.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "specs/fields.h"
#include "specs/specs.h"

#define DURATION_PATTERN "^[0-9]+(ms|s|m|h)$"
#define PERCENT_PATTERN  "^(100|[0-9]{1,2})%$"
#define LABEL_PATTERN    "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"

static json_t *table_schema(const struct tt_table *table, const char *kind);

static json_t *need(json_t *value)
{
    if (!value)
        abort(); /* out of memory */
    return value;
}

static void set(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, need(value)) < 0)
        abort();
}

static void append(json_t *array, json_t *value)
{
    if (json_array_append_new(array, need(value)) < 0)
        abort();
}

static json_t *text_schema(const char *pattern)
{
    json_t *schema = need(json_pack("{s:s, s:i}", "type", "string", "minLength", 1));

    if (pattern)
        set(schema, "pattern", json_string(pattern));
    return schema;
}

static json_t *integer_schema(const struct tt_field *field)
{
    json_t *schema =
        need(json_pack("{s:s, s:I}", "type", "integer", "minimum", (json_int_t)field->min));

    if (field->max)
        set(schema, "maximum", json_integer(field->max));
    return schema;
}

static json_t *words_schema(const char *const *words)
{
    json_t *list = need(json_array());

    for (; *words; words++)
        append(list, json_string(*words));
    return need(json_pack("{s:o}", "enum", list));
}

static json_t *type_schema(const struct tt_field *field, enum tt_field_type type)
{
    switch (type) {
    case TT_FIELD_LABEL:
        return text_schema(LABEL_PATTERN);
    case TT_FIELD_URL_PATH:
        return text_schema("^/[^ ]*$");
    case TT_FIELD_OWNER:
        return text_schema("^[^ ]+$");
    case TT_FIELD_HOST:
    case TT_FIELD_ADDRESS:
    case TT_FIELD_STRING:
        return text_schema(NULL);
    case TT_FIELD_INTEGER:
        return integer_schema(field);
    case TT_FIELD_BOOLEAN:
        return json_pack("{s:s}", "type", "boolean");
    case TT_FIELD_DURATION:
        return text_schema(DURATION_PATTERN);
    case TT_FIELD_PERCENT:
        return text_schema(PERCENT_PATTERN);
    case TT_FIELD_AMOUNT:
        return json_pack("{s:[o, o]}", "oneOf", integer_schema(field),
                         text_schema(PERCENT_PATTERN));
    case TT_FIELD_WORD:
        return words_schema(field->words);
    case TT_FIELD_LIST:
        return json_pack("{s:s, s:o}", "type", "array", "items", type_schema(field, field->item));
    case TT_FIELD_OBJECT:
        return table_schema(field->table, NULL);
    case TT_FIELD_OBJECTS:
        return json_pack("{s:s, s:o}", "type", "array", "items", table_schema(field->table, NULL));
    }
    abort();
}

/* The default as JSON: what would be a number or a boolean in YAML is one here. */
static json_t *default_value(const char *text)
{
    switch (tt_scalar_resolve(text)) {
    case TT_SCALAR_INT:
        return json_integer(strtoll(text, NULL, 10));
    case TT_SCALAR_BOOL:
        return json_boolean(strcmp(text, "true") == 0);
    case TT_SCALAR_NULL:
    case TT_SCALAR_FLOAT:
    case TT_SCALAR_STRING:
        break;
    }
    return json_string(text);
}

static json_t *field_schema(const struct tt_field *field)
{
    json_t *schema = need(type_schema(field, field->type));

    set(schema, "description", json_string(field->description));
    if (field->fallback)
        set(schema, "default", default_value(field->fallback));
    return schema;
}

/* For one word of the discriminator: the keys it needs, and those that it must not have. */
static json_t *variant_schema(const struct tt_table *table, const char *word, unsigned bit)
{
    json_t *required = need(json_array());
    json_t *forbidden = need(json_object());

    for (const struct tt_field *field = table->fields; field->key; field++) {
        if (field->required_for & bit)
            append(required, json_string(field->key));
        if (field->only && !(field->only & bit))
            set(forbidden, field->key, json_false());
    }
    return need(json_pack("{s:{s:{s:{s:s}}, s:[s]}, s:{s:o, s:o}}", "if", "properties",
                          table->discriminator, "const", word, "required", table->discriminator,
                          "then", "required", required, "properties", forbidden));
}

/* KIND: of a whole document, whose `kind` has that one value; NULL else. */
static json_t *table_schema(const struct tt_table *table, const char *kind)
{
    json_t *properties = need(json_object());
    json_t *required = need(json_array());
    json_t *schema =
        need(json_pack("{s:s, s:b, s:o, s:o}", "type", "object", "additionalProperties", 0,
                       "properties", properties, "required", required));

    for (const struct tt_field *field = table->fields; field->key; field++) {
        json_t *property = field_schema(field);

        if (kind && strcmp(field->key, "kind") == 0) {
            json_object_del(property, "enum");
            set(property, "const", json_string(kind));
        }
        set(properties, field->key, property);
        if (field->required)
            append(required, json_string(field->key));
    }
    if (table->discriminator) {
        const char *const *words = tt_table_field(table, table->discriminator)->words;
        json_t *variants = need(json_array());

        for (int i = 0; words[i]; i++)
            append(variants, variant_schema(table, words[i], 1u << i));
        set(schema, "allOf", variants);
    }
    return schema;
}

char *tt_specs_schema(struct tt_arena *arena)
{
    json_t *kinds = need(json_object());
    json_t *choice = need(json_array());
    json_t *schema = need(json_pack(
        "{s:s, s:s, s:s, s:o, s:o}", "$schema", "https://json-schema.org/draft/2020-12/schema",
        "title", "trimtab specs", "description",
        "A document of the spec language " TT_API_VERSION ".", "oneOf", choice, "$defs", kinds));
    char *text, *copy;

    for (int i = 0; i < TT_KINDS; i++) {
        append(choice, json_pack("{s:s+}", "$ref", "#/$defs/", tt_kind_words[i]));
        set(kinds, tt_kind_words[i], table_schema(tt_kind_tables[i], tt_kind_words[i]));
    }
    text = json_dumps(schema, JSON_INDENT(2));
    json_decref(schema);
    if (!text)
        abort();
    copy = tt_printf(arena, "%s\n", text);
    free(text);
    return copy;
}
