/*
 * Sending: a signed POST, a message to a Slack-compatible webhook, or a command that reads it.
 */
#include <string.h>

#include <curl/curl.h>

#include "base/str.h"
#include "serve/notify.h"
#include "serve/webhook.h"

#define CONNECT_MS 5000L
#define WHOLE_MS   15000L
#define COMMAND_S  60

static size_t drop(char *data, size_t size, size_t count, void *self)
{
    (void)data;
    (void)self;
    return size * count;
}

static int on_progress(void *self, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct tt_notifier *notifier = self;

    (void)a, (void)b, (void)c, (void)d;
    return atomic_load(&notifier->stop);
}

/* The answer's status; what curl says never shows the address, which may be a secret. */
static int judge(CURLcode result, long status, struct tt_error *err)
{
    if (result != CURLE_OK)
        return tt_fail(err, TT_ERR_UNAVAILABLE, "%s", curl_easy_strerror(result));
    if (status >= 200 && status < 300)
        return 0;
    return tt_fail(err,
                   status == 429   ? TT_ERR_THROTTLED
                   : status >= 500 ? TT_ERR_UNAVAILABLE
                                   : TT_ERR_DENIED,
                   "the target answers with %ld", status);
}

static struct curl_slist *headers_of(struct tt_arena *arena, const struct tt_notify_config *config,
                                     const char *secret, const char *body)
{
    bool slack = config->type == TT_NOTIFY_SLACK;
    struct curl_slist *list =
        curl_slist_append(NULL, slack ? "Content-Type: application/json"
                                      : "Content-Type: application/cloudevents+json");
    unsigned char digest[32];

    if (!secret)
        return list;
    tt_webhook_hmac(secret, strlen(secret), body, strlen(body), digest);
    return curl_slist_append(
        list, tt_printf(arena, "X-Signature: sha256=%s", tt_webhook_hex(arena, digest)));
}

static int post(struct tt_notifier *notifier, struct tt_arena *arena, const char *url,
                const char *secret, const char *body, struct tt_error *err)
{
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = headers_of(arena, notifier->config, secret, body);
    CURLcode result;
    long status = 0;

    if (!curl || !headers) {
        curl_easy_cleanup(curl);
        curl_slist_free_all(headers);
        return tt_fail(err, TT_ERR_INTERNAL, "libcurl does not start");
    }
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, WHOLE_MS);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "trimtab/" TT_VERSION);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, notifier);
    result = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(curl);
    curl_slist_free_all(headers);
    return judge(result, status, err);
}

static int run_command(struct tt_notifier *notifier, struct tt_arena *arena, const char *body,
                       struct tt_error *err)
{
    static const char *const environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin", NULL};
    const struct tt_strings *command = &notifier->config->command;
    const char **argv = TT_NEW_ARRAY(arena, command->count + 1, const char *);
    struct tt_runner_request request = {.program = command->items[0],
                                        .argv = argv,
                                        .environment = environment,
                                        .input = body,
                                        .input_size = strlen(body),
                                        .seconds = COMMAND_S};
    TT_BUF_AUTO errors = {0};
    int code = 0;

    memcpy(argv, command->items, command->count * sizeof(*argv));
    if (tt_runner_run(&notifier->runner, &request, &code, &errors, err) < 0)
        return -1;
    return code ? tt_fail(err, TT_ERR_UNAVAILABLE, "%s ended with %d", command->items[0], code) : 0;
}

int tt_notify_send(struct tt_notifier *notifier, struct tt_arena *arena, const char *body,
                   struct tt_error *err)
{
    const struct tt_notify_config *config = notifier->config;
    const char *url = config->url, *secret = NULL;

    if (config->type == TT_NOTIFY_COMMAND)
        return run_command(notifier, arena, body, err);
    if (!url) {
        url = tt_secret_read(arena, &config->url_secret, err);
        if (!url)
            return -1;
    }
    if (tt_secret_is_set(&config->secret)) {
        secret = tt_secret_read(arena, &config->secret, err);
        if (!secret)
            return -1;
    }
    return post(notifier, arena, url, secret, body, err);
}
