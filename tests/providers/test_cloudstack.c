/*
 * The parts of `cloudstack` that need no cloud: signatures, names, keys, and what errors mean.
 * Covers providers/cloudstack/sign.c, names.c, credentials.c, errors.c.
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
#include "providers/cloudstack/cloud.h"
#include "providers/cloudstack/errors.h"
#include "providers/cloudstack/names.h"

/* --- signatures ------------------------------------------------------------------------------ */

/* The example of CloudStack's developer's guide. */
static void test_signature_of_the_documentation(void **state)
{
    struct tt_arena arena = {0};
    struct tt_cloudstack_parameters parameters = {0};
    const char *body;

    (void)state;
    tt_cloudstack_add(&arena, &parameters, "response", "json");
    tt_cloudstack_add(&arena, &parameters, "command", "listUsers");
    tt_cloudstack_add(&arena, &parameters, "apikey",
                      "plgWJfZK4gyS3mOMTVmjUVg-X-jlWlnfaUJ9GAbBbf9EdM-kAYMmAiLqzzq1ElZLYq_u38zCm0"
                      "bewzGUdP66mg");
    assert_int_equal(tt_cloudstack_sign(
                         &arena, &parameters,
                         "VDaACYb0LV9eNjTetIOElcVQkvJck_J_QljX_FcHRj87ZKiy0z0ty0ZsYBkoXkY9b7eq1Ehw"
                         "Jaw7FF3akA3KBQ",
                         &body, NULL),
                     0);
    assert_non_null(strstr(body, "&signature=TTpdDq%2F7j%2FJ58XCRHomKoQXEQds%3D"));
    assert_true(tt_starts_with(body, "apikey=plgWJfZK4gyS3mOMTVmjUVg-"));
    tt_arena_release(&arena);
}

static void test_names_stay_and_values_are_encoded(void **state)
{
    struct tt_arena arena = {0};
    struct tt_cloudstack_parameters parameters = {0};
    const char *body;

    (void)state;
    tt_cloudstack_add(&arena, &parameters, "tags[0].value", "a b*~/\xc3\xa9+&=");
    tt_cloudstack_add(&arena, &parameters, "name", NULL);
    tt_cloudstack_add(&arena, &parameters, "tags[0].key", "k");
    assert_int_equal(tt_cloudstack_sign(&arena, &parameters, "s", &body, NULL), 0);
    assert_true(
        tt_starts_with(body, "tags[0].key=k&tags[0].value=a%20b*%7E%2F%C3%A9%2B%26%3D&signature="));
    tt_arena_release(&arena);
}

/* --- names ----------------------------------------------------------------------------------- */

static void test_names_are_read_back(void **state)
{
    static const struct tt_tags all[] = {
        {.deployment = "store-front",
         .service = "web-api",
         .slot = 12,
         .spec = "0123456789abcdef",
         .incarnation = "9f86d081"},
        {.deployment = "s", .service = "w", .slot = 0, .incarnation = "0"},
        {.deployment = "3store", .balancer = "edge-2", .slot = 0, .incarnation = "884c"},
        {.deployment = "a-deployment-with-a-name-that-is-as-long-as-names-of-labels-can-be-x",
         .service = "a-service-with-a-long-name-also",
         .slot = 1234,
         .spec = "fedcba9876543210",
         .incarnation = "9f86d081884c7d65"},
    };
    struct tt_arena arena = {0};
    char mark[9], others[9];

    (void)state;
    tt_cloudstack_owner_mark("acme", mark);
    tt_cloudstack_owner_mark("somebody-else", others);
    assert_int_equal(strlen(mark), 8);
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        const struct tt_tags *tags = &all[i];
        const char *display =
            tags->service
                ? tt_printf(&arena, "%s-%s-%d", tags->deployment, tags->service, tags->slot)
                : tt_printf(&arena, "%s-%s", tags->deployment, tags->balancer);
        const char *host = tt_cloudstack_host_name(&arena, display, tags, mark);
        struct tt_tags read;

        assert_true(strlen(host) <= 63);
        assert_true(host[0] >= 'a' && host[0] <= 'z');
        assert_true(tt_cloudstack_read_name(&arena, display, host, mark, "acme", &read));
        assert_string_equal(read.owner, "acme");
        assert_string_equal(read.deployment, tags->deployment);
        assert_true(tt_streq(read.service, tags->service));
        assert_true(tt_streq(read.balancer, tags->balancer));
        assert_int_equal(read.slot, tags->slot);
        assert_string_equal(read.incarnation, tags->incarnation);
        assert_true(tt_streq(read.spec, tags->spec));
        assert_false(tt_cloudstack_read_name(&arena, display, host, others, "acme", &read));
    }
    tt_arena_release(&arena);
}

static void test_names_of_others_are_not_read(void **state)
{
    static const char *const hosts[] = {"",
                                        "web",
                                        "web-1",
                                        "shop-web-1-s4-MARK-x-",
                                        "shop-web-1-s-MARK-x-1",
                                        "shop-web-1-s99-MARK-x-1",
                                        "shop-web-1-s3-MARK-x-1",
                                        "shop-web-1-x4-MARK-x-1",
                                        "shop-web-1-s4-12345678-x-1",
                                        "shop-web-1-s4-MARK-1",
                                        "s4-MARK-x-1-",
                                        "-MARK-x-1"};
    struct tt_arena arena = {0};
    struct tt_tags tags;
    char mark[9];

    (void)state;
    tt_cloudstack_owner_mark("acme", mark);
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        char host[80];
        const char *at = strstr(hosts[i], "MARK");

        snprintf(host, sizeof(host), "%.*s%s%s", at ? (int)(at - hosts[i]) : 80, hosts[i],
                 at ? mark : "", at ? at + 4 : "");
        if (tt_cloudstack_read_name(&arena, "shop-web-1", host, mark, "acme", &tags))
            fail_msg("read: %s", host);
    }
    assert_false(tt_cloudstack_read_name(&arena, NULL, "x", mark, "acme", &tags));
    assert_false(tt_cloudstack_read_name(&arena, "x", NULL, mark, "acme", &tags));
    tt_arena_release(&arena);
}

/* --- keys ------------------------------------------------------------------------------------ */

struct keyring {
    struct tt_arena arena;
    struct tt_account account;
    struct tt_cloudstack_keys keys;
    struct tt_error err;
    char folder[64];
};

static const char *const variables[] = {
    "CLOUDSTACK_API_KEY", "CLOUDSTACK_SECRET_KEY", "CLOUDSTACK_API_URL",
    "CLOUDSTACK_KEY",     "CLOUDSTACK_SECRET",     "CLOUDSTACK_ENDPOINT",
    "OTHER_API_KEY",      "OTHER_SECRET_KEY",      "OTHER_API_URL"};

static int begin(void **state)
{
    struct keyring *ring = calloc(1, sizeof(*ring));

    if (!ring)
        return -1;
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
        unsetenv(variables[i]);
    snprintf(ring->folder, sizeof(ring->folder), "/tmp/trimtab-cloudstack-XXXXXX");
    if (!mkdtemp(ring->folder))
        abort();
    setenv("HOME", ring->folder, 1);
    ring->account = (struct tt_account){.name = "dc1", .folder = ""};
    *state = ring;
    return 0;
}

static int end(void **state)
{
    struct keyring *ring = *state;

    tt_remove_tree(ring->folder, NULL);
    tt_arena_release(&ring->arena);
    free(ring);
    return 0;
}

static void keep(struct keyring *ring, const char *name, const char *text)
{
    const char *path = tt_printf(&ring->arena, "%s/%s", ring->folder, name);
    char *folder = tt_strdup(&ring->arena, path);

    *strrchr(folder, '/') = '\0';
    assert_int_equal(tt_make_folders(folder, 0700, NULL), 0);
    assert_int_equal(tt_file_write(path, text, strlen(text), 0600, NULL), 0);
}

static int find(struct keyring *ring)
{
    struct tt_provider_settings settings = {.account = &ring->account, .base_folder = ring->folder};

    ring->err = (struct tt_error){0};
    ring->keys = (struct tt_cloudstack_keys){0};
    return tt_cloudstack_find_keys(&settings, &ring->arena, &ring->keys, &ring->err);
}

static void finds(struct keyring *ring, const char *endpoint, const char *key, const char *secret)
{
    if (find(ring) < 0)
        fail_msg("%s", ring->err.message);
    assert_string_equal(ring->keys.endpoint, endpoint);
    assert_string_equal(ring->keys.api_key, key);
    assert_string_equal(ring->keys.secret_key, secret);
}

static void refuses(struct keyring *ring, enum tt_error_class class, const char *why)
{
    assert_int_equal(find(ring), -1);
    assert_int_equal(ring->err.class, class);
    if (!strstr(ring->err.message, why))
        fail_msg("not \"%s\": %s", why, ring->err.message);
    assert_null(strstr(ring->err.message, "hush"));
}

static const char cmk[] = "prompt = 🐵\n"
                          "asyncblock = true\n"
                          "timeout = 1800\n"
                          "output = json\n"
                          "profile = prod\n\n"
                          "[localcloud]\n"
                          "url = http://localhost:8080/client/api\n"
                          "username = admin\n"
                          "apikey = local\n"
                          "secretkey = hush-local\n\n"
                          "[prod]\n"
                          "url = https://cloud.example.com/client/api\n"
                          "apikey = AK+/=\n"
                          "secretkey = hush;prod\n";

static void test_profiles_of_cloudmonkey(void **state)
{
    struct keyring *ring = *state;

    refuses(ring, TT_ERR_SPEC, "CLOUDSTACK_API_KEY");
    ring->account.profile = "prod";
    refuses(ring, TT_ERR_NOT_FOUND, "~/.cmk/config");
    keep(ring, ".cmk/config", cmk);
    finds(ring, "https://cloud.example.com/client/api", "AK+/=", "hush;prod");
    ring->account.profile = "localcloud";
    finds(ring, "http://localhost:8080/client/api", "local", "hush-local");
    ring->account.profile = "none";
    refuses(ring, TT_ERR_NOT_FOUND, "no section none");
    ring->account.profile = NULL;
    finds(ring, "https://cloud.example.com/client/api", "AK+/=", "hush;prod");
}

static void test_the_accounts_endpoint_comes_first(void **state)
{
    struct keyring *ring = *state;

    keep(ring, ".cmk/config", cmk);
    ring->account.profile = "prod";
    ring->account.endpoint = "https://other.example.com/client/api";
    finds(ring, "https://other.example.com/client/api", "AK+/=", "hush;prod");
    ring->account.endpoint = "ftp://other.example.com";
    refuses(ring, TT_ERR_SPEC, "no http or https URL");
}

static void test_a_file_beside_the_specs(void **state)
{
    struct keyring *ring = *state;

    ring->account.folder = "fleet";
    ring->account.credentials_file = "dc1.ini";
    refuses(ring, TT_ERR_NOT_FOUND, "fleet/dc1.ini");
    keep(ring, "fleet/dc1.ini",
         "[cloudstack]\nendpoint = https://dc1.example.com/client/api\nkey = k\nsecret = hush\n");
    finds(ring, "https://dc1.example.com/client/api", "k", "hush");
    keep(ring, "fleet/dc1.ini", "[cloudstack]\nkey = k\nhush\n");
    refuses(ring, TT_ERR_SPEC, "dc1.ini:3");
    keep(ring, "fleet/dc1.ini", "[cloudstack]\nkey = k\n");
    refuses(ring, TT_ERR_SPEC, "gives no secret key");
    keep(ring, "fleet/dc1.ini", "[cloudstack]\nkey = k\nsecret = hush\n");
    refuses(ring, TT_ERR_SPEC, "names no endpoint");
    keep(ring, "fleet/dc1.ini", "# nothing\n");
    refuses(ring, TT_ERR_NOT_FOUND, "no section");
}

static void test_the_environment(void **state)
{
    struct keyring *ring = *state;

    setenv("CLOUDSTACK_ENDPOINT", "https://env.example.com/client/api", 1);
    setenv("CLOUDSTACK_KEY", "k", 1);
    setenv("CLOUDSTACK_SECRET", "hush", 1);
    finds(ring, "https://env.example.com/client/api", "k", "hush");
    setenv("OTHER_API_URL", "http://other.example.com/client/api", 1);
    setenv("OTHER_API_KEY", "other", 1);
    ring->account.credentials_env = "OTHER";
    refuses(ring, TT_ERR_SPEC, "OTHER_API_KEY");
    setenv("OTHER_SECRET_KEY", "hush", 1);
    finds(ring, "http://other.example.com/client/api", "other", "hush");
}

/* --- errors ---------------------------------------------------------------------------------- */

static void test_what_codes_mean(void **state)
{
    static const struct {
        enum tt_cloudstack_asked asked;
        int code;
        const char *text;
        enum tt_error_class class;
    } rows[] = {
        {TT_CLOUDSTACK_QUESTION, 401, "unable to verify user credentials", TT_ERR_DENIED},
        {TT_CLOUDSTACK_COMMAND, 429, "The given user has reached his rate limit", TT_ERR_THROTTLED},
        {TT_CLOUDSTACK_COMMAND, 431, "Page size can not exceed max", TT_ERR_SPEC},
        {TT_CLOUDSTACK_COMMAND, 431, "... or entity does not exist or ...", TT_ERR_NOT_FOUND},
        {TT_CLOUDSTACK_COMMAND, 431, "Unable to find the rule", TT_ERR_NOT_FOUND},
        {TT_CLOUDSTACK_COMMAND, 432, "no such command", TT_ERR_UNSUPPORTED},
        {TT_CLOUDSTACK_QUESTION, 530, "Internal error", TT_ERR_UNAVAILABLE},
        {TT_CLOUDSTACK_COMMAND, 530, "Internal error", TT_ERR_TIMEOUT},
        {TT_CLOUDSTACK_JOB, 530, "Failed", TT_ERR_CONFLICT},
        {TT_CLOUDSTACK_COMMAND, 531, "Acct does not have permission to operate with resource",
         TT_ERR_DENIED},
        {TT_CLOUDSTACK_COMMAND, 531, "Resource limit exceeded", TT_ERR_DENIED},
        {TT_CLOUDSTACK_COMMAND, 531, "Too many requests", TT_ERR_THROTTLED},
        {TT_CLOUDSTACK_COMMAND, 532, "Maximum number of resources", TT_ERR_DENIED},
        {TT_CLOUDSTACK_JOB, 536, "in use", TT_ERR_CONFLICT},
        {TT_CLOUDSTACK_COMMAND, 537, "conflicts with rule", TT_ERR_CONFLICT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        json_t *body = json_pack("{s:s}", "errortext", rows[i].text);
        struct tt_error err = {0};
        char code[16];

        snprintf(code, sizeof(code), "%d", rows[i].code);
        assert_int_equal(tt_cloudstack_fail(&err, rows[i].asked, rows[i].code, body), -1);
        if (err.class != rows[i].class)
            fail_msg("%s (%s): %s", code, rows[i].text, tt_error_class_name(err.class));
        assert_string_equal(err.code, code);
        assert_non_null(strstr(err.message, rows[i].text));
        json_decref(body);
    }
}

static void test_no_room_has_its_own_code(void **state)
{
    struct tt_error err = {0};

    (void)state;
    assert_int_equal(tt_cloudstack_fail(&err, TT_CLOUDSTACK_JOB, 533, NULL), -1);
    assert_string_equal(err.code, "no-capacity");
    assert_int_equal(err.class, TT_ERR_CONFLICT);
    assert_non_null(strstr(err.message, "no reason given; the zone has no room for it now"));
    assert_int_equal(tt_cloudstack_fail(&err, TT_CLOUDSTACK_COMMAND, 535, NULL), -1);
    assert_string_equal(err.code, "no-capacity");
    assert_int_equal(tt_cloudstack_fail(NULL, TT_CLOUDSTACK_COMMAND, 535, NULL), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signature_of_the_documentation),
        cmocka_unit_test(test_names_stay_and_values_are_encoded),
        cmocka_unit_test(test_names_are_read_back),
        cmocka_unit_test(test_names_of_others_are_not_read),
        cmocka_unit_test_setup_teardown(test_profiles_of_cloudmonkey, begin, end),
        cmocka_unit_test_setup_teardown(test_the_accounts_endpoint_comes_first, begin, end),
        cmocka_unit_test_setup_teardown(test_a_file_beside_the_specs, begin, end),
        cmocka_unit_test_setup_teardown(test_the_environment, begin, end),
        cmocka_unit_test(test_what_codes_mean),
        cmocka_unit_test(test_no_room_has_its_own_code),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
