/*
 * Where machines of a cloud are reached: public addresses first, private ones where those cannot
 * be; machines that nobody told of are asked for once; whose host key nobody knows, by its console.
 * Covers providers/shell/ssh_machines.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "providers/shell/ssh_machines.h"
#include "support/sshd.h"

#define HERE    "127.0.0.1"
#define NOWHERE "127.9.9.9" /* nobody listens there */

struct machines_test {
    struct sshd sshd;
    struct tt_account account;
    struct tt_ssh_machines *machines;
    struct tt_arena arena;
    struct tt_error err;
    struct tt_run_result result;
    struct tt_server found; /* by find; no id: not found */
    int asked;
    bool has_console;
    const char *console;               /* what it says; NULL: it cannot be read */
    enum tt_error_class console_class; /* of the error then */
    int console_asked;
};

static int begin(void **state)
{
    struct machines_test *test = calloc(1, sizeof(*test));
    struct tt_provider_settings settings = {
        .account = &test->account, .base_folder = "/", .clock = tt_clock_real()};

    assert_non_null(test);
    *state = test;
    if (!sshd_start(&test->sshd, NULL))
        return 0;
    test->account = (struct tt_account){.name = "dc1",
                                        .folder = "",
                                        .ssh = {.port = test->sshd.port,
                                                .key = test->sshd.key,
                                                .known_hosts = test->sshd.known_hosts}};
    return tt_ssh_machines_open(&settings, &test->arena, &test->machines, &test->err);
}

static int end(void **state)
{
    struct machines_test *test = *state;

    tt_ssh_machines_close(test->machines);
    sshd_stop(&test->sshd);
    tt_arena_release(&test->arena);
    free(test);
    return 0;
}

static struct machines_test *ready(void **state)
{
    struct machines_test *test = *state;

    if (!test->machines)
        skip();
    return test;
}

static int find(void *self, const char *region, const char *machine, struct tt_arena *arena,
                struct tt_server *ret_server, struct tt_error *err)
{
    struct machines_test *test = self;

    (void)arena;
    assert_string_equal(region, "paris");
    test->asked++;
    if (!test->found.id)
        return tt_fail(err, TT_ERR_NOT_FOUND, "there is no machine %s", machine);
    *ret_server = test->found;
    return 0;
}

static int read_console(void *self, const char *region, const char *machine, struct tt_arena *arena,
                        const char **ret_text, struct tt_error *err)
{
    struct machines_test *test = self;

    (void)arena;
    assert_string_equal(region, "paris");
    assert_string_equal(machine, "m1");
    test->console_asked++;
    if (!test->console)
        return tt_fail(err, test->console_class, "the cloud is away");
    *ret_text = test->console;
    return 0;
}

static int run(struct machines_test *test, const char *machine)
{
    const struct tt_ssh_cloud cloud = {
        .find = find, .console = test->has_console ? read_console : NULL, .self = test};
    const char *const argv[] = {"/bin/echo", "hello", NULL};

    test->err = (struct tt_error){0};
    return tt_ssh_machines_run(
        test->machines,
        &(struct tt_run_request){
            .region = "paris", .machine = machine, .argv = argv, .timeout = 20000},
        &cloud, &test->arena, &test->result, &test->err);
}

static void runs(struct machines_test *test, const char *machine)
{
    if (run(test, machine) < 0)
        fail_msg("%s", test->err.message);
    assert_string_equal(test->result.output, "hello\n");
}

static void learn(struct machines_test *test, const char *id, const char *public,
                  const char *private)
{
    tt_ssh_machines_learn(test->machines, &(struct tt_server){.id = id,
                                                              .public_address = public,
                                                              .private_address = private,
                                                              .created_at = TT_TIME_UNKNOWN});
}

static void test_addresses_are_tried_in_turn(void **state)
{
    struct machines_test *test = ready(state);

    learn(test, "m1", HERE, NOWHERE);
    runs(test, "m1");
    learn(test, "m2", NOWHERE, HERE);
    runs(test, "m2");
    runs(test, "m2");
    learn(test, "m2", NOWHERE, HERE); /* nothing new */
    runs(test, "m2");
    learn(test, "m3", NULL, HERE);
    runs(test, "m3");
    learn(test, "m4", HERE, HERE);
    runs(test, "m4");
    assert_int_equal(test->asked, 0);
}

static void test_new_addresses_take_the_place_of_old_ones(void **state)
{
    struct machines_test *test = ready(state);

    learn(test, "m1", NULL, NOWHERE);
    assert_int_equal(run(test, "m1"), -1);
    assert_int_equal(test->err.class, TT_ERR_UNAVAILABLE);
    learn(test, "m1", HERE, NOWHERE);
    runs(test, "m1");
    learn(test, "m1", NULL, NOWHERE);
    assert_int_equal(run(test, "m1"), -1);
    assert_int_equal(test->err.class, TT_ERR_UNAVAILABLE);
}

static void test_unknown_machines_are_asked_for_once(void **state)
{
    struct machines_test *test = ready(state);

    assert_int_equal(run(test, "m1"), -1);
    assert_int_equal(test->err.class, TT_ERR_NOT_FOUND);
    test->found = (struct tt_server){.id = "m1"};
    assert_int_equal(run(test, "m1"), -1);
    assert_int_equal(test->err.class, TT_ERR_UNAVAILABLE);
    assert_non_null(strstr(test->err.message, "machine m1 has no address yet"));
    test->found = (struct tt_server){.id = "m2", .private_address = HERE};
    runs(test, "m2");
    runs(test, "m2");
    assert_int_equal(test->asked, 3);
}

static void test_a_machine_that_refuses_us_is_not_tried_elsewhere(void **state)
{
    struct machines_test *test = ready(state);

    sshd_change_host_key(&test->sshd);
    learn(test, "m1", HERE, NOWHERE);
    assert_int_equal(run(test, "m1"), -1);
    assert_int_equal(test->err.class, TT_ERR_DENIED);
    assert_string_equal(test->err.code, "host-key-changed");
}

/* A new machine stands in no known_hosts; what its cloud says of it counts, and nothing else. */
static void test_a_machine_is_known_by_what_it_published(void **state)
{
    struct machines_test *test = ready(state);
    const char *user_key = sshd_read(&test->sshd, sshd_file(&test->sshd, "user_key.pub"));
    struct tt_server server = {.id = "m1", .private_address = HERE};

    sshd_change_host_key(&test->sshd); /* known_hosts has another one */
    server.tags.host_key = sshd_read(&test->sshd, sshd_file(&test->sshd, "host_key.pub"));
    tt_ssh_machines_learn(test->machines, &server);
    runs(test, "m1");
    server.tags.host_key = user_key;
    tt_ssh_machines_learn(test->machines, &server);
    assert_int_equal(run(test, "m1"), -1);
    assert_string_equal(test->err.code, "host-key-changed");
    assert_non_null(strstr(test->err.message, "its cloud published"));
    /* one that nobody has told of yet is asked for with its key */
    test->found = (struct tt_server){.id = "m2", .private_address = HERE};
    test->found.tags.host_key = sshd_read(&test->sshd, sshd_file(&test->sshd, "host_key.pub"));
    runs(test, "m2");
}

/* --- consoles ------------------------------------------------------------------------------- */

static const char *console_with(struct machines_test *test, const char *key)
{
    return tt_printf(&test->arena,
                     "Linux version 6.1\r\n-----BEGIN SSH HOST KEY KEYS-----\r\nssh-rsa !!!!\r\n%s"
                     "-----END SSH HOST KEY KEYS-----\r\n",
                     sshd_read(&test->sshd, sshd_file(&test->sshd, key)));
}

/* It was made so long ago. */
static void learn_age(struct machines_test *test, tt_time age)
{
    const struct tt_clock *clock = tt_clock_real();

    tt_ssh_machines_learn(test->machines,
                          &(struct tt_server){.id = "m1",
                                              .private_address = HERE,
                                              .created_at = clock->now(clock->self) - age});
}

/* A machine that nobody knows, made so long ago. */
static struct machines_test *stranger(void **state, tt_time age)
{
    struct machines_test *test = ready(state);

    test->has_console = true;
    assert_int_equal(unlink(test->sshd.known_hosts), 0);
    learn_age(test, age);
    return test;
}

static void test_a_machine_is_known_by_its_console(void **state)
{
    struct machines_test *test = stranger(state, 0);

    test->console = console_with(test, "host_key.pub");
    runs(test, "m1");
    /* what is said later changes nothing */
    test->console = console_with(test, "user_key.pub");
    learn(test, "m1", NULL, HERE);
    runs(test, "m1");
    assert_int_equal(test->console_asked, 1);
}

static void test_another_key_than_the_consoles_is_refused(void **state)
{
    struct machines_test *test = stranger(state, 0);

    test->console = console_with(test, "user_key.pub");
    assert_int_equal(run(test, "m1"), -1);
    assert_int_equal(test->err.class, TT_ERR_DENIED);
    assert_string_equal(test->err.code, "host-key-changed");
    assert_int_equal(sshd_logged(&test->sshd, "Accepted"), 0);
}

/* It boots: whoever may try again does. */
static void test_a_console_may_say_it_later(void **state)
{
    struct machines_test *test = stranger(state, 9 * 60000);

    test->console = "Linux version 6.1\n";
    assert_int_equal(run(test, "m1"), -1);
    assert_int_equal(test->err.class, TT_ERR_UNAVAILABLE);
    assert_non_null(strstr(test->err.message, "its console does not say it yet"));
    test->console = console_with(test, "host_key.pub");
    runs(test, "m1");
}

static void test_a_console_without_keys(void **state)
{
    struct machines_test *test = stranger(state, 11 * 60000);

    test->console = "Linux version 6.1\n";
    assert_int_equal(run(test, "m1"), -1);
    assert_int_equal(test->err.class, TT_ERR_DENIED);
    assert_string_equal(test->err.code, "host-key-unknown");
    assert_non_null(strstr(test->err.message, "the console of m1 says no host key"));
    assert_non_null(strstr(test->err.message, "ssh-keyscan"));
}

static void check_unread_console(struct machines_test *test, enum tt_error_class console,
                                 enum tt_error_class expected)
{
    test->console_class = console;
    assert_int_equal(run(test, "m1"), -1);
    assert_int_equal(test->err.class, expected);
    assert_non_null(strstr(test->err.message, "was not read (the cloud is away)"));
    if (expected == TT_ERR_DENIED)
        assert_string_equal(test->err.code, "host-key-unknown");
}

/* That says nothing of the machine, so it is no reason to call it unavailable; but whoever may try
 * again does. */
static void test_a_console_that_cannot_be_read(void **state)
{
    struct machines_test *test = stranger(state, 0);

    check_unread_console(test, TT_ERR_UNAVAILABLE, TT_ERR_THROTTLED);
    check_unread_console(test, TT_ERR_TIMEOUT, TT_ERR_THROTTLED);
    check_unread_console(test, TT_ERR_THROTTLED, TT_ERR_THROTTLED);
    check_unread_console(test, TT_ERR_DENIED, TT_ERR_DENIED);
    test->console = console_with(test, "host_key.pub");
    runs(test, "m1");
}

/* The clock of its cloud may be a little ahead of ours, not by hours. */
static void test_a_machine_from_the_future(void **state)
{
    struct machines_test *test = stranger(state, -60000);

    test->console = "Linux version 6.1\n";
    assert_int_equal(run(test, "m1"), -1);
    assert_int_equal(test->err.class, TT_ERR_UNAVAILABLE);
    learn_age(test, -11 * 60000);
    assert_int_equal(run(test, "m1"), -1);
    assert_string_equal(test->err.code, "host-key-unknown");
}

static void test_known_hosts_counts_before_the_console(void **state)
{
    struct machines_test *test = ready(state);

    test->has_console = true;
    sshd_change_host_key(&test->sshd);
    test->console = console_with(test, "host_key.pub");
    learn(test, "m1", NULL, HERE);
    assert_int_equal(run(test, "m1"), -1);
    assert_string_equal(test->err.code, "host-key-changed");
    assert_int_equal(test->console_asked, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_addresses_are_tried_in_turn),
        TEST(test_new_addresses_take_the_place_of_old_ones),
        TEST(test_unknown_machines_are_asked_for_once),
        TEST(test_a_machine_that_refuses_us_is_not_tried_elsewhere),
        TEST(test_a_machine_is_known_by_what_it_published),
        TEST(test_a_machine_is_known_by_its_console),
        TEST(test_another_key_than_the_consoles_is_refused),
        TEST(test_a_console_may_say_it_later),
        TEST(test_a_console_without_keys),
        TEST(test_a_console_that_cannot_be_read),
        TEST(test_a_machine_from_the_future),
        TEST(test_known_hosts_counts_before_the_console),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
