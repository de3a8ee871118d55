/*
 * Reply: reading the members of JSON in replies.
 */
#include "providers/http/reply.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>

#include "base/str.h"

void tt_reply_drop(json_t **json)
{
    json_decref(*json);
    *json = NULL;
}

const char *tt_reply_peek(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text && *text ? text : NULL;
}

const char *tt_reply_text(struct tt_arena *arena, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    if (json_is_integer(value))
        return tt_printf(arena, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    return tt_strdup(arena, tt_reply_peek(object, key));
}

int tt_reply_number(const json_t *object, const char *key, int fallback)
{
    const json_t *value = json_object_get(object, key);
    const char *text = json_string_value(value);
    long long number;
    char *end;

    if (json_is_integer(value))
        number = json_integer_value(value);
    else if (text && isdigit((unsigned char)text[0]) && ((number = strtoll(text, &end, 10)), !*end))
        ;
    else
        return fallback;
    return number < 0 || number > INT_MAX ? fallback : (int)number;
}

bool tt_reply_flag(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_true(value) || tt_streq(json_string_value(value), "true");
}
