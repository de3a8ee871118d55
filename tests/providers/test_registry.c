/*
 * The registry and the callers: incomplete tables are refused, absent members fail in words.
 * Covers providers/registry.c, providers/provider.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "providers/file/file.h"
#include "providers/registry.h"
#include "providers/sim/sim.h"

static void refused(const struct tt_provider_ops *ops, const char *words)
{
    struct tt_registry registry = {0};
    struct tt_error err = {0};

    assert_int_equal(tt_registry_add(&registry, ops, &err), -1);
    assert_int_equal(err.class, TT_ERR_INTERNAL);
    if (!strstr(err.message, words))
        fail_msg("'%s' does not speak of '%s'", err.message, words);
    assert_int_equal(registry.count, 0);
}

static void test_complete_tables_are_found_by_name(void **state)
{
    struct tt_registry registry = {0};

    (void)state;
    assert_int_equal(tt_registry_add(&registry, tt_sim_ops(), NULL), 0);
    assert_int_equal(tt_registry_add(&registry, tt_file_ops(), NULL), 0);
    assert_ptr_equal(tt_registry_find(&registry, "sim"), tt_sim_ops());
    assert_ptr_equal(tt_registry_find(&registry, "file"), tt_file_ops());
    assert_null(tt_registry_find(&registry, "aws"));
}

static void test_required_members_are_required(void **state)
{
    struct tt_provider_ops ops = *tt_sim_ops();

    (void)state;
    ops.open = NULL;
    refused(&ops, "open");
    ops = *tt_sim_ops();
    ops.close = NULL;
    refused(&ops, "close");
    ops = *tt_sim_ops();
    ops.observe = NULL;
    refused(&ops, "observe");
    ops = *tt_sim_ops();
    ops.create_server = NULL;
    refused(&ops, "create_server");
    ops = *tt_sim_ops();
    ops.delete_server = NULL;
    refused(&ops, "delete_server");
}

static void test_features_need_their_members(void **state)
{
    struct tt_provider_ops ops = *tt_sim_ops();

    (void)state;
    ops.enroll = NULL;
    refused(&ops, "enroll");
    ops = *tt_sim_ops();
    ops.withdraw = NULL;
    refused(&ops, "withdraw");
    ops = *tt_sim_ops();
    ops.move_address = NULL;
    refused(&ops, "move_address");
    ops = *tt_sim_ops();
    ops.start_server = NULL;
    refused(&ops, "start_server");
}

static void test_names_are_those_of_accounts(void **state)
{
    struct tt_provider_ops ops = *tt_sim_ops();

    (void)state;
    ops.name = "azure";
    refused(&ops, "azure");
    ops.name = NULL;
    refused(&ops, "no Account");
}

static void test_second_of_the_name_is_refused(void **state)
{
    struct tt_registry registry = {0};
    struct tt_error err = {0};

    (void)state;
    assert_int_equal(tt_registry_add(&registry, tt_sim_ops(), &err), 0);
    assert_int_equal(tt_registry_add(&registry, tt_sim_ops(), &err), -1);
    assert_string_equal(err.message, "the provider sim is registered twice");
    assert_int_equal(registry.count, 1);
}

static void test_absent_members_fail_in_words(void **state)
{
    struct tt_provider provider = {.ops = tt_file_ops()};
    const char *const argv[] = {"listProxy", NULL};
    struct tt_run_result result;
    struct tt_error err = {0};

    (void)state;
    assert_int_equal(tt_provider_fence(&provider, "r1", "i-1", &err), -1);
    assert_int_equal(err.class, TT_ERR_UNSUPPORTED);
    assert_string_equal(err.message, "file cannot fence a machine");
    assert_int_equal(tt_provider_enroll(&provider, "r1", "elb", "i-1", &err), -1);
    assert_string_equal(err.message, "file cannot enroll in a cloud balancer");
    assert_int_equal(
        tt_provider_run(&provider, &(struct tt_run_request){.argv = argv}, NULL, &result, &err),
        -1);
    assert_string_equal(err.message, "file cannot run a command on a machine");
    tt_provider_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_complete_tables_are_found_by_name),
        cmocka_unit_test(test_required_members_are_required),
        cmocka_unit_test(test_features_need_their_members),
        cmocka_unit_test(test_names_are_those_of_accounts),
        cmocka_unit_test(test_second_of_the_name_is_refused),
        cmocka_unit_test(test_absent_members_fail_in_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
