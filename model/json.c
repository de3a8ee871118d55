/*
 * JSON: typed getters over jansson, and the errors that name a path.
 */
#include "model/json.h"

#include <string.h>

#include "base/str.h"

int tt_json_parse(const char *text, size_t size, const char *name, json_t **ret,
                  struct tt_error *err)
{
    json_error_t error;

    if (size > TT_JSON_MAX_SIZE)
        return tt_fail(err, TT_ERR_SPEC, "%s is larger than %u bytes", name, TT_JSON_MAX_SIZE);
    *ret = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    if (*ret)
        return 0;
    tt_fail(err, TT_ERR_SPEC, "%s:%d:%d: %s", name, error.line, error.column, error.text);
    return -1;
}

static void add_path(struct tt_buf *out, const struct tt_json *json)
{
    if (!json->parent)
        return;
    add_path(out, json->parent);
    if (json->key)
        tt_buf_addf(out, "%s%s", out->length ? "." : "", json->key);
    else
        tt_buf_addf(out, "[%zu]", json->index);
}

int tt_json_fail(const struct tt_json *json, struct tt_error *err, const char *format, ...)
{
    TT_BUF_AUTO path = {0};
    va_list args;

    add_path(&path, json);
    va_start(args, format);
    tt_vfail(err, TT_ERR_SPEC, format, args);
    va_end(args);
    return tt_wrap(err, "%s", path.length ? tt_buf_text(&path) : "the document");
}

int tt_json_expected(const struct tt_json *json, const char *what, struct tt_error *err)
{
    static const char *const found[] = {
        [JSON_OBJECT] = "an object", [JSON_ARRAY] = "an array", [JSON_STRING] = "a string",
        [JSON_INTEGER] = "a number", [JSON_REAL] = "a number",  [JSON_TRUE] = "true",
        [JSON_FALSE] = "false",      [JSON_NULL] = "null",
    };

    return tt_json_fail(json, err, "expected %s, found %s", what,
                        json->value ? found[json_typeof(json->value)] : "nothing");
}

struct tt_json tt_json_member(const struct tt_json *object, const char *key)
{
    json_t *value = json_object_get(object->value, key);

    return (struct tt_json){
        .value = json_is_null(value) ? NULL : value, .parent = object, .key = key};
}

struct tt_json tt_json_item(const struct tt_json *array, size_t index)
{
    return (struct tt_json){
        .value = json_array_get(array->value, index), .parent = array, .index = index};
}

int tt_json_format(const struct tt_json *document, const char *format, struct tt_error *err)
{
    struct tt_json member;

    if (tt_json_object(document, err) < 0)
        return -1;
    member = tt_json_member(document, "format");
    if (!json_is_string(member.value))
        return tt_json_expected(&member, format, err);
    if (strcmp(json_string_value(member.value), format) != 0)
        return tt_json_fail(&member, err, "expected %s, found %s", format,
                            json_string_value(member.value));
    return 0;
}

int tt_json_object(const struct tt_json *json, struct tt_error *err)
{
    return json_is_object(json->value) ? 0 : tt_json_expected(json, "an object", err);
}

int tt_json_array(const struct tt_json *object, const char *key, struct tt_json *ret,
                  size_t *ret_count, struct tt_error *err)
{
    *ret = tt_json_member(object, key);
    *ret_count = 0;
    if (ret->value && !json_is_array(ret->value))
        return tt_json_expected(ret, "an array", err);
    *ret_count = json_array_size(ret->value);
    return 0;
}

int tt_json_string(struct tt_arena *arena, const struct tt_json *object, const char *key,
                   const char **ret, struct tt_error *err)
{
    struct tt_json member = tt_json_member(object, key);

    if (!member.value)
        return 0;
    if (!json_is_string(member.value))
        return tt_json_expected(&member, "a string", err);
    if (strlen(json_string_value(member.value)) != json_string_length(member.value))
        return tt_json_fail(&member, err, "a NUL character is not allowed");
    *ret = tt_strdup(arena, json_string_value(member.value));
    return 0;
}

int tt_json_required_string(struct tt_arena *arena, const struct tt_json *object, const char *key,
                            const char **ret, struct tt_error *err)
{
    struct tt_json member = tt_json_member(object, key);

    if (!member.value)
        return tt_json_expected(&member, "a string", err);
    return tt_json_string(arena, object, key, ret, err);
}

int tt_json_int(const struct tt_json *object, const char *key, int least, int most, int *ret,
                struct tt_error *err)
{
    struct tt_json member = tt_json_member(object, key);
    json_int_t value;

    if (!member.value)
        return 0;
    if (!json_is_integer(member.value))
        return tt_json_expected(&member, "a whole number", err);
    value = json_integer_value(member.value);
    if (value < least || value > most)
        return tt_json_fail(&member, err, "expected a number from %d to %d", least, most);
    *ret = (int)value;
    return 0;
}

int tt_json_bool(const struct tt_json *object, const char *key, bool *ret, struct tt_error *err)
{
    struct tt_json member = tt_json_member(object, key);

    if (!member.value)
        return 0;
    if (!json_is_boolean(member.value))
        return tt_json_expected(&member, "true or false", err);
    *ret = json_is_true(member.value);
    return 0;
}

int tt_json_word(const struct tt_json *object, const char *key, const char *const *words, int *ret,
                 struct tt_error *err)
{
    struct tt_json member = tt_json_member(object, key);
    TT_BUF_AUTO allowed = {0};
    int found;

    if (!member.value)
        return 0;
    if (!json_is_string(member.value))
        return tt_json_expected(&member, "a string", err);
    found = tt_word_find(words, json_string_value(member.value));
    if (found >= 0) {
        *ret = found;
        return 0;
    }
    for (size_t i = 0; words[i]; i++)
        tt_buf_addf(&allowed, "%s%s", i ? ", " : "", words[i]);
    return tt_json_fail(&member, err, "\"%s\" is not one of %s", json_string_value(member.value),
                        tt_buf_text(&allowed));
}

int tt_json_time(const struct tt_json *object, const char *key, tt_time *ret, struct tt_error *err)
{
    struct tt_json member = tt_json_member(object, key);

    if (!member.value)
        return 0;
    if (!json_is_string(member.value))
        return tt_json_expected(&member, "a time (2026-11-23T04:00:00Z)", err);
    if (tt_time_parse(json_string_value(member.value), ret) < 0)
        return tt_json_fail(&member, err, "\"%s\" is not a time such as 2026-11-23T04:00:00Z",
                            json_string_value(member.value));
    return 0;
}

int tt_json_duration(const struct tt_json *object, const char *key, tt_time *ret,
                     struct tt_error *err)
{
    struct tt_json member = tt_json_member(object, key);

    if (!member.value)
        return 0;
    if (!json_is_string(member.value))
        return tt_json_expected(&member, "a duration (30s)", err);
    if (tt_duration_parse(json_string_value(member.value), ret) < 0)
        return tt_json_fail(&member, err, "\"%s\" is not a duration such as 30s, 5m or 1h",
                            json_string_value(member.value));
    return 0;
}

int tt_json_strings(struct tt_arena *arena, const struct tt_json *object, const char *key,
                    const struct tt_strings **ret, struct tt_error *err)
{
    struct tt_strings *list;
    struct tt_json array;
    size_t count;

    if (tt_json_array(object, key, &array, &count, err) < 0)
        return -1;
    if (!array.value)
        return 0;
    list = TT_NEW(arena, struct tt_strings);
    for (size_t i = 0; i < count; i++) {
        struct tt_json item = tt_json_item(&array, i);

        if (!json_is_string(item.value))
            return tt_json_expected(&item, "a string", err);
        tt_strings_add(arena, list, tt_strdup(arena, json_string_value(item.value)));
    }
    *ret = list;
    return 0;
}

static char *steal_text(struct tt_arena *arena, json_t *value, size_t flags, const char *end)
{
    char *text = json_dumps(value, flags | JSON_ENCODE_ANY);
    char *copy;

    json_decref(value);
    if (!text)
        return tt_strdup(arena, "null");
    copy = tt_printf(arena, "%s%s", text, end);
    free(text);
    return copy;
}

char *tt_json_text(struct tt_arena *arena, json_t *value)
{
    return steal_text(arena, value, JSON_INDENT(2), "\n");
}

char *tt_json_compact(struct tt_arena *arena, json_t *value)
{
    return steal_text(arena, value, JSON_COMPACT | JSON_SORT_KEYS, "");
}
