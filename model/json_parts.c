/*
 * JSON: the parts that several documents share: lists of strings, listeners, health checks.
 */
#include "model/json.h"

static int read_tls(struct tt_arena *arena, const struct tt_json *json,
                    struct tt_listener *listener, struct tt_error *err)
{
    struct tt_json tls = tt_json_member(json, "tls");

    if (!tls.value)
        return 0;
    if (tt_json_object(&tls, err) < 0 ||
        tt_json_string(arena, &tls, "certificate", &listener->certificate, err) < 0 ||
        tt_json_string(arena, &tls, "key", &listener->key, err) < 0)
        return -1;
    return tt_json_string(arena, &tls, "chain", &listener->chain, err);
}

static int read_listener(struct tt_arena *arena, const struct tt_json *json,
                         struct tt_listener *listener, struct tt_error *err)
{
    int protocol = TT_PROTOCOL_HTTP, algorithm = -1;

    if (tt_json_object(json, err) < 0 ||
        tt_json_word(json, "algorithm", tt_algorithm_words, &algorithm, err) < 0 ||
        tt_json_int(json, "port", 1, 65535, &listener->port, err) < 0 ||
        tt_json_word(json, "protocol", tt_protocol_words, &protocol, err) < 0 ||
        tt_json_int(json, "targetPort", 1, 65535, &listener->target_port, err) < 0)
        return -1;
    if (listener->port == 0)
        return tt_json_fail(json, err, "port is missing");
    listener->protocol = (enum tt_protocol)protocol;
    listener->algorithm = 1 + algorithm;
    return read_tls(arena, json, listener, err);
}

int tt_json_listeners(struct tt_arena *arena, const struct tt_json *object, const char *key,
                      const struct tt_listeners **ret, struct tt_error *err)
{
    struct tt_listeners *listeners;
    struct tt_json array;
    size_t count;

    if (tt_json_array(object, key, &array, &count, err) < 0)
        return -1;
    if (!array.value)
        return 0;
    listeners = TT_NEW(arena, struct tt_listeners);
    for (size_t i = 0; i < count; i++) {
        struct tt_json item = tt_json_item(&array, i);

        if (read_listener(arena, &item, TT_VEC_ADD(arena, listeners), err) < 0)
            return -1;
    }
    *ret = listeners;
    return 0;
}

int tt_json_health(struct tt_arena *arena, const struct tt_json *object, const char *key,
                   const struct tt_health_check **ret, struct tt_error *err)
{
    struct tt_json json = tt_json_member(object, key);
    struct tt_health_check *health;
    struct tt_json http;

    if (!json.value)
        return 0;
    if (tt_json_object(&json, err) < 0)
        return -1;
    health = TT_NEW(arena, struct tt_health_check);
    http = tt_json_member(&json, "http");
    health->http = http.value != NULL;
    if (health->http && (tt_json_object(&http, err) < 0 ||
                         tt_json_required_string(arena, &http, "path", &health->path, err) < 0))
        return -1;
    if (tt_json_duration(&json, "interval", &health->interval, err) < 0 ||
        tt_json_duration(&json, "timeout", &health->timeout, err) < 0 ||
        tt_json_int(&json, "unhealthyAfter", 1, 1000, &health->unhealthy_after, err) < 0 ||
        tt_json_duration(&json, "grace", &health->grace, err) < 0)
        return -1;
    *ret = health;
    return 0;
}

json_t *tt_json_from_string(const char *s)
{
    return s ? json_string(s) : json_null();
}

void tt_json_set_known(json_t *object, const char *key, const char *value)
{
    if (value)
        json_object_set_new(object, key, json_string(value));
}

json_t *tt_json_from_strings(const struct tt_strings *list)
{
    json_t *array;

    if (!list)
        return json_null();
    array = json_array();
    TT_EACH (item, list)
        json_array_append_new(array, json_string(*item));
    return array;
}

json_t *tt_json_from_listeners(const struct tt_listeners *listeners)
{
    json_t *array;

    if (!listeners)
        return json_null();
    array = json_array();
    TT_EACH (listener, listeners) {
        json_t *object = json_object();

        json_object_set_new(object, "port", json_integer(listener->port));
        json_object_set_new(object, "protocol", json_string(tt_protocol_words[listener->protocol]));
        if (listener->target_port)
            json_object_set_new(object, "targetPort", json_integer(listener->target_port));
        if (listener->algorithm)
            json_object_set_new(object, "algorithm",
                                json_string(tt_algorithm_words[listener->algorithm - 1]));
        if (listener->certificate || listener->key) {
            json_t *tls = json_object();

            tt_json_set_known(tls, "certificate", listener->certificate);
            tt_json_set_known(tls, "key", listener->key);
            tt_json_set_known(tls, "chain", listener->chain);
            json_object_set_new(object, "tls", tls);
        }
        json_array_append_new(array, object);
    }
    return array;
}

static void set_duration(json_t *object, const char *key, tt_time duration)
{
    struct tt_arena arena;

    if (!duration)
        return;
    tt_arena_init(&arena);
    json_object_set_new(object, key, json_string(tt_duration_format(&arena, duration)));
    tt_arena_release(&arena);
}

json_t *tt_json_from_health(const struct tt_health_check *health)
{
    json_t *object, *check;

    if (!health)
        return json_null();
    object = json_object();
    if (!health->http && !health->interval) /* it is known that there is none */
        return object;
    check = json_object();
    if (health->http)
        json_object_set_new(check, "path", json_string(health->path));
    json_object_set_new(object, health->http ? "http" : "tcp", check);
    set_duration(object, "interval", health->interval);
    set_duration(object, "timeout", health->timeout);
    if (health->unhealthy_after)
        json_object_set_new(object, "unhealthyAfter", json_integer(health->unhealthy_after));
    set_duration(object, "grace", health->grace);
    return object;
}

json_t *tt_json_from_features(unsigned features)
{
    json_t *array = json_array();

    for (unsigned i = 0; tt_feature_words[i]; i++)
        if (features & 1u << i)
            json_array_append_new(array, json_string(tt_feature_words[i]));
    return array;
}
