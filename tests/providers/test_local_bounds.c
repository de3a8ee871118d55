/*
 * The local provider: what it refuses and why, addresses, commands on machines, accounts side by
 * side. Covers providers/local/{network,template,run,elastic,places}.c.
 */
#include <arpa/inet.h>
#include <grp.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "providers/local/local.h"
#include "tests/providers/support/local_cloud.h"

#define NOBODY 65534

static int try_make(struct local_cloud *cloud, const char *template, int port)
{
    const char *id;

    return local_cloud_create(cloud, cloud->provider, template, "one", port, &cloud->arena, &id,
                              &cloud->err);
}

static void test_unknown_template_is_named(void **state)
{
    struct local_cloud *cloud = *state;

    local_cloud_template(cloud, "web", "true");
    call_fails(cloud, TT_ERR_SPEC, "no-such", try_make(cloud, "no-such", 0));
    assert_non_null(strstr(cloud->err.message, "sleep, web"));
    call_fails(cloud, TT_ERR_SPEC, "none given", try_make(cloud, NULL, 0));
    assert_int_equal(local_cloud_count(cloud), 0);
}

static void test_missing_program_is_named(void **state)
{
    struct local_cloud *cloud = *state;
    const char *script;

    local_cloud_template(cloud, "wrong", "no-such-program --port {port}");
    call_fails(cloud, TT_ERR_SPEC, "no-such-program", try_make(cloud, "wrong", 0));
    local_cloud_template(cloud, "beside", "./no-such-file");
    call_fails(cloud, TT_ERR_SPEC, "./no-such-file", try_make(cloud, "beside", 0));
    /* A program that is there and cannot be run: its interpreter is missing. */
    script = tt_printf(&cloud->arena, "%s/script", cloud->folder);
    call_ok(cloud, tt_file_write(script, "#!/no/such\n", 11, 0755, &cloud->err));
    local_cloud_template(cloud, "broken", "./script");
    call_fails(cloud, TT_ERR_SPEC, "script", try_make(cloud, "broken", 0));
    assert_int_equal(local_cloud_count(cloud), 0);
}

static void test_facts_are_put_into_the_command(void **state)
{
    struct local_cloud *cloud = *state;
    const struct tt_server *server;
    tt_time end = tt_monotonic() + 10000;
    const char *id, *path, *expected;
    char *text = NULL;

    local_cloud_script(cloud, "facts",
                       "printf %s '{name}-{address}-{port}-{root}-{other}' >facts; "
                       "exec sleep 3600");
    id = local_cloud_make(cloud, "facts", "one", 18080);
    server = local_cloud_look(cloud, id);
    path = tt_printf(&cloud->arena, "%s/root", local_cloud_folder(cloud, id));
    expected = tt_printf(&cloud->arena, "storefront-web-0-%s-18080-%s-{other}",
                         server->private_address, path);
    do {
        assert_true(tt_monotonic() < end);
        tt_file_read(&cloud->arena, tt_printf(&cloud->arena, "%s/facts", path), 4096, &text, NULL,
                     NULL);
    } while (!text || strcmp(text, expected) != 0);
}

/* As a user without privileges; the exit code of CALL there. */
static int as_nobody(struct local_cloud *cloud, int (*call)(struct local_cloud *cloud))
{
    pid_t child = fork();
    int status = 0;

    assert_true(child >= 0);
    if (child == 0) {
        if (getuid() == 0 && (setgroups(0, NULL) < 0 || setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
            _exit(99);
        _exit(call(cloud));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WEXITSTATUS(status);
}

static int low_port_is_refused(struct local_cloud *cloud)
{
    if (try_make(cloud, "sleep", 80) == 0)
        return 1;
    return cloud->err.class != TT_ERR_SPEC || !strstr(cloud->err.message, "port 80") ? 2 : 0;
}

static void test_low_port_is_refused_with_the_reason(void **state)
{
    struct local_cloud *cloud = *state;
    char *least;

    call_ok(cloud, tt_file_read(&cloud->arena, "/proc/sys/net/ipv4/ip_unprivileged_port_start", 64,
                                &least, NULL, &cloud->err));
    if (strtol(least, NULL, 10) <= 80)
        skip();
    if (getuid() == 0)
        assert_int_equal(chown(cloud->folder, NOBODY, NOBODY), 0);
    assert_int_equal(as_nobody(cloud, low_port_is_refused), 0);
    assert_int_equal(local_cloud_count(cloud), 0);
}

static int write_fails_with_the_path(struct local_cloud *cloud)
{
    if (try_make(cloud, "sleep", 0) == 0)
        return 1;
    return cloud->err.class != TT_ERR_INTERNAL || !strstr(cloud->err.message, cloud->folder) ? 2
                                                                                             : 0;
}

static void test_folder_that_cannot_be_written_is_named(void **state)
{
    struct local_cloud *cloud = *state;

    assert_int_equal(chmod(cloud->folder, 0555), 0);
    assert_int_equal(as_nobody(cloud, write_fails_with_the_path), 0);
    assert_int_equal(chmod(cloud->folder, 0700), 0);
}

static void test_lowest_free_address_is_used_again(void **state)
{
    struct local_cloud *cloud = *state;
    const char *one = local_cloud_make(cloud, "sleep", "one", 0);
    const char *two = local_cloud_make(cloud, "sleep", "two", 0);
    const char *address = local_cloud_look(cloud, one)->private_address;

    assert_string_equal(strrchr(address, '.'), ".1");
    assert_string_equal(strrchr(local_cloud_look(cloud, two)->private_address, '.'), ".2");
    call_ok(cloud, tt_provider_delete_server(cloud->provider, "r1", one, &cloud->err));
    assert_string_equal(
        local_cloud_look(cloud, local_cloud_make(cloud, "sleep", "three", 0))->private_address,
        address);
}

/* Listens on ADDRESS and a port that the kernel chooses. */
static int occupy(const char *address, int *ret_port)
{
    struct sockaddr_in name = {.sin_family = AF_INET};
    socklen_t size = sizeof(name);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    inet_pton(AF_INET, address, &name.sin_addr);
    assert_int_equal(bind(fd, (const struct sockaddr *)&name, size), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &size), 0);
    *ret_port = ntohs(name.sin_port);
    return fd;
}

static void test_address_in_use_is_stepped_over(void **state)
{
    struct local_cloud *cloud = *state;
    const char *one = local_cloud_make(cloud, "sleep", "one", 0);
    const char *address = local_cloud_look(cloud, one)->private_address;
    int port, fd = occupy(address, &port);

    call_ok(cloud, tt_provider_delete_server(cloud->provider, "r1", one, &cloud->err));
    assert_string_not_equal(
        local_cloud_look(cloud, local_cloud_make(cloud, "sleep", "two", port))->private_address,
        address);
    close(fd);
}

static void test_accounts_are_apart(void **state)
{
    struct local_cloud *cloud = *state;
    struct tt_account other = cloud->account;
    struct tt_provider *provider = NULL;
    struct tt_region region = {0};
    const char *id = local_cloud_make(cloud, "sleep", "one", 0), *twin = NULL;

    other.name = "there";
    other.endpoint = tt_printf(&cloud->arena, "file://%s/elsewhere", cloud->folder);
    call_ok(cloud,
            tt_local_ops()->open(&(struct tt_provider_settings){.account = &other,
                                                                .owner = "acme",
                                                                .state_folder = cloud->folder,
                                                                .clock = tt_clock_real()},
                                 &cloud->arena, &provider, &cloud->err));
    call_ok(cloud, tt_provider_delete_server(provider, "r1", id, &cloud->err));
    call_ok(cloud, local_cloud_create(cloud, provider, "sleep", "one", 0, &cloud->arena, &twin,
                                      &cloud->err));
    assert_string_not_equal(twin, id);
    call_ok(cloud, tt_provider_observe(
                       provider, &(struct tt_observe_request){.region = "r1", .owner = "acme"},
                       &cloud->arena, &region, &cloud->err));
    assert_int_equal(region.servers.count, 1);
    assert_string_not_equal(region.servers.items[0].private_address,
                            local_cloud_look(cloud, id)->private_address);
    call_ok(cloud, tt_provider_delete_server(provider, "r1", twin, &cloud->err));
    assert_int_equal(local_cloud_look(cloud, id)->state, TT_SERVER_RUNNING);
}

static void test_bad_settings_are_refused(void **state)
{
    struct local_cloud *cloud = *state;
    struct tt_account account = cloud->account;
    struct tt_provider_settings settings = {
        .account = &account, .owner = "acme", .state_folder = cloud->folder};
    struct tt_provider *provider;
    char *name = tt_alloc(&cloud->arena, 8000);

    account.endpoint = "https://example.com";
    call_fails(cloud, TT_ERR_SPEC, "file:///",
               tt_local_ops()->open(&settings, &cloud->arena, &provider, &cloud->err));
    memset(name, 'a', 7999);
    account.endpoint = tt_printf(&cloud->arena, "file:///%s", name);
    call_fails(cloud, TT_ERR_SPEC, "too long",
               tt_local_ops()->open(&settings, &cloud->arena, &provider, &cloud->err));
    account.endpoint = NULL;
    account.name = "../here";
    call_fails(cloud, TT_ERR_SPEC, "../here",
               tt_local_ops()->open(&settings, &cloud->arena, &provider, &cloud->err));
}

/* Puts a script onto a machine. */
static void put(struct local_cloud *cloud, const char *id, const char *name, const char *text)
{
    const char *bin =
        tt_printf(&cloud->arena, "%s/root/enstratus/bin", local_cloud_folder(cloud, id));

    call_ok(cloud, tt_make_folders(bin, 0700, &cloud->err));
    call_ok(cloud, tt_file_write(tt_printf(&cloud->arena, "%s/%s", bin, name), text, strlen(text),
                                 0755, &cloud->err));
}

static int run(struct local_cloud *cloud, const char *id, const char *path,
               struct tt_run_result *result)
{
    const char *argv[] = {path, "one two", NULL};

    return tt_provider_run(
        cloud->provider,
        &(struct tt_run_request){
            .region = "r1", .machine = id, .argv = argv, .input = "told", .timeout = 20000},
        &cloud->arena, result, &cloud->err);
}

static void test_command_runs_on_its_machine(void **state)
{
    struct local_cloud *cloud = *state;
    const char *id = local_cloud_make(cloud, "sleep", "one", 0);
    struct tt_run_result result = {0};

    put(cloud, id, "say", "#!/bin/sh\necho \"$TRIMTAB_ADDRESS $1 $(cat)\"\npwd >&2\nexit 20\n");
    call_ok(cloud, run(cloud, id, "/enstratus/bin/say", &result));
    assert_int_equal(result.exit_code, 20);
    assert_string_equal(result.output, tt_printf(&cloud->arena, "%s one two told\n",
                                                 local_cloud_look(cloud, id)->private_address));
    assert_string_equal(result.errors,
                        tt_printf(&cloud->arena, "%s/root\n", local_cloud_folder(cloud, id)));
    call_fails(cloud, TT_ERR_NOT_FOUND, "/enstratus/bin/other",
               run(cloud, id, "/enstratus/bin/other", &result));
    call_fails(cloud, TT_ERR_NOT_FOUND, "..", run(cloud, id, "/../../../lock", &result));
    call_fails(cloud, TT_ERR_NOT_FOUND, "no-such",
               run(cloud, "no-such", "/enstratus/bin/say", &result));
    call_fails(cloud, TT_ERR_NOT_FOUND, "../", run(cloud, "../x", "/enstratus/bin/say", &result));
    call_ok(cloud, tt_provider_fence(cloud->provider, "r1", id, &cloud->err));
    call_fails(cloud, TT_ERR_UNAVAILABLE, id, run(cloud, id, "/enstratus/bin/say", &result));
}

static const char *address_of(struct local_cloud *cloud, const char *id)
{
    char *text = NULL;

    tt_file_read(
        &cloud->arena,
        tt_printf(&cloud->arena, "%s/root/enstratus/etc/address", local_cloud_folder(cloud, id)),
        100, &text, NULL, NULL);
    return text;
}

static const char *holder(struct local_cloud *cloud)
{
    struct tt_region region = {0};

    call_ok(cloud,
            tt_provider_observe(cloud->provider,
                                &(struct tt_observe_request){.region = "r1", .owner = "acme"},
                                &cloud->arena, &region, &cloud->err));
    assert_int_equal(region.addresses.count, 1);
    assert_string_equal(region.addresses.items[0].address, "127.250.1.9");
    return region.addresses.items[0].server;
}

static void test_address_moves(void **state)
{
    static const char script[] = "#!/bin/sh\necho \"$1\" >>\"$TRIMTAB_ROOT/told\"\n";
    struct local_cloud *cloud = *state;
    const char *one = local_cloud_make(cloud, "sleep", "one", 0);
    const char *two = local_cloud_make(cloud, "sleep", "two", 0);
    const char *folder = tt_printf(&cloud->arena, "%s/local/here/r1/addresses", cloud->folder);
    struct tt_provider *p = cloud->provider;
    char *told;

    call_ok(cloud, tt_make_folders(folder, 0700, &cloud->err));
    call_ok(cloud, tt_file_write(tt_printf(&cloud->arena, "%s/127.250.1.9", folder), "", 0, 0600,
                                 &cloud->err));
    put(cloud, two, "configureProxy", script);
    assert_null(holder(cloud));
    for (int i = 0; i < 2; i++) {
        call_ok(cloud, tt_provider_move_address(p, "r1", "127.250.1.9", one, &cloud->err));
        assert_string_equal(holder(cloud), one);
        assert_string_equal(address_of(cloud, one), "127.250.1.9\n");
    }
    call_ok(cloud, tt_provider_move_address(p, "r1", "127.250.1.9", two, &cloud->err));
    assert_string_equal(holder(cloud), two);
    assert_null(address_of(cloud, one));
    assert_string_equal(address_of(cloud, two), "127.250.1.9\n");
    call_ok(cloud,
            tt_file_read(&cloud->arena,
                         tt_printf(&cloud->arena, "%s/root/told", local_cloud_folder(cloud, two)),
                         100, &told, NULL, &cloud->err));
    assert_string_equal(told, "--address\n");
    call_fails(cloud, TT_ERR_NOT_FOUND, "127.250.1.8",
               tt_provider_move_address(p, "r1", "127.250.1.8", one, &cloud->err));
    call_fails(cloud, TT_ERR_NOT_FOUND, "no-such",
               tt_provider_move_address(p, "r1", "127.250.1.9", "no-such", &cloud->err));
    put(cloud, two, "configureProxy", "#!/bin/sh\necho 'it is stuck' >&2\nexit 22\n");
    call_fails(cloud, TT_ERR_CONFLICT, "it is stuck",
               tt_provider_move_address(p, "r1", "127.250.1.9", two, &cloud->err));
    call_ok(cloud, tt_provider_delete_server(p, "r1", two, &cloud->err));
    assert_null(holder(cloud));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, local_cloud_begin, local_cloud_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_unknown_template_is_named),
        TEST(test_missing_program_is_named),
        TEST(test_facts_are_put_into_the_command),
        TEST(test_low_port_is_refused_with_the_reason),
        TEST(test_folder_that_cannot_be_written_is_named),
        TEST(test_lowest_free_address_is_used_again),
        TEST(test_address_in_use_is_stepped_over),
        TEST(test_accounts_are_apart),
        TEST(test_bad_settings_are_refused),
        TEST(test_command_runs_on_its_machine),
        TEST(test_address_moves),
    };

    return cmocka_run_group_tests_name("local bounds", tests, NULL, NULL);
}
