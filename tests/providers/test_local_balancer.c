/*
 * Balancer machines of the local provider, with the agent and a real HAProxy in them: they serve,
 * an elastic address moves between them, a dead HAProxy comes back, a dead machine does not, and
 * nothing is left. Covers providers/local/ together with providers/proxies/.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
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
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "providers/proxies/proxy.h"
#include "providers/shell/shell.h"
#include "tests/providers/support/local_cloud.h"
#include "tests/providers/support/named_server.h"

#define PATIENCE 15000

/* The cloud, and the one server behind its balancers. */
struct balanced {
    struct local_cloud *cloud;
    struct named_server web;
    struct tt_listeners listeners;
    struct tt_balancer_setup setup;
    struct tt_service service;
    struct tt_deployment deployment;
    int port;
};

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
}

static int begin(void **state)
{
    struct balanced *is = calloc(1, sizeof(*is));
    struct tt_local_template *template;
    void *cloud = NULL;

    if (local_cloud_begin(&cloud) < 0) {
        free(is);
        return -1;
    }
    is->cloud = cloud;
    template = TT_VEC_ADD(&is->cloud->arena, &is->cloud->account.templates);
    template->name = "lb";
    template->software = "haproxy";
    named_server_start(&is->web, "w0", "127.0.0.1", 0);
    is->port = is->web.port; /* free at every other address, as good as certainly */
    is->setup.listeners = &is->listeners;
    *TT_VEC_ADD(&is->cloud->arena, &is->listeners) =
        (struct tt_listener){.port = is->port, .protocol = TT_PROTOCOL_HTTP};
    is->deployment.name = "storefront";
    is->service = (struct tt_service){.name = "web", .deployment = &is->deployment};
    *state = is;
    return 0;
}

static int end(void **state)
{
    struct balanced *is = *state;
    void *cloud = is->cloud;

    named_server_stop(&is->web);
    local_cloud_end(&cloud);
    free(is);
    return 0;
}

static struct balanced *get(void **state)
{
    struct balanced *is = *state;
    struct tt_arena *arena = &is->cloud->arena;

    if (!tt_shell_find(arena, "socat") ||
        (!tt_shell_find(arena, "haproxy") && !tt_shell_find(arena, "/usr/sbin/haproxy"))) {
        print_message("haproxy or socat is not installed\n");
        skip();
    }
    return is;
}

static struct tt_proxy proxy_of(struct balanced *is, const char *id)
{
    return (struct tt_proxy){.provider = is->cloud->provider,
                             .region = "r1",
                             .machine = id,
                             .address = local_cloud_look(is->cloud, id)->private_address};
}

/* A balancer with its listener and the one member. */
static const char *make_balancer(struct balanced *is, const char *token)
{
    const char *id = local_cloud_make(is->cloud, "lb", token, 0);
    struct tt_proxy proxy = proxy_of(is, id);
    struct tt_proxy_member member = {
        .service = &is->service, .address = is->web.address, .port = is->web.port};

    call_ok(is->cloud, tt_proxy_configure(&proxy, &is->setup, &is->cloud->err));
    call_ok(is->cloud, tt_proxy_start(&proxy, &member, &is->cloud->err));
    return id;
}

static bool serves(struct balanced *is, const char *address)
{
    static const char request[] = "GET / HTTP/1.0\r\n\r\n";
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)is->port)};
    struct timeval patience = {.tv_sec = 5};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char text[1024];
    size_t length = 0;
    ssize_t got;

    inet_pton(AF_INET, address, &name.sin_addr);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (connect(fd, (const struct sockaddr *)&name, sizeof(name)) == 0 &&
        send(fd, request, strlen(request), MSG_NOSIGNAL) > 0)
        while (length + 1 < sizeof(text) &&
               (got = recv(fd, text + length, sizeof(text) - 1 - length, 0)) > 0)
            length += (size_t)got;
    text[length] = '\0';
    close(fd);
    return strstr(text, " 200 ") && strstr(text, "\r\n\r\nw0");
}

static void await_service(struct balanced *is, const char *address)
{
    tt_time end = tt_monotonic() + PATIENCE;

    while (!serves(is, address)) {
        if (tt_monotonic() > end)
            fail_msg("%s does not serve", address);
        nap();
    }
}

static void test_balancer_serves_and_leaves_nothing(void **state)
{
    struct balanced *is = get(state);
    const char *id = make_balancer(is, "one");
    struct tt_proxy proxy = proxy_of(is, id);
    struct tt_pool pool = {0};
    struct stat st;

    await_service(is, proxy.address);
    call_ok(is->cloud, tt_proxy_list(&proxy, &is->cloud->arena, &pool, &is->cloud->err));
    assert_int_equal(pool.members.count, 1);
    assert_string_equal(pool.members.items[0].service, "storefront.web");
    assert_int_equal(pool.listeners->count, 1);
    call_ok(is->cloud, tt_proxy_stop(&proxy, "storefront.web", is->web.address, is->web.port, 1000,
                                     &is->cloud->err));
    call_ok(is->cloud, tt_proxy_list(&proxy, &is->cloud->arena, &pool, &is->cloud->err));
    assert_int_equal(pool.members.count, 0);
    call_ok(is->cloud, tt_provider_delete_server(is->cloud->provider, "r1", id, &is->cloud->err));
    assert_int_equal(local_cloud_processes(is->cloud, id, NULL), 0);
    assert_int_equal(stat(local_cloud_folder(is->cloud, id), &st), -1);
    assert_false(serves(is, proxy.address));
}

static pid_t haproxy_of(struct balanced *is, const char *id)
{
    char *text;

    call_ok(is->cloud,
            tt_file_read(&is->cloud->arena,
                         tt_printf(&is->cloud->arena, "%s/root/enstratus/var/haproxy.pid",
                                   local_cloud_folder(is->cloud, id)),
                         64, &text, NULL, &is->cloud->err));
    assert_true(atoi(text) > 1);
    return (pid_t)atoi(text);
}

static void test_dead_haproxy_comes_back(void **state)
{
    struct balanced *is = get(state);
    const char *id = make_balancer(is, "one");
    const char *address = local_cloud_look(is->cloud, id)->private_address;

    await_service(is, address);
    assert_int_equal(kill(haproxy_of(is, id), SIGKILL), 0);
    await_service(is, address);
    assert_int_equal(local_cloud_look(is->cloud, id)->state, TT_SERVER_RUNNING);
}

static void test_killed_machine_fails_and_is_fenced(void **state)
{
    struct balanced *is = get(state);
    const char *id = make_balancer(is, "one"), *twin;
    const char *address = local_cloud_look(is->cloud, id)->private_address;
    struct tt_proxy proxy = proxy_of(is, id);
    struct tt_pool pool;

    await_service(is, address);
    assert_int_equal(kill(local_cloud_supervisor(is->cloud, id), SIGKILL), 0);
    local_cloud_await(is->cloud, id, TT_SERVER_FAILED);
    call_fails(is->cloud, TT_ERR_UNAVAILABLE, id,
               tt_proxy_list(&proxy, &is->cloud->arena, &pool, &is->cloud->err));
    call_ok(is->cloud, tt_provider_fence(is->cloud->provider, "r1", id, &is->cloud->err));
    assert_int_equal(local_cloud_processes(is->cloud, id, NULL), 0);
    assert_false(serves(is, address));
    /* Its replacement is another machine, and this one starts again with its pool. */
    twin = make_balancer(is, "two");
    assert_string_not_equal(twin, id);
    call_ok(is->cloud, tt_provider_start_server(is->cloud->provider, "r1", id, &is->cloud->err));
    await_service(is, address);
}

static void test_elastic_address_moves_with_its_traffic(void **state)
{
    struct balanced *is = get(state);
    struct tt_provider *p = is->cloud->provider;
    struct tt_error *err = &is->cloud->err;
    const char *one = make_balancer(is, "one"), *two = make_balancer(is, "two");
    const char *folder =
        tt_printf(&is->cloud->arena, "%s/local/here/r1/addresses", is->cloud->folder);
    const char *elastic = tt_printf(&is->cloud->arena, "127.251.%d.%d", (int)getpid() / 250 % 250,
                                    1 + (int)getpid() % 250);

    call_ok(is->cloud, tt_make_folders(folder, 0700, err));
    call_ok(is->cloud, tt_file_write(tt_printf(&is->cloud->arena, "%s/%s", folder, elastic), "", 0,
                                     0600, err));
    assert_false(serves(is, elastic));
    call_ok(is->cloud, tt_provider_move_address(p, "r1", elastic, one, err));
    await_service(is, elastic);
    call_ok(is->cloud, tt_provider_move_address(p, "r1", elastic, two, err));
    await_service(is, elastic);
    await_service(is, local_cloud_look(is->cloud, one)->private_address);
    /* It is the second one that serves it now, also when HAProxy has to come back. */
    call_ok(is->cloud, tt_provider_fence(p, "r1", one, err));
    await_service(is, elastic);
    assert_int_equal(kill(haproxy_of(is, two), SIGKILL), 0);
    await_service(is, elastic);
    /* A failed holder does not stand in the way. */
    assert_int_equal(kill(local_cloud_supervisor(is->cloud, two), SIGKILL), 0);
    local_cloud_await(is->cloud, two, TT_SERVER_FAILED);
    call_ok(is->cloud, tt_provider_fence(p, "r1", two, err));
    assert_false(serves(is, elastic));
    call_ok(is->cloud, tt_provider_start_server(p, "r1", one, err));
    await_service(is, local_cloud_look(is->cloud, one)->private_address);
    call_ok(is->cloud, tt_provider_move_address(p, "r1", elastic, one, err));
    await_service(is, elastic);
}

/* A socket's path has 107 bytes at most; a machine's root may have more. */
static void test_long_root_does_not_matter(void **state)
{
    struct balanced *is = get(state);
    char name[101];

    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    is->cloud->account.endpoint =
        tt_printf(&is->cloud->arena, "file://%s/%s/%s", is->cloud->folder, name, name);
    is->cloud->provider = local_cloud_open(is->cloud, "acme");
    await_service(is, proxy_of(is, make_balancer(is, "one")).address);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_balancer_serves_and_leaves_nothing),
        TEST(test_dead_haproxy_comes_back),
        TEST(test_killed_machine_fails_and_is_fenced),
        TEST(test_elastic_address_moves_with_its_traffic),
        TEST(test_long_root_does_not_matter),
    };

    return cmocka_run_group_tests_name("local balancer", tests, NULL, NULL);
}
