/*
 * How `openstack` logs in: the environment, clouds.yaml, and what is refused.
 * Covers providers/openstack/login.c, clouds_yaml.c, session.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/providers/support/openstack_desk.h"

static void write_file(struct desk *desk, const char *name, const char *text)
{
    FILE *file = fopen(tt_printf(&desk->arena, "%s/%s", desk->folder, name), "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    desk->account.credentials_env = NULL;
    desk->account.credentials_file = "clouds.yaml";
}

static void test_a_password_is_sent_with_its_project(void **state)
{
    struct desk *desk = *state;

    desk_keystone(desk, "2026-11-23T05:00:00Z");
    desk_nova(desk, "2.93");
    desk_no_servers(desk);
    desk_open_well(desk);
    assert_int_equal(desk_look(desk, NULL), 0);
    assert_true(desk_was_asked(
        desk, "{\"auth\":{\"identity\":{\"methods\":[\"password\"],\"password\":{\"user\":{"
              "\"name\":\"me\",\"domain\":{\"id\":\"default\"},\"password\":\"hush\"}}},"
              "\"scope\":{\"project\":{\"name\":\"shop\",\"domain\":{\"id\":\"default\"}}}}}"));
    assert_true(desk_was_asked(desk, "OpenStack-API-Version: compute 2.90"));
    assert_int_equal(desk->region.zones.count, 2);
    assert_int_equal(desk->region.zones.items[0].state, TT_ZONE_AVAILABLE);
    assert_int_equal(desk->region.zones.items[1].state, TT_ZONE_IMPAIRED);
}

static void test_an_application_credential_of_clouds_yaml(void **state)
{
    struct desk *desk = *state;

    write_file(desk, "clouds.yaml",
               "clouds:\n"
               "  other: {auth: {auth_url: 'http://127.0.0.1:1', token: t}}\n"
               "  mine:\n"
               "    auth_type: v3applicationcredential\n"
               "    auth: {auth_url: 'http://127.0.0.1:1/v3/', application_credential_id: abc}\n");
    write_file(desk, "secure.yaml",
               "clouds: {mine: {auth: {application_credential_secret: hush}}}\n");
    desk->account.profile = "mine";
    desk_keystone(desk, "2026-11-23T05:00:00Z");
    desk_nova(desk, "2.90");
    desk_no_servers(desk);
    desk_open_well(desk);
    assert_int_equal(desk_look(desk, NULL), 0);
    assert_true(desk_was_asked(desk,
                               "{\"auth\":{\"identity\":{\"methods\":[\"application_credential\"],"
                               "\"application_credential\":{\"secret\":\"hush\",\"id\":\"abc\"}}}"
                               "}"));
}

static void test_clouds_yaml_that_does_not_do(void **state)
{
    struct desk *desk = *state;

    write_file(desk, "clouds.yaml", "clouds: {a: {auth: {token: hush}}, b: {}}\n");
    desk_failed(desk, desk_open(desk), TT_ERR_SPEC, "has 2 clouds: name one");
    desk->account.profile = "c";
    desk_failed(desk, desk_open(desk), TT_ERR_NOT_FOUND, "has no cloud c");
    desk->account.profile = "b";
    desk_failed(desk, desk_open(desk), TT_ERR_SPEC, "has no username");
    write_file(desk, "clouds.yaml", "clouds: {b: {auth: {token: hush}, verify: false}}\n");
    desk_failed(desk, desk_open(desk), TT_ERR_SPEC, "cacert");
    write_file(desk, "clouds.yaml", "clouds: [hush\n");
    desk_failed(desk, desk_open(desk), TT_ERR_SPEC, "no YAML file with a mapping `clouds`");
    write_file(desk, "clouds.yaml", "a: &a [x, x]\nclouds: {b: [*a, *a]}\n");
    desk_failed(desk, desk_open(desk), TT_ERR_NOT_FOUND, "has no cloud b");
    unlink(tt_printf(&desk->arena, "%s/clouds.yaml", desk->folder));
    desk_failed(desk, desk_open(desk), TT_ERR_NOT_FOUND, "clouds.yaml");
}

static void test_a_login_that_is_refused(void **state)
{
    struct desk *desk = *state;

    desk_set(desk, "POST /v3/auth/tokens", 401, "{\"error\": {\"message\": \"hush\"}}");
    desk_open_well(desk);
    desk_failed(desk, desk_look(desk, NULL), TT_ERR_DENIED, "Keystone at http://127.0.0.1:");
}

static void test_a_region_that_the_catalog_does_not_have(void **state)
{
    struct desk *desk = *state;

    desk->account.regions.items[0] = "south";
    desk_keystone(desk, "2026-11-23T05:00:00Z");
    desk_open_well(desk);
    desk->account.regions.items[0] = "north";
    desk_failed(desk, desk_look(desk, NULL), TT_ERR_SPEC, "has no region north");
}

static void test_an_old_nova_is_refused(void **state)
{
    struct desk *desk = *state;

    desk_keystone(desk, "2026-11-23T05:00:00Z");
    desk_nova(desk, "2.25");
    desk_open_well(desk);
    desk_failed(desk, desk_look(desk, NULL), TT_ERR_UNSUPPORTED, "no newer microversion than 2.25");
}

/* --- plain http ------------------------------------------------------------------------------- */

static void test_a_login_over_plain_http_is_refused(void **state)
{
    static const char *const elsewhere[] = {
        "http://cloud.example.com/v3",   "http://127.evil.example/v3", "http://127.0.0.1.example:1",
        "http://127.0.0.1@evil.example", "http://localhost.example",   "http://10.0.0.1:5000",
        "HTTP://cloud.example.com/v3"};
    static const char *const here[] = {"http://localhost:5000/v3",  "http://[::1]:5000",
                                       "http://127.9.8.7",          "https://cloud.example.com",
                                       "HTTPS://cloud.example.com", "HTTP://LocalHost:5000"};
    struct desk *desk = *state;

    for (size_t i = 0; i < sizeof(elsewhere) / sizeof(*elsewhere); i++) {
        desk->account.endpoint = elsewhere[i];
        desk_failed(desk, desk_open(desk), TT_ERR_SPEC, "the auth_url is plain http");
    }
    setenv("DESK_ALLOW_HTTP", "true", 1);
    desk_open_well(desk);
    unsetenv("DESK_ALLOW_HTTP");
    tt_provider_close(desk->provider);
    for (size_t i = 0; i < sizeof(here) / sizeof(*here); i++) {
        desk->account.endpoint = here[i];
        desk_open_well(desk);
        tt_provider_close(desk->provider);
    }
    desk->provider = NULL;
}

/* The token is as good as the login; what is no URL of ours goes nowhere. */
static void test_a_service_over_plain_http_is_refused(void **state)
{
    static const char *const elsewhere[] = {"http://net.example", "HTTP://net.example",
                                            "net.example:9696", "ftp://net.example"};
    struct desk *desk = *state;

    for (size_t i = 0; i < sizeof(elsewhere) / sizeof(*elsewhere); i++) {
        desk->count = 0;
        desk_set(desk, "POST /v3/auth/tokens", 201,
                 tt_printf(&desk->arena,
                           "{\"token\": {\"expires_at\": \"2026-11-23T05:00:00Z\", \"catalog\": "
                           "[{\"type\": \"network\", \"endpoints\": [{\"interface\": \"public\", "
                           "\"region_id\": \"north\", \"url\": \"%s\"}]}]}}",
                           elsewhere[i]));
        desk->answers[desk->count - 1].answer.headers = "X-Subject-Token: t\r\n";
        desk_open_well(desk);
        desk_failed(desk, desk_look(desk, NULL), TT_ERR_SPEC,
                    tt_printf(&desk->arena, "the network service at %s", elsewhere[i]));
        tt_provider_close(desk->provider);
    }
    desk->provider = NULL;
}

/* A proxy would read what is let through because it stays on this host. */
static void test_this_host_is_asked_past_any_proxy(void **state)
{
    struct desk *desk = *state;

    desk_keystone(desk, "2026-11-23T05:00:00Z");
    desk_nova(desk, "2.90");
    desk_no_servers(desk);
    desk_open_well(desk);
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("no_proxy", "", 1);
    assert_int_equal(desk_look(desk, NULL), 0);
    unsetenv("http_proxy");
    unsetenv("no_proxy");
}

/* A host's name says nothing of the version of its service. */
static void test_a_host_that_is_called_like_a_version(void **state)
{
    struct desk *desk = *state;
    TT_BUF_AUTO text = {0};
    const char *from, *at;

    setenv("DESK_ALLOW_HTTP", "true", 1);
    setenv("no_proxy", "*", 1);
    desk_keystone(desk, "2026-11-23T05:00:00Z");
    from = desk->answers[0].answer.body;
    for (; (at = strstr(from, "127.0.0.1")); from = at + strlen("127.0.0.1"))
        tt_buf_addf(&text, "%.*sv2.localhost", (int)(at - from), from);
    tt_buf_add(&text, from);
    desk->answers[0].answer.body = tt_strdup(&desk->arena, tt_buf_text(&text));
    desk_nova(desk, "2.90");
    desk_no_servers(desk);
    desk_open_well(desk);
    if (desk_look(desk, NULL) < 0)
        fail_msg("%s", desk->err.message);
    assert_true(desk_was_asked(desk, "GET /neutron/v2.0/networks"));
    unsetenv("DESK_ALLOW_HTTP");
    unsetenv("no_proxy");
}

/* --- OS_ -------------------------------------------------------------------------------------- */

static void test_the_usual_variables(void **state)
{
    struct desk *desk = *state;

    desk->account.credentials_env = NULL;
    setenv("OS_TOKEN", "hush", 1);
    setenv("OS_PROJECT_ID", "p1", 1);
    setenv("OS_ENDPOINT_TYPE", "publicURL", 1);
    desk_keystone(desk, "2026-11-23T05:00:00Z");
    desk_nova(desk, "2.90");
    desk_no_servers(desk);
    desk_open_well(desk);
    unsetenv("OS_TOKEN");
    unsetenv("OS_PROJECT_ID");
    unsetenv("OS_ENDPOINT_TYPE");
    assert_int_equal(desk_look(desk, NULL), 0);
    assert_true(desk_was_asked(desk,
                               "{\"auth\":{\"identity\":{\"methods\":[\"token\"],\"token\":{"
                               "\"id\":\"hush\"}},\"scope\":{\"project\":{\"id\":\"p1\"}}}}"));
}

static void test_a_cloud_by_its_variable(void **state)
{
    struct desk *desk = *state;

    write_file(desk, "clouds.yaml",
               "clouds:\n"
               "  a: {auth: {token: t}}\n"
               "  b: {auth_type: v3oidcpassword, auth: {token: t}}\n");
    desk->account.credentials_file = NULL;
    setenv("OS_CLIENT_CONFIG_FILE", tt_printf(&desk->arena, "%s/clouds.yaml", desk->folder), 1);
    setenv("OS_CLOUD", "b", 1);
    desk_failed(desk, desk_open(desk), TT_ERR_SPEC, "auth_type v3oidcpassword is not spoken");
    setenv("OS_CLOUD", "a", 1);
    desk_open_well(desk);
    unsetenv("OS_CLOUD");
    unsetenv("OS_CLIENT_CONFIG_FILE");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, desk_begin, desk_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_password_is_sent_with_its_project),
        TEST(test_an_application_credential_of_clouds_yaml),
        TEST(test_clouds_yaml_that_does_not_do),
        TEST(test_a_login_that_is_refused),
        TEST(test_a_region_that_the_catalog_does_not_have),
        TEST(test_an_old_nova_is_refused),
        TEST(test_a_login_over_plain_http_is_refused),
        TEST(test_a_service_over_plain_http_is_refused),
        TEST(test_this_host_is_asked_past_any_proxy),
        TEST(test_a_host_that_is_called_like_a_version),
        TEST(test_the_usual_variables),
        TEST(test_a_cloud_by_its_variable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
