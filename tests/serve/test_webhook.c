/*
 * Covers serve/webhook.c, webhook_sign.c and the memory of deliver.c: the forges' published
 * vectors, each form's headers and payloads, wrong, empty and old signatures, rate and repetition.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "base/str.h"
#include "serve/deliver.h"
#include "serve/webhook.h"

#define SECRET "It's a Secret to Everybody"
#define NOW    INT64_C(1700000000000)

struct headers {
    const char *pairs[16]; /* name, value, ...; NULL ends them */
};

static const char *find_header(void *self, const char *name)
{
    const struct headers *headers = self;

    for (int i = 0; i + 1 < 16 && headers->pairs[i]; i += 2)
        if (strcasecmp(headers->pairs[i], name) == 0)
            return headers->pairs[i + 1];
    return NULL;
}

static struct tt_arena arena;

static int set_up(void **state)
{
    (void)state;
    tt_arena_init(&arena);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tt_arena_release(&arena);
    return 0;
}

static const char *sign(const char *body)
{
    unsigned char digest[32];

    tt_webhook_hmac(SECRET, strlen(SECRET), body, strlen(body), digest);
    return tt_webhook_hex(&arena, digest);
}

static struct tt_webhook_verdict judge_with(enum tt_webhook_form form, const char *secret,
                                            const struct headers *headers, const char *body)
{
    struct headers copy = *headers;
    struct tt_delivery delivery = {"fleet", "127.0.0.1", find_header, &copy, body, strlen(body)};
    struct tt_webhook_verdict verdict;

    tt_webhook_judge(&arena, form, secret, "main", &delivery, NOW, &verdict);
    return verdict;
}

static int judge(enum tt_webhook_form form, const struct headers *headers, const char *body)
{
    struct tt_webhook_verdict verdict = judge_with(form, SECRET, headers, body);

    assert_true(verdict.look == (verdict.status == 202));
    assert_non_null(verdict.answer);
    return verdict.status;
}

static void published_vectors(void **state)
{
    unsigned char digest[32];

    (void)state;
    tt_webhook_hmac(SECRET, strlen(SECRET), "Hello, World!", 13, digest);
    assert_true(tt_webhook_is_hex(
        "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17", digest));
    tt_webhook_hmac(SECRET, strlen(SECRET), "Hello World!", 12, digest);
    assert_true(tt_webhook_is_hex(
        "A4771C39FBE90F317C7824E83DDEF3CAAE9CB3D976C214ACE1F2937E133263C9", digest));
    assert_false(tt_webhook_is_hex(
        "a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c8", digest));
    assert_false(tt_webhook_is_hex("", digest));
    assert_false(tt_webhook_is_hex("a4", digest));
}

#define PUSH   "{\"ref\":\"refs/heads/main\",\"after\":\"abc\",\"deleted\":false}"
#define OTHER  "{\"ref\":\"refs/heads/wip\",\"after\":\"abc\"}"
#define DELETE "{\"ref\":\"refs/heads/main\",\"after\":\"0000000000\"}"
#define JSON   "Content-Type", "application/json"

static void forms_of_github(void **state)
{
    const char *good = tt_printf(&arena, "sha256=%s", sign(PUSH));
    const char *id = "X-GitHub-Delivery", *event = "X-GitHub-Event", *name = "X-Hub-Signature-256";
    struct headers push = {{JSON, event, "push", name, good, id, "d1"}};
    struct tt_webhook_verdict verdict = judge_with(TT_WEBHOOK_GITHUB, SECRET, &push, PUSH);

    (void)state;
    assert_int_equal(verdict.status, 202);
    assert_string_equal(verdict.id, "d1");
    assert_int_equal(judge(TT_WEBHOOK_GITHUB, &push, OTHER), 401); /* another body's signature */
    push.pairs[5] = tt_printf(&arena, "sha256=%s", sign(OTHER));
    assert_int_equal(judge(TT_WEBHOOK_GITHUB, &push, OTHER), 200);
    push.pairs[5] = tt_printf(&arena, "sha256=%s", sign(DELETE));
    assert_int_equal(judge(TT_WEBHOOK_GITHUB, &push, DELETE), 200);
    push.pairs[5] = tt_printf(&arena, "sha256=%s", sign("[1]"));
    assert_int_equal(judge(TT_WEBHOOK_GITHUB, &push, "[1]"), 400);
    push.pairs[5] = sign(PUSH); /* without its prefix */
    assert_int_equal(judge(TT_WEBHOOK_GITHUB, &push, PUSH), 401);
    push.pairs[5] = "";
    assert_int_equal(judge(TT_WEBHOOK_GITHUB, &push, PUSH), 401);
    push.pairs[5] = good;
    push.pairs[1] = "application/x-www-form-urlencoded";
    assert_int_equal(judge(TT_WEBHOOK_GITHUB, &push, PUSH), 415);
    push.pairs[3] = "issues";
    assert_int_equal(judge(TT_WEBHOOK_GITHUB, &push, PUSH), 200);
    push.pairs[3] = "ping";
    assert_int_equal(judge(TT_WEBHOOK_GITHUB, &push, PUSH), 200);
    assert_int_equal(judge_with(TT_WEBHOOK_GITHUB, "", &push, PUSH).status, 401);
    /* the older header does not count */
    assert_int_equal(judge(TT_WEBHOOK_GITHUB,
                           &(struct headers){{JSON, event, "push", "X-Hub-Signature", good}}, PUSH),
                     401);
}

static void forms_of_gitea_and_forgejo(void **state)
{
    struct headers push = {
        {JSON, "X-Gitea-Event", "push", "X-Gitea-Signature", sign(PUSH), "X-GitHub-Event", "push"}};

    (void)state;
    assert_int_equal(judge(TT_WEBHOOK_GITEA, &push, PUSH), 202);
    assert_int_equal(judge(TT_WEBHOOK_FORGEJO, &push, PUSH), 202);
    push.pairs[8] = "X-Forgejo-Signature"; /* sent, and empty: the other one does not count */
    push.pairs[9] = "";
    assert_int_equal(judge(TT_WEBHOOK_FORGEJO, &push, PUSH), 401);
    push.pairs[9] = sign(PUSH);
    assert_int_equal(judge(TT_WEBHOOK_FORGEJO, &push, PUSH), 202);
    push.pairs[5] = "";
    assert_int_equal(judge(TT_WEBHOOK_GITEA, &push, PUSH), 401);
}

static void forms_of_gitlab(void **state)
{
    struct headers push = {{JSON, "X-Gitlab-Event", "Push Hook", "X-Gitlab-Token", SECRET}};
    const char *key = "c2VjcmV0IGtleQ=="; /* "secret key" */
    const char *secret = tt_printf(&arena, "whsec_%s", key);
    const char *text = tt_printf(&arena, "m1.%d.%s", 1700000000, PUSH);
    unsigned char digest[32];
    char signature[128] = "v1,";
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    int length = 3;

    (void)state;
    assert_int_equal(judge(TT_WEBHOOK_GITLAB, &push, PUSH), 202);
    push.pairs[5] = SECRET "!";
    assert_int_equal(judge(TT_WEBHOOK_GITLAB, &push, PUSH), 401);
    push.pairs[5] = "";
    assert_int_equal(judge(TT_WEBHOOK_GITLAB, &push, PUSH), 401);

    tt_webhook_hmac("secret key", 10, text, strlen(text), digest);
    for (int i = 0; i < 33; i += 3) {
        unsigned bits = (unsigned)digest[i] << 16 |
                        (unsigned)(i + 1 < 32 ? digest[i + 1] : 0) << 8 |
                        (unsigned)(i + 2 < 32 ? digest[i + 2] : 0);

        for (int j = 3; j >= 0; j--)
            signature[length++] = i + 2 >= 32 && j == 0 ? '=' : alphabet[bits >> (6 * j) & 63];
    }
    push = (struct headers){{JSON, "X-Gitlab-Event", "Push Hook", "X-Gitlab-Token", secret,
                             "webhook-id", "m1", "webhook-timestamp", "1700000000",
                             "webhook-signature", tt_printf(&arena, "v1,AAAA %s", signature)}};
    assert_int_equal(judge_with(TT_WEBHOOK_GITLAB, secret, &push, PUSH).status, 202);
    push.pairs[9] = "1699999000"; /* too old, and not what was signed */
    assert_int_equal(judge_with(TT_WEBHOOK_GITLAB, secret, &push, PUSH).status, 401);
    push.pairs[9] = "1700000000";
    push.pairs[11] = "v1,AAAA"; /* the token is right, and does not count */
    assert_int_equal(judge_with(TT_WEBHOOK_GITLAB, secret, &push, PUSH).status, 401);
    push.pairs[11] = "";
    assert_int_equal(judge_with(TT_WEBHOOK_GITLAB, secret, &push, PUSH).status, 401);
}

static int bitbucket(enum tt_webhook_form form, const char *event, const char *body)
{
    return judge(form,
                 &(struct headers){{JSON, "X-Event-Key", event, "X-Hub-Signature",
                                    tt_printf(&arena, "sha256=%s", sign(body))}},
                 body);
}

static void forms_of_bitbucket(void **state)
{
    const char *two = "{\"push\":{\"changes\":[{\"new\":null},{\"new\":{\"type\":\"branch\","
                      "\"name\":\"main\",\"target\":{\"hash\":\"a\"}}}]}}";
    const char *tag = "{\"push\":{\"changes\":[{\"new\":{\"type\":\"tag\",\"name\":\"main\"}}]}}";
    const char *update = "{\"changes\":[{\"refId\":\"refs/heads/main\",\"type\":\"UPDATE\"}]}";
    const char *delete = "{\"changes\":[{\"refId\":\"refs/heads/main\",\"type\":\"DELETE\"}]}";

    (void)state;
    assert_int_equal(bitbucket(TT_WEBHOOK_BITBUCKET, "repo:push", two), 202);
    assert_int_equal(bitbucket(TT_WEBHOOK_BITBUCKET, "repo:push", tag), 200);
    assert_int_equal(bitbucket(TT_WEBHOOK_BITBUCKET, "repo:fork", two), 200);
    assert_int_equal(bitbucket(TT_WEBHOOK_BITBUCKET, "repo:push", "{\"push\":3}"), 200);
    assert_int_equal(bitbucket(TT_WEBHOOK_BITBUCKET_DC, "repo:refs_changed", update), 202);
    assert_int_equal(bitbucket(TT_WEBHOOK_BITBUCKET_DC, "repo:refs_changed", delete), 200);
    assert_int_equal(bitbucket(TT_WEBHOOK_BITBUCKET_DC, "diagnostics:ping", "{}"), 200);
}

static void generic_form_and_size(void **state)
{
    struct headers push = {{JSON, "X-Signature", tt_printf(&arena, "sha256=%s", sign("{}"))}};
    struct tt_delivery large = {"fleet", "::1", find_header, &push, "", TT_WEBHOOK_LARGEST + 1};
    struct tt_webhook_verdict verdict;

    (void)state;
    assert_int_equal(judge(TT_WEBHOOK_GENERIC, &push, "{}"), 202);
    tt_webhook_judge(&arena, TT_WEBHOOK_GENERIC, SECRET, "main", &large, NOW, &verdict);
    assert_int_equal(verdict.status, 413);
}

static void rate_and_repetition(void **state)
{
    struct tt_deliveries *deliveries = TT_NEW(&arena, struct tt_deliveries);
    char text[32];

    (void)state;
    for (int i = 0; i < TT_PER_MINUTE; i++)
        assert_true(tt_deliveries_allow(deliveries, "10.0.0.1", NOW));
    assert_false(tt_deliveries_allow(deliveries, "10.0.0.1", NOW + 59999));
    assert_true(tt_deliveries_allow(deliveries, "10.0.0.2", NOW));
    assert_true(tt_deliveries_allow(deliveries, "10.0.0.1", NOW + 60000));

    assert_false(tt_deliveries_seen(deliveries, "fleet", "a"));
    assert_true(tt_deliveries_seen(deliveries, "fleet", "a"));
    assert_false(tt_deliveries_seen(deliveries, "other", "a"));
    for (int i = 0; i < TT_DELIVERIES_KEPT; i++) {
        snprintf(text, sizeof(text), "%d", i);
        assert_false(tt_deliveries_seen(deliveries, "fleet", text));
        snprintf(text, sizeof(text), "10.1.%d.%d", i / 256, i % 256);
        assert_true(tt_deliveries_allow(deliveries, text, NOW + 60001));
    }
    assert_true(tt_deliveries_seen(deliveries, "fleet", "1023"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vectors),   cmocka_unit_test(forms_of_github),
        cmocka_unit_test(forms_of_gitlab),     cmocka_unit_test(forms_of_gitea_and_forgejo),
        cmocka_unit_test(forms_of_bitbucket),  cmocka_unit_test(generic_form_and_size),
        cmocka_unit_test(rate_and_repetition),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
