/*
 * The words that specs, worlds, plans and commands share: their spellings.
 */
#include "model/words.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

const char *const tt_provider_kind_words[] = {"local",     "ssh",  "aws", "cloudstack",
                                              "openstack", "file", "sim", NULL};
const char *const tt_balancer_type_words[] = {"cloud", "vm-dynamic", "vm-static", NULL};
const char *const tt_scope_words[] = {"global", "regional", "data-center", NULL};
const char *const tt_algorithm_words[] = {"round-robin", "least-connections", "source", NULL};
const char *const tt_software_words[] = {"haproxy", "mod_jk", "zeus", NULL};
const char *const tt_protocol_words[] = {"http", "https", "tcp", "ssl", NULL};
const char *const tt_zone_state_words[] = {"available", "impaired", NULL};
const char *const tt_server_state_words[] = {"pending", "running", "stopped",
                                             "failed",  "gone",    NULL};
const char *const tt_health_words[] = {"unknown", "passing", "failing", NULL};
const char *const tt_member_state_words[] = {"in-service", "out-of-service", "draining", "unknown",
                                             NULL};
const char *const tt_action_words[] = {
    "create-server", "start-server",     "delete-server", "enroll", "withdraw", "set-zones",
    "set-listeners", "set-health-check", "move-address",  "fence",  "tag",      NULL};
const char *const tt_because_words[] = {"missing",
                                        "failed",
                                        "zone-violation",
                                        "uneven",
                                        "outdated",
                                        "surplus",
                                        "duplicate",
                                        "removed",
                                        "deployment-stopped",
                                        "balancer-replaced",
                                        "drift",
                                        NULL};
const char *const tt_severity_words[] = {"error", "warning", "info", NULL};
const char *const tt_subject_kind_words[] = {"Service", "LoadBalancer", NULL};
const char *const tt_result_words[] = {"none", "changes", "held", "error", NULL};
const char *const tt_feature_words[] = {"cloud-balancer", "elastic-address", "start-server", NULL};

int tt_word_find(const char *const *words, const char *word)
{
    for (int i = 0; words[i]; i++)
        if (strcmp(words[i], word) == 0)
            return i;
    return -1;
}

unsigned tt_provider_kind_features(enum tt_provider_kind kind)
{
    const unsigned cloud =
        TT_FEATURE_CLOUD_BALANCER | TT_FEATURE_ELASTIC_ADDRESS | TT_FEATURE_START_SERVER;

    switch (kind) {
    case TT_PROVIDER_AWS:
    case TT_PROVIDER_CLOUDSTACK:
    case TT_PROVIDER_OPENSTACK:
    case TT_PROVIDER_SIM:
        return cloud;
    case TT_PROVIDER_LOCAL:
        return TT_FEATURE_ELASTIC_ADDRESS | TT_FEATURE_START_SERVER;
    case TT_PROVIDER_SSH:
    case TT_PROVIDER_FILE:
    case TT_PROVIDER_KINDS:
        break;
    }
    return 0;
}

int tt_provider_kind_lateness(enum tt_provider_kind kind)
{
    return kind == TT_PROVIDER_LOCAL ? 0 : 15000;
}

bool tt_provider_kind_makes_machines(enum tt_provider_kind kind)
{
    return kind != TT_PROVIDER_SSH;
}

int tt_amount_up(struct tt_amount amount, int count)
{
    return amount.percent ? (int)(((long)count * amount.value + 99) / 100) : amount.value;
}

int tt_amount_down(struct tt_amount amount, int count)
{
    return amount.percent ? (int)((long)count * amount.value / 100) : amount.value;
}

bool tt_strings_has(const struct tt_strings *list, const char *s)
{
    TT_EACH (item, list)
        if (strcmp(*item, s) == 0)
            return true;
    return false;
}

void tt_strings_add(struct tt_arena *arena, struct tt_strings *list, const char *s)
{
    *TT_VEC_ADD(arena, list) = s;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void tt_strings_sort(struct tt_strings *list)
{
    if (list->count > 1)
        qsort(list->items, list->count, sizeof(*list->items), compare);
}

static bool contains_all(const struct tt_strings *a, const struct tt_strings *b)
{
    TT_EACH (item, b)
        if (!tt_strings_has(a, *item))
            return false;
    return true;
}

bool tt_strings_equal_sets(const struct tt_strings *a, const struct tt_strings *b)
{
    return contains_all(a, b) && contains_all(b, a);
}

char *tt_strings_join(struct tt_arena *arena, const struct tt_strings *list, const char *empty)
{
    TT_BUF_AUTO text = {0};

    if (!list->count)
        return tt_strdup(arena, empty);
    TT_EACH (item, list)
        tt_buf_addf(&text, "%s%s", item == list->items ? "" : ", ", *item);
    return tt_strdup(arena, tt_buf_text(&text));
}
