/*
 * The policy in docs/aws.md is the one that the table of calls makes; TT_UPDATE=1 writes it there.
 * That it is enough is tested by the end-to-end tests, which have nothing else.
 * Covers providers/aws/actions.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/str.h"
#include "model/words.h"
#include "providers/aws/actions.h"

#define PAGE  TT_SOURCE_DIR "/docs/aws.md"
#define BEGIN "```json policy\n"
#define END   "\n```"

/* Roles are assumed with another key, and by another policy. */
static bool belongs(const struct tt_aws_action_row *row)
{
    return strcmp(row->service, "sts") != 0;
}

static void write_statement(struct tt_buf *out, const char *name, bool reads)
{
    struct tt_arena arena = {0};
    struct tt_strings actions = {0};

    for (int i = 0; i < TT_AWS_ACTIONS; i++) {
        const struct tt_aws_action_row *row = tt_aws_action_row((enum tt_aws_action)i);
        const char *action = tt_printf(&arena, "%s:%s", row->service, row->name);

        if (belongs(row) && row->reads == reads && !tt_strings_has(&actions, action))
            tt_strings_add(&arena, &actions, action);
    }
    tt_strings_sort(&actions);
    tt_buf_addf(out, "    {\n      \"Sid\": \"%s\",\n      \"Effect\": \"Allow\",\n", name);
    tt_buf_add(out, "      \"Action\": [\n");
    TT_EACH (action, &actions)
        tt_buf_addf(out, "        \"%s\"%s\n", *action,
                    action + 1 < actions.items + actions.count ? "," : "");
    tt_buf_add(out, "      ],\n      \"Resource\": \"*\"\n    }");
    tt_arena_release(&arena);
}

static void write_policy(struct tt_buf *out)
{
    tt_buf_add(out, "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n");
    write_statement(out, "TrimtabSees", true);
    tt_buf_add(out, ",\n");
    write_statement(out, "TrimtabChanges", false);
    tt_buf_add(out, "\n  ]\n}");
}

static void test_policy_is_that_of_the_table(void **state)
{
    struct tt_arena arena = {0};
    struct tt_error err = {0};
    TT_BUF_AUTO policy = {0};
    char *page, *begin, *end;

    (void)state;
    write_policy(&policy);
    if (tt_file_read(&arena, PAGE, 1 << 20, &page, NULL, &err) < 0)
        fail_msg("%s", err.message);
    begin = strstr(page, BEGIN);
    assert_non_null(begin);
    begin += strlen(BEGIN);
    end = strstr(begin, END);
    assert_non_null(end);
    if (getenv("TT_UPDATE")) {
        char *text =
            tt_printf(&arena, "%.*s%s%s", (int)(begin - page), page, tt_buf_text(&policy), end);

        assert_int_equal(tt_file_write(PAGE, text, strlen(text), 0644, &err), 0);
    } else {
        *end = '\0';
        assert_string_equal(begin, tt_buf_text(&policy));
    }
    tt_arena_release(&arena);
}

static void test_rows_are_whole(void **state)
{
    (void)state;
    for (int i = 0; i < TT_AWS_ACTIONS; i++) {
        const struct tt_aws_action_row *row = tt_aws_action_row((enum tt_aws_action)i);

        assert_non_null(row->name);
        assert_true(row->reads || !tt_starts_with(row->name, "Describe"));
        assert_true(!row->reads || tt_starts_with(row->name, "Describe") ||
                    tt_starts_with(row->name, "Get") || tt_starts_with(row->name, "Assume"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policy_is_that_of_the_table),
        cmocka_unit_test(test_rows_are_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
