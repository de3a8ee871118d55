/*
 * Deliveries: rate and repetition, then the verdict on the delivery itself.
 */
#include "serve/deliver.h"

#include <string.h>

#include "base/sha256.h"
#include "base/str.h"
#include "serve/daemon_parts.h"
#include "serve/webhook.h"

#define MINUTE INT64_C(60000)

bool tt_deliveries_allow(struct tt_deliveries *deliveries, const char *peer, tt_time now)
{
    size_t oldest = 0;

    for (size_t i = 0; i < TT_PEERS_KEPT; i++) {
        if (strncmp(deliveries->peers[i].address, peer, sizeof(deliveries->peers[i].address) - 1) ==
            0) {
            if (now - deliveries->peers[i].since >= MINUTE || now < deliveries->peers[i].since) {
                deliveries->peers[i].since = now;
                deliveries->peers[i].count = 0;
            }
            return ++deliveries->peers[i].count <= TT_PER_MINUTE;
        }
        if (deliveries->peers[i].since < deliveries->peers[oldest].since)
            oldest = i;
    }
    memset(&deliveries->peers[oldest], 0, sizeof(deliveries->peers[oldest]));
    strncpy(deliveries->peers[oldest].address, peer, sizeof(deliveries->peers[oldest].address) - 1);
    deliveries->peers[oldest].since = now;
    deliveries->peers[oldest].count = 1;
    return true;
}

bool tt_deliveries_seen(struct tt_deliveries *deliveries, const char *name, const char *id)
{
    struct tt_arena scratch;
    const char *text, *digest;
    bool seen = false;

    tt_arena_init(&scratch);
    text = tt_printf(&scratch, "%s\n%s", name, id);
    digest = tt_sha256_hex(&scratch, text, strlen(text));
    for (size_t i = 0; i < TT_DELIVERIES_KEPT && !seen; i++)
        seen = strcmp(deliveries->seen[i], digest) == 0;
    if (!seen) {
        memcpy(deliveries->seen[deliveries->next % TT_DELIVERIES_KEPT], digest, 65);
        deliveries->next = (deliveries->next + 1) % TT_DELIVERIES_KEPT;
    }
    tt_arena_release(&scratch);
    return seen;
}

/* --- into the daemon ---------------------------------------------------------------------------
 */

/* What the hook NAME goes by, copied into ARENA; false: there is none. */
static bool find_hook(struct tt_daemon *daemon, struct tt_arena *arena, const char *name,
                      struct tt_repository_config *ret_config)
{
    const struct tt_follower *follower;

    pthread_mutex_lock(&daemon->mutex);
    follower = tt_follow_find(daemon, name);
    if (follower) {
        *ret_config = (struct tt_repository_config){
            .branch = tt_strdup(arena, follower->config->branch),
            .webhook = follower->config->webhook,
            .webhook_secret = {.file = tt_strdup(arena, follower->config->webhook_secret.file),
                               .env = tt_strdup(arena, follower->config->webhook_secret.env)},
        };
    }
    pthread_mutex_unlock(&daemon->mutex);
    return follower && ret_config->webhook != TT_WEBHOOK_NONE;
}

/* A delivery that was judged good: once only. */
static void act(struct tt_daemon *daemon, const struct tt_delivery *delivery,
                struct tt_webhook_verdict *verdict)
{
    struct tt_follower *follower;

    pthread_mutex_lock(&daemon->mutex);
    if (verdict->id && tt_deliveries_seen(&daemon->deliveries, delivery->name, verdict->id)) {
        verdict->status = 200;
        verdict->answer = "this delivery came before";
        verdict->look = false;
    }
    follower = tt_follow_find(daemon, delivery->name);
    if (verdict->look && follower) {
        follower->look_now = true;
        pthread_cond_broadcast(&follower->wake);
    }
    pthread_mutex_unlock(&daemon->mutex);
}

static void judge(struct tt_daemon *daemon, struct tt_arena *arena,
                  const struct tt_delivery *delivery, struct tt_webhook_verdict *verdict)
{
    struct tt_repository_config config;
    struct tt_error err = {0};
    const char *secret;
    bool allowed;

    pthread_mutex_lock(&daemon->mutex);
    allowed = tt_deliveries_allow(&daemon->deliveries, delivery->peer ? delivery->peer : "",
                                  tt_daemon_now(daemon));
    pthread_mutex_unlock(&daemon->mutex);
    if (!allowed) {
        *verdict =
            (struct tt_webhook_verdict){429, "too many deliveries: wait a minute", NULL, false};
        return;
    }
    if (!find_hook(daemon, arena, delivery->name, &config)) {
        *verdict = (struct tt_webhook_verdict){404, "there is no such hook", NULL, false};
        return;
    }
    secret = tt_secret_read(arena, &config.webhook_secret, &err);
    if (!secret) {
        tt_log(&daemon->log, TT_LOG_ERROR, delivery->name, NULL, "webhook: %s", err.message);
        *verdict =
            (struct tt_webhook_verdict){500, "the hook's secret cannot be read", NULL, false};
        return;
    }
    tt_webhook_judge(arena, config.webhook, secret, config.branch, delivery, tt_daemon_now(daemon),
                     verdict);
    if (verdict->status < 300)
        act(daemon, delivery, verdict);
}

int tt_daemon_deliver(struct tt_daemon *daemon, struct tt_arena *arena,
                      const struct tt_delivery *delivery, const char **ret_answer)
{
    struct tt_webhook_verdict verdict;

    judge(daemon, arena, delivery, &verdict);
    pthread_mutex_lock(&daemon->mutex);
    daemon->counts.deliveries++;
    daemon->counts.deliveries_refused += verdict.status >= 400;
    pthread_mutex_unlock(&daemon->mutex);
    *ret_answer = verdict.answer;
    return verdict.status;
}
