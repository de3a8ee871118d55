/*
 * Covers specs/yaml*.c: scalars of the core schema, marks, documents before an error, and the
 * limits that no small file can show.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "specs/yaml.h"
#include "support/repo.h"

struct fixture {
    struct tt_arena arena;
    struct tt_findings findings;
    struct tt_report report;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    tt_arena_init(&f->arena);
    f->report = (struct tt_report){&f->arena, &f->findings};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    tt_arena_release(&f->arena);
    free(f);
    return 0;
}

static int parse(struct fixture *f, const char *text, struct tt_yaml_documents *documents)
{
    return tt_yaml_parse(&f->report, "f.yaml", text, strlen(text), documents);
}

static void test_scalars_of_the_core_schema(void **state)
{
    static const struct {
        enum tt_scalar_kind kind;
        const char *words[16];
    } table[] = {
        {TT_SCALAR_NULL, {"", "~", "null", "Null", "NULL"}},
        {TT_SCALAR_BOOL, {"true", "True", "TRUE", "false", "False", "FALSE"}},
        {TT_SCALAR_INT, {"0", "-1", "+12", "007", "0o17", "0xfF"}},
        {TT_SCALAR_FLOAT, {"1.", ".5", "-1.5e3", "1e9", "+.inf", ".NaN", "12e-3"}},
        {TT_SCALAR_STRING,
         {"no", "yes", "on", "1:30", "1_000", "0b1", "-", "+", ".", "1e", "0x", "0o8", "5%", "30s",
          "nUll"}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
        for (size_t j = 0; j < 16 && table[i].words[j]; j++)
            if (tt_scalar_resolve(table[i].words[j]) != table[i].kind)
                fail_msg("\"%s\"", table[i].words[j]);
}

static void test_marks_tags_and_quotes(void **state)
{
    struct fixture *f = *state;
    struct tt_yaml_documents documents = {0};
    const struct tt_node *node;

    assert_int_equal(parse(f, "a: \"1\"\nb: !!str 2\nc:\n  - é: x\n    d: 3\n", &documents), 0);
    node = tt_node_get(documents.items[0].root, "a");
    assert_int_equal(node->scalar, TT_SCALAR_STRING);
    assert_int_equal(tt_node_get(documents.items[0].root, "b")->scalar, TT_SCALAR_STRING);
    node = tt_node_get(tt_node_get(documents.items[0].root, "c")->items.items[0], "é");
    assert_int_equal(node->mark.line, 4);
    assert_int_equal(node->mark.column, 8); /* characters, not bytes */
    assert_string_equal(node->mark.file, "f.yaml");
    assert_null(tt_node_get(documents.items[0].root, "z"));
}

static void test_documents_before_an_error_are_kept(void **state)
{
    struct fixture *f = *state;
    struct tt_yaml_documents documents = {0};

    assert_int_equal(parse(f, "a: 1\n---\nb: 2\n---\nc: [\n", &documents), -1);
    assert_int_equal(documents.count, 2);
    assert_int_equal(f->findings.count, 1);
    assert_string_equal(f->findings.items[0].code, "yaml-syntax");
}

static void test_large_mapping_finds_duplicates(void **state)
{
    struct fixture *f = *state;
    struct tt_yaml_documents documents = {0};
    TT_BUF_AUTO text = {0};

    for (int i = 0; i < 50000; i++)
        tt_buf_addf(&text, "key%d: %d\n", i, i);
    tt_buf_add(&text, "key49999: again\nkey3: again\n");
    assert_int_equal(parse(f, tt_buf_text(&text), &documents), 0);
    assert_int_equal(documents.items[0].findings.count, 2);
    assert_string_equal(documents.items[0].findings.items[0].code, "duplicate-key");
    assert_int_equal(documents.items[0].findings.items[0].mark.line, 50001);
    assert_int_equal(documents.items[0].root->pairs.count, 50000);
}

static void test_size_limit(void **state)
{
    struct fixture *f = *state;
    struct tt_yaml_documents documents = {0};
    char *folder = tt_test_folder(&f->arena);
    struct tt_specs_request request = {.repository = folder, .worktree = true};
    struct tt_desired *desired = NULL;
    struct tt_findings findings = {0};
    struct tt_error err = {0};
    char *text = malloc(TT_YAML_MAX_SIZE + 2);

    assert_non_null(text);
    memset(text, '#', TT_YAML_MAX_SIZE + 1);
    text[TT_YAML_MAX_SIZE + 1] = '\0';
    assert_int_equal(tt_yaml_parse(&f->report, "f.yaml", text, TT_YAML_MAX_SIZE, &documents), 0);
    tt_test_write_bytes(folder, "big.yaml", text, TT_YAML_MAX_SIZE + 1);
    free(text);
    assert_int_equal(tt_specs_load(&f->arena, &request, &desired, &findings, &err), 0);
    assert_string_equal(tt_test_print(&f->arena, &findings),
                        "big.yaml:1:1: error[out-of-range]: the file is larger than 16 MiB; split "
                        "it\n");
    tt_test_git(folder, "init", "-q", ".");
    tt_test_commit(folder, "big", 1);
    request.worktree = false;
    assert_int_equal(tt_specs_load(&f->arena, &request, &desired, &findings, &err), 0);
    assert_int_equal(findings.count, 1);
    assert_string_equal(findings.items[0].code, "out-of-range");
    tt_test_remove(folder);
}

/* Exactly as many nodes as allowed pass; one more does not. */
static void test_alias_limit(void **state)
{
    struct fixture *f = *state;

    for (int more = 0; more < 2; more++) {
        struct tt_yaml_documents documents = {0};
        TT_BUF_AUTO text = {0};

        tt_buf_add(&text, "a: &a x\nb:\n");
        for (int i = 0; i < TT_YAML_MAX_ALIASED + more; i++)
            tt_buf_add(&text, "- *a\n");
        assert_int_equal(parse(f, tt_buf_text(&text), &documents), more ? -1 : 0);
    }
    assert_int_equal(f->findings.count, 1);
    assert_string_equal(f->findings.items[0].code, "out-of-range");
}

static void test_depth_limit(void **state)
{
    struct fixture *f = *state;

    for (int depth = TT_YAML_MAX_DEPTH; depth <= TT_YAML_MAX_DEPTH + 1; depth++) {
        struct tt_yaml_documents documents = {0};
        TT_BUF_AUTO text = {0};

        for (int i = 0; i < depth; i++)
            tt_buf_add(&text, "[");
        for (int i = 0; i < depth; i++)
            tt_buf_add(&text, "]");
        assert_int_equal(parse(f, tt_buf_text(&text), &documents),
                         depth > TT_YAML_MAX_DEPTH ? -1 : 0);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_scalars_of_the_core_schema),
        TEST(test_marks_tags_and_quotes),
        TEST(test_documents_before_an_error_are_kept),
        TEST(test_large_mapping_finds_duplicates),
        TEST(test_size_limit),
        TEST(test_alias_limit),
        TEST(test_depth_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
