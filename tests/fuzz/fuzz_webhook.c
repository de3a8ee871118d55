/*
 * Fuzz target: deliveries of webhooks. The first byte chooses the form; the signature is right, so
 * that the body is read.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "serve/webhook.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *header_of(void *request, const char *name)
{
    static const char *const events[] = {"push", "Push Hook", "repo:push", "repo:refs_changed"};
    const char *const *headers = request;
    unsigned char form = (unsigned char)headers[0][0] % 8;

    if (name[strlen(name) - 1] == 'e' || strstr(name, "256"))
        return headers[1]; /* ...-Signature */
    if (strcmp(name, "X-Gitlab-Token") == 0)
        return "secret";
    if (!strstr(name, "Event") || strstr(name, "UUID"))
        return NULL;
    return form == TT_WEBHOOK_GITLAB         ? events[1]
           : form == TT_WEBHOOK_BITBUCKET    ? events[2]
           : form == TT_WEBHOOK_BITBUCKET_DC ? events[3]
                                             : events[0];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tt_arena arena = {0};
    struct tt_webhook_verdict verdict = {0};
    unsigned char digest[32];
    char chosen[2] = {size ? (char)data[0] : 0, '\0'};
    const char *headers[2] = {chosen, NULL};
    enum tt_webhook_form form = size ? (enum tt_webhook_form)(data[0] % 8) : TT_WEBHOOK_GENERIC;
    struct tt_delivery delivery = {.name = "fleet",
                                   .peer = "192.0.2.1",
                                   .header = header_of,
                                   .request = headers,
                                   .body = data + (size > 0),
                                   .size = size - (size > 0)};

    if (form == TT_WEBHOOK_NONE)
        form = TT_WEBHOOK_GENERIC;
    tt_webhook_hmac("secret", 6, delivery.body, delivery.size, digest);
    headers[1] = tt_printf(&arena, "%s%s",
                           form == TT_WEBHOOK_GITEA || form == TT_WEBHOOK_FORGEJO ? "" : "sha256=",
                           tt_webhook_hex(&arena, digest));
    tt_webhook_judge(&arena, form, "secret", "main", &delivery, 1, &verdict);
    if (verdict.status < 200 || !verdict.answer || verdict.look != (verdict.status == 202))
        abort();
    tt_arena_release(&arena);
    return 0;
}
