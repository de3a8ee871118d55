/*
 * Webhooks: a row for each forge's headers, then its payload.
 */
#include "serve/webhook.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>

#include "base/str.h"
#include "model/json.h"

#define LONGEST_SECRET_AGE INT64_C(300000) /* of a GitLab timestamp, either way */
#define LONGEST_ID         200

struct forge {
    const char *signature; /* header of hexadecimal digits */
    const char *older;     /* the header that counts when that one is not sent; NULL: none */
    bool prefixed;         /* "sha256=" stands before the digits */
    const char *event, *push, *ping; /* NULL: none */
    const char *id;
};

static const struct forge forges[] = {
    [TT_WEBHOOK_GENERIC] = {"X-Signature", NULL, true, NULL, NULL, NULL, "X-Delivery"},
    [TT_WEBHOOK_GITHUB] = {"X-Hub-Signature-256", NULL, true, "X-GitHub-Event", "push", "ping",
                           "X-GitHub-Delivery"},
    [TT_WEBHOOK_GITLAB] = {NULL, NULL, false, "X-Gitlab-Event", "Push Hook", NULL,
                           "X-Gitlab-Event-UUID"},
    [TT_WEBHOOK_GITEA] = {"X-Gitea-Signature", NULL, false, "X-Gitea-Event", "push", NULL,
                          "X-Gitea-Delivery"},
    [TT_WEBHOOK_FORGEJO] = {"X-Forgejo-Signature", "X-Gitea-Signature", false, "X-Gitea-Event",
                            "push", NULL, "X-Gitea-Delivery"},
    [TT_WEBHOOK_BITBUCKET] = {"X-Hub-Signature", NULL, true, "X-Event-Key", "repo:push", NULL,
                              "X-Request-UUID"},
    [TT_WEBHOOK_BITBUCKET_DC] = {"X-Hub-Signature", NULL, true, "X-Event-Key", "repo:refs_changed",
                                 "diagnostics:ping", "X-Request-Id"},
};

static const char *header(const struct tt_delivery *delivery, const char *name)
{
    return name ? delivery->header(delivery->request, name) : NULL;
}

/* --- who sends it ------------------------------------------------------------------------------
 */

static bool is_signed(const struct forge *forge, const char *secret,
                      const struct tt_delivery *delivery)
{
    const char *signature = header(delivery, forge->signature);
    unsigned char digest[32];

    if (!signature)
        signature = header(delivery, forge->older);
    if (!signature || (forge->prefixed && !tt_starts_with(signature, "sha256=")))
        return false;
    tt_webhook_hmac(secret, strlen(secret), delivery->body, delivery->size, digest);
    return tt_webhook_is_hex(signature + (forge->prefixed ? strlen("sha256=") : 0), digest);
}

/* GitLab's plain token: digests are compared, so that not even its length shows. */
static bool has_token(const char *secret, const struct tt_delivery *delivery)
{
    const char *token = header(delivery, "X-Gitlab-Token");
    unsigned char ours[32], theirs[32];

    if (!token || !*token)
        return false;
    tt_webhook_hmac("token", 5, secret, strlen(secret), ours);
    tt_webhook_hmac("token", 5, token, strlen(token), theirs);
    return CRYPTO_memcmp(ours, theirs, sizeof(ours)) == 0;
}

static bool is_fresh(const char *timestamp, tt_time now)
{
    char *end;
    long long seconds = strtoll(timestamp, &end, 10);

    return end != timestamp && !*end && seconds > 0 && seconds < INT64_C(1) << 40 &&
           llabs((long long)(now - seconds * 1000)) <= LONGEST_SECRET_AGE;
}

/* GitLab's signed form: "v1,BASE64", several of them with blanks between. */
static bool is_signed_by_gitlab(struct tt_arena *arena, const char *secret,
                                const struct tt_delivery *delivery, tt_time now)
{
    const char *id = header(delivery, "webhook-id"), *at = header(delivery, "webhook-timestamp");
    const char *list = header(delivery, "webhook-signature");
    unsigned char digest[32], *key;
    TT_BUF_AUTO text = {0};
    size_t size = 0;
    bool found = false;

    if (!id || !at || !is_fresh(at, now) || !tt_starts_with(secret, "whsec_"))
        return false;
    secret += strlen("whsec_");
    key = tt_webhook_base64(arena, secret, strlen(secret), &size);
    if (!key)
        return false;
    tt_buf_addf(&text, "%s.%s.", id, at);
    tt_buf_addn(&text, delivery->body, delivery->size);
    tt_webhook_hmac(key, size, text.data, text.length, digest);
    while (*list) {
        size_t length = strcspn(list, " ");

        if (length > 3 && strncmp(list, "v1,", 3) == 0) {
            unsigned char *theirs = tt_webhook_base64(arena, list + 3, length - 3, &size);

            found |= theirs && size == 32 && CRYPTO_memcmp(theirs, digest, 32) == 0;
        }
        list += length;
        list += strspn(list, " ");
    }
    return found;
}

static bool is_authentic(struct tt_arena *arena, enum tt_webhook_form form, const char *secret,
                         const struct tt_delivery *delivery, tt_time now)
{
    if (!*secret)
        return false;
    if (form != TT_WEBHOOK_GITLAB)
        return is_signed(&forges[form], secret, delivery);
    if (header(delivery, "webhook-signature")) /* then the token does not count */
        return is_signed_by_gitlab(arena, secret, delivery, now);
    return has_token(secret, delivery);
}

/* --- what it tells -----------------------------------------------------------------------------
 */

static bool is_branch(const char *reference, const char *branch)
{
    return reference && tt_starts_with(reference, "refs/heads/") &&
           strcmp(reference + strlen("refs/heads/"), branch) == 0;
}

static bool is_zero(const char *id)
{
    return id && *id && strspn(id, "0") == strlen(id);
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* push.changes[].new.{type,name} or changes[].{refId,type}; a deletion tells of no commit. */
static bool changes_branch(enum tt_webhook_form form, const json_t *root, const char *branch)
{
    bool cloud = form == TT_WEBHOOK_BITBUCKET;
    const json_t *changes =
        json_object_get(cloud ? json_object_get(root, "push") : root, "changes");
    const json_t *change;
    size_t i;

    json_array_foreach (changes, i, change) {
        const json_t *to = json_object_get(change, "new");

        if (cloud ? tt_streq(text_of(to, "type"), "branch") && tt_streq(text_of(to, "name"), branch)
                  : is_branch(text_of(change, "refId"), branch) &&
                        !tt_streq(text_of(change, "type"), "DELETE"))
            return true;
    }
    return false;
}

static bool tells_of(enum tt_webhook_form form, const json_t *root, const char *branch)
{
    if (form == TT_WEBHOOK_BITBUCKET || form == TT_WEBHOOK_BITBUCKET_DC)
        return changes_branch(form, root, branch);
    if (form == TT_WEBHOOK_GENERIC && !text_of(root, "ref"))
        return true;
    return is_branch(text_of(root, "ref"), branch) && !is_zero(text_of(root, "after")) &&
           !json_is_true(json_object_get(root, "deleted"));
}

static bool is_json(const char *type)
{
    size_t length = strlen("application/json");

    return type && strncasecmp(type, "application/json", length) == 0 &&
           (!type[length] || type[length] == ';' || type[length] == ' ');
}

static void answer(struct tt_webhook_verdict *verdict, int status, const char *text)
{
    verdict->status = status;
    verdict->answer = text;
}

static void judge_payload(enum tt_webhook_form form, const char *branch,
                          const struct tt_delivery *delivery, struct tt_webhook_verdict *verdict)
{
    json_t *root = json_loadb(delivery->body, delivery->size, JSON_REJECT_DUPLICATES, NULL);

    if (!json_is_object(root)) {
        answer(verdict, 400, "the body is not a JSON object");
    } else if (tells_of(form, root, branch)) {
        answer(verdict, 202, "the repository is fetched");
        verdict->look = true;
    } else {
        answer(verdict, 200, "that branch is not followed");
    }
    json_decref(root);
}

void tt_webhook_judge(struct tt_arena *arena, enum tt_webhook_form form, const char *secret,
                      const char *branch, const struct tt_delivery *delivery, tt_time now,
                      struct tt_webhook_verdict *ret_verdict)
{
    const struct forge *forge = &forges[form];
    const char *event = header(delivery, forge->event), *id = header(delivery, forge->id);

    *ret_verdict = (struct tt_webhook_verdict){0};
    if (form == TT_WEBHOOK_GITLAB && header(delivery, "webhook-id"))
        id = header(delivery, "webhook-id");
    if (id && *id)
        ret_verdict->id = tt_strndup(arena, id, strnlen(id, LONGEST_ID));
    if (delivery->size > TT_WEBHOOK_LARGEST)
        answer(ret_verdict, 413, "a delivery has at most 1 MiB");
    else if (!is_authentic(arena, form, secret, delivery, now))
        answer(ret_verdict, 401, "the signature is missing or wrong");
    else if (forge->event && tt_streq(event, forge->ping))
        answer(ret_verdict, 200, "the signature is right");
    else if (forge->event && !tt_streq(event, forge->push))
        answer(ret_verdict, 200, "only pushes count");
    else if (!is_json(header(delivery, "Content-Type")))
        answer(ret_verdict, 415, "send application/json");
    else
        judge_payload(form, branch, delivery, ret_verdict);
}
