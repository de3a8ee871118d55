/*
 * Covers specs/schema.c and specs/tables.c: the schema is JSON, knows every kind, and has every
 * key, word and default of the decoding tables.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "specs/fields.h"
#include "specs/specs.h"

static int load_schema(void **state)
{
    struct tt_arena arena;
    const char *text;
    json_error_t error;

    tt_arena_init(&arena);
    text = tt_specs_schema(&arena);
    assert_int_equal(text[strlen(text) - 1], '\n');
    *state = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    tt_arena_release(&arena);
    assert_non_null(*state);
    return 0;
}

static int free_schema(void **state)
{
    json_decref(*state);
    return 0;
}

static void check_table(const json_t *schema, const struct tt_table *table)
{
    const json_t *properties = json_object_get(schema, "properties");
    size_t count = 0;

    assert_string_equal(json_string_value(json_object_get(schema, "type")), "object");
    assert_true(json_is_false(json_object_get(schema, "additionalProperties")));
    for (const struct tt_field *field = table->fields; field->key; field++, count++) {
        const json_t *property = json_object_get(properties, field->key);

        if (!property)
            fail_msg("%s has no %s", table->name, field->key);
        assert_true(strlen(json_string_value(json_object_get(property, "description"))) > 5);
        assert_int_equal(json_object_get(property, "default") != NULL, field->fallback != NULL);
        if (field->type == TT_FIELD_WORD && !json_object_get(property, "const"))
            for (size_t i = 0; field->words[i]; i++)
                assert_string_equal(
                    json_string_value(json_array_get(json_object_get(property, "enum"), i)),
                    field->words[i]);
        if (field->type == TT_FIELD_OBJECT)
            check_table(property, field->table);
        if (field->type == TT_FIELD_OBJECTS)
            check_table(json_object_get(property, "items"), field->table);
    }
    assert_int_equal(json_object_size(properties), count);
}

static void test_every_key_of_every_kind(void **state)
{
    const json_t *schema = *state, *kinds = json_object_get(schema, "$defs");

    assert_string_equal(json_string_value(json_object_get(schema, "$schema")),
                        "https://json-schema.org/draft/2020-12/schema");
    assert_int_equal(json_array_size(json_object_get(schema, "oneOf")), TT_KINDS);
    for (int i = 0; i < TT_KINDS; i++) {
        const json_t *kind = json_object_get(kinds, tt_kind_words[i]);
        const json_t *word = json_object_get(json_object_get(kind, "properties"), "kind");

        check_table(kind, tt_kind_tables[i]);
        assert_string_equal(json_string_value(json_object_get(word, "const")), tt_kind_words[i]);
    }
}

static const json_t *balancer_property(const json_t *schema, const char *key)
{
    const json_t *spec = json_object_get(
        json_object_get(json_object_get(json_object_get(schema, "$defs"), "LoadBalancer"),
                        "properties"),
        "spec");

    return json_object_get(json_object_get(spec, "properties"), key);
}

static void test_defaults_have_their_type(void **state)
{
    const json_t *recovery = json_object_get(balancer_property(*state, "recovery"), "properties");
    const json_t *limit = json_object_get(recovery, "maxPerHour");
    const json_t *scope = balancer_property(*state, "scope");

    assert_int_equal(json_integer_value(json_object_get(limit, "default")), 3);
    assert_string_equal(json_string_value(json_object_get(scope, "default")), "regional");
}

/* The table of a spec knows which keys belong to which type; so does the schema. */
static void test_variants(void **state)
{
    const json_t *spec = json_object_get(
        json_object_get(json_object_get(json_object_get(*state, "$defs"), "LoadBalancer"),
                        "properties"),
        "spec");
    const json_t *cloud = json_array_get(json_object_get(spec, "allOf"), 0);
    const json_t *then = json_object_get(cloud, "then");

    assert_int_equal(json_array_size(json_object_get(spec, "allOf")), 3);
    assert_true(json_is_false(json_object_get(json_object_get(then, "properties"), "machine")));
    assert_null(json_object_get(json_object_get(then, "properties"), "name"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_key_of_every_kind),
        cmocka_unit_test(test_defaults_have_their_type),
        cmocka_unit_test(test_variants),
    };

    return cmocka_run_group_tests(tests, load_schema, free_schema);
}
