/*
 * The local provider: machines are processes that live, fail and end; the same request makes one;
 * nobody else's are touched. Covers providers/local/ but for addresses and refusals
 * (test_local_bounds.c).
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "providers/local/local.h"
#include "tests/providers/support/local_cloud.h"

#define RACERS 8

static bool exists(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0;
}

/* Gone, or waiting for whoever adopts orphans here to reap it. */
static bool is_dead(struct local_cloud *cloud, pid_t pid)
{
    char *text;

    return tt_file_read(&cloud->arena, tt_printf(&cloud->arena, "/proc/%d/stat", (int)pid), 4096,
                        &text, NULL, NULL) < 0 ||
           strstr(text, ") Z ");
}

static void test_machine_lives_and_leaves_nothing(void **state)
{
    struct local_cloud *cloud = *state;
    const char *id = local_cloud_make(cloud, "sleep", "one", 0);
    const struct tt_server *server = local_cloud_look(cloud, id);
    pid_t supervisor = local_cloud_supervisor(cloud, id);

    assert_int_equal(server->state, TT_SERVER_RUNNING);
    assert_string_equal(server->zone, "a");
    assert_int_equal(strncmp(server->private_address, "127.", 4), 0);
    assert_string_equal(server->private_address, server->public_address);
    assert_int_equal(local_cloud_processes(cloud, id, NULL), 1);
    call_ok(cloud, tt_provider_delete_server(cloud->provider, "r1", id, &cloud->err));
    assert_null(local_cloud_look(cloud, id));
    assert_int_equal(local_cloud_processes(cloud, id, NULL), 0);
    assert_true(is_dead(cloud, supervisor));
    assert_false(exists(local_cloud_folder(cloud, id)));
}

static int try_port(const char *address, int port)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), result;

    inet_pton(AF_INET, address, &name.sin_addr);
    result = connect(fd, (const struct sockaddr *)&name, sizeof(name));
    close(fd);
    return result;
}

static void test_template_serves_at_its_address(void **state)
{
    struct local_cloud *cloud = *state;
    tt_time end = tt_monotonic() + 20000;
    const struct tt_server *one, *other;

    local_cloud_template(cloud, "web", "python3 -m http.server --bind {address} {port}");
    one = local_cloud_look(cloud, local_cloud_make(cloud, "web", "one", 8080));
    other = local_cloud_look(cloud, local_cloud_make(cloud, "web", "two", 8080));
    assert_string_not_equal(one->private_address, other->private_address);
    while (try_port(one->private_address, 8080) < 0 || try_port(other->private_address, 8080) < 0) {
        assert_true(tt_monotonic() < end);
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
}

static void test_dead_program_fails_its_machine(void **state)
{
    struct local_cloud *cloud = *state;
    const char *id = local_cloud_make(cloud, "sleep", "one", 0);
    pid_t program = 0;

    assert_int_equal(local_cloud_processes(cloud, id, &program), 1);
    assert_int_equal(kill(program, SIGKILL), 0);
    local_cloud_await(cloud, id, TT_SERVER_FAILED);
    call_ok(cloud, tt_provider_start_server(cloud->provider, "r1", id, &cloud->err));
    local_cloud_await(cloud, id, TT_SERVER_RUNNING);
    assert_int_equal(local_cloud_processes(cloud, id, NULL), 1);
}

static void test_program_that_ends_fails_its_machine(void **state)
{
    struct local_cloud *cloud = *state;

    local_cloud_template(cloud, "short", "true");
    local_cloud_await(cloud, local_cloud_make(cloud, "short", "one", 0), TT_SERVER_FAILED);
}

static void test_program_dies_with_its_supervisor(void **state)
{
    struct local_cloud *cloud = *state;
    const char *id = local_cloud_make(cloud, "sleep", "one", 0);

    assert_int_equal(kill(local_cloud_supervisor(cloud, id), SIGKILL), 0);
    local_cloud_await(cloud, id, TT_SERVER_FAILED);
    local_cloud_await_processes(cloud, id, 0);
}

/* A program that ignores TERM, with a child in a session of its own. */
static const char *make_stubborn(struct local_cloud *cloud)
{
    const char *id;

    local_cloud_script(cloud, "stubborn",
                       "trap '' TERM; setsid sleep 3600 & while :; do sleep 3600; done");
    id = local_cloud_make(cloud, "stubborn", "one", 0);
    local_cloud_await_processes(cloud, id, 3);
    return id;
}

static void test_delete_ends_what_escaped(void **state)
{
    struct local_cloud *cloud = *state;
    const char *id = make_stubborn(cloud);

    call_ok(cloud, tt_provider_delete_server(cloud->provider, "r1", id, &cloud->err));
    assert_int_equal(local_cloud_processes(cloud, id, NULL), 0);
}

static void test_start_ends_what_escaped(void **state)
{
    struct local_cloud *cloud = *state;
    const char *id = make_stubborn(cloud);

    assert_int_equal(kill(local_cloud_supervisor(cloud, id), SIGKILL), 0);
    local_cloud_await(cloud, id, TT_SERVER_FAILED);
    assert_true(local_cloud_processes(cloud, id, NULL) > 0);
    call_ok(cloud, tt_provider_start_server(cloud->provider, "r1", id, &cloud->err));
    local_cloud_await_processes(cloud, id, 3);
}

static void test_stopped_machine_starts_again(void **state)
{
    struct local_cloud *cloud = *state;
    const char *id = local_cloud_make(cloud, "sleep", "one", 0);
    const char *address = local_cloud_look(cloud, id)->private_address;

    call_ok(cloud, tt_local_stop(cloud->provider, "r1", id, &cloud->err));
    assert_int_equal(local_cloud_look(cloud, id)->state, TT_SERVER_STOPPED);
    assert_int_equal(local_cloud_processes(cloud, id, NULL), 0);
    for (int i = 0; i < 2; i++)
        call_ok(cloud, tt_provider_start_server(cloud->provider, "r1", id, &cloud->err));
    assert_int_equal(local_cloud_look(cloud, id)->state, TT_SERVER_RUNNING);
    assert_string_equal(local_cloud_look(cloud, id)->private_address, address);
    assert_int_equal(local_cloud_processes(cloud, id, NULL), 1);
}

static void test_fence_keeps_the_folder(void **state)
{
    struct local_cloud *cloud = *state;
    const char *id = make_stubborn(cloud);

    for (int i = 0; i < 2; i++)
        call_ok(cloud, tt_provider_fence(cloud->provider, "r1", id, &cloud->err));
    assert_int_equal(local_cloud_look(cloud, id)->state, TT_SERVER_FAILED);
    assert_int_equal(local_cloud_processes(cloud, id, NULL), 0);
    assert_true(exists(local_cloud_folder(cloud, id)));
}

struct racer {
    struct local_cloud *cloud;
    struct tt_arena arena;
    struct tt_error err;
    const char *id;
    int result;
};

/* No assertion here: cmocka knows the main thread alone. */
static void *race(void *self)
{
    struct racer *racer = self;

    racer->result = local_cloud_create(racer->cloud, racer->cloud->provider, "sleep", "one", 0,
                                       &racer->arena, &racer->id, &racer->err);
    return NULL;
}

static void test_same_token_makes_one_machine(void **state)
{
    struct local_cloud *cloud = *state;
    struct racer racers[RACERS] = {0};
    pthread_t threads[RACERS];

    for (int i = 0; i < RACERS; i++) {
        racers[i].cloud = cloud;
        assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    }
    for (int i = 0; i < RACERS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < RACERS; i++) {
        if (racers[i].result < 0)
            fail_msg("%s", racers[i].err.message);
        assert_string_equal(racers[i].id, racers[0].id);
    }
    assert_string_equal(local_cloud_make(cloud, "sleep", "one", 0), racers[0].id);
    assert_int_equal(local_cloud_count(cloud), 1);
    assert_int_equal(local_cloud_processes(cloud, racers[0].id, NULL), 1);
    for (int i = 0; i < RACERS; i++)
        tt_arena_release(&racers[i].arena);
}

static void test_processes_make_one_machine_that_outlives_them(void **state)
{
    struct local_cloud *cloud = *state;
    pid_t children[4];
    int status;

    for (int i = 0; i < 4; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            struct racer racer = {.cloud = cloud};

            race(&racer);
            _exit(racer.result ? 1 : 0);
        }
    }
    for (int i = 0; i < 4; i++) {
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(local_cloud_count(cloud), 1);
    assert_int_equal(local_cloud_look(cloud, local_cloud_make(cloud, "sleep", "one", 0))->state,
                     TT_SERVER_RUNNING);
}

/* Whenever the maker is killed, the same request leads to one running machine and no second one. */
static void test_killed_maker_leaves_no_second_machine(void **state)
{
    struct local_cloud *cloud = *state;

    for (int i = 0; i < 30; i++) {
        struct racer racer = {.cloud = cloud};
        pid_t child = fork();
        const char *id;

        assert_true(child >= 0);
        if (child == 0) {
            race(&racer);
            _exit(0);
        }
        nanosleep(&(struct timespec){.tv_nsec = i * 400000L}, NULL);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        id = local_cloud_make(cloud, "sleep", "one", 0);
        local_cloud_await(cloud, id, TT_SERVER_RUNNING);
        assert_int_equal(local_cloud_count(cloud), 1);
        local_cloud_await_processes(cloud, id, 1);
        call_ok(cloud, tt_provider_delete_server(cloud->provider, "r1", id, &cloud->err));
        assert_int_equal(local_cloud_processes(cloud, id, NULL), 0);
    }
}

static void test_half_made_folder_is_removed(void **state)
{
    struct local_cloud *cloud = *state;
    const char *left = local_cloud_folder(cloud, "m-0000000000000000");

    call_ok(cloud, tt_make_folders(tt_printf(&cloud->arena, "%s/root", left), 0700, &cloud->err));
    assert_int_equal(local_cloud_count(cloud), 0);
    local_cloud_make(cloud, "sleep", "one", 0);
    assert_false(exists(left));
    assert_int_equal(local_cloud_count(cloud), 1);
}

static void test_broken_description_is_not_an_empty_region(void **state)
{
    struct local_cloud *cloud = *state;
    const char *id = local_cloud_make(cloud, "sleep", "one", 0);
    const char *path = tt_printf(&cloud->arena, "%s/meta.json", local_cloud_folder(cloud, id));
    struct tt_region region = {0};
    size_t size;
    char *text;

    call_ok(cloud, tt_file_read(&cloud->arena, path, 1 << 20, &text, &size, &cloud->err));
    call_ok(cloud, tt_file_write(path, "{", 1, 0600, &cloud->err));
    assert_int_equal(
        tt_provider_observe(cloud->provider,
                            &(struct tt_observe_request){.region = "r1", .owner = "acme"},
                            &cloud->arena, &region, &cloud->err),
        -1);
    assert_non_null(strstr(cloud->err.message, "meta.json"));
    call_ok(cloud, tt_file_write(path, text, size, 0600, &cloud->err));
}

static void test_foreign_owner_is_denied(void **state)
{
    struct local_cloud *cloud = *state;
    const char *id = local_cloud_make(cloud, "sleep", "one", 0);
    struct tt_provider *other = local_cloud_open(cloud, "somebody-else");

    call_fails(cloud, TT_ERR_DENIED, "acme",
               tt_provider_delete_server(other, "r1", id, &cloud->err));
    call_fails(cloud, TT_ERR_DENIED, "acme", tt_provider_fence(other, "r1", id, &cloud->err));
    call_fails(cloud, TT_ERR_DENIED, "acme",
               tt_provider_start_server(other, "r1", id, &cloud->err));
    call_fails(
        cloud, TT_ERR_DENIED, "acme",
        tt_provider_tag(other, "r1", id, &(struct tt_tags){.owner = "x", .slot = -1}, &cloud->err));
    assert_int_equal(local_cloud_look(cloud, id)->state, TT_SERVER_RUNNING);
    tt_provider_close(other);
}

static void test_secrets_do_not_reach_a_machine(void **state)
{
    struct local_cloud *cloud = *state;
    pid_t program = 0;
    size_t size;
    char *text;

    assert_int_equal(setenv("AWS_SECRET_ACCESS_KEY", "hush", 1), 0);
    local_cloud_processes(cloud, local_cloud_make(cloud, "sleep", "one", 0), &program);
    unsetenv("AWS_SECRET_ACCESS_KEY");
    call_ok(cloud,
            tt_file_read(&cloud->arena, tt_printf(&cloud->arena, "/proc/%d/environ", (int)program),
                         1 << 20, &text, &size, &cloud->err));
    assert_true(size > 0);
    assert_null(memmem(text, size, "hush", 4));
}

static void test_machine_inherits_no_descriptor(void **state)
{
    struct local_cloud *cloud = *state;
    int fds[2];
    char byte;

    assert_int_equal(pipe(fds), 0); /* not close-on-exec, as a caller's may be */
    local_cloud_make(cloud, "sleep", "one", 0);
    close(fds[1]);
    assert_int_equal(read(fds[0], &byte, 1), 0); /* hangs when a machine holds the other end */
    close(fds[0]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, local_cloud_begin, local_cloud_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_machine_lives_and_leaves_nothing),
        TEST(test_template_serves_at_its_address),
        TEST(test_dead_program_fails_its_machine),
        TEST(test_program_that_ends_fails_its_machine),
        TEST(test_program_dies_with_its_supervisor),
        TEST(test_delete_ends_what_escaped),
        TEST(test_start_ends_what_escaped),
        TEST(test_stopped_machine_starts_again),
        TEST(test_fence_keeps_the_folder),
        TEST(test_same_token_makes_one_machine),
        TEST(test_processes_make_one_machine_that_outlives_them),
        TEST(test_killed_maker_leaves_no_second_machine),
        TEST(test_half_made_folder_is_removed),
        TEST(test_broken_description_is_not_an_empty_region),
        TEST(test_foreign_owner_is_denied),
        TEST(test_secrets_do_not_reach_a_machine),
        TEST(test_machine_inherits_no_descriptor),
    };

    return cmocka_run_group_tests_name("local", tests, NULL, NULL);
}
