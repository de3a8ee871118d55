/*
 * JSON: reading the members of the server's answers, which give numbers as numbers or as texts.
 */
#include <ctype.h>
#include <limits.h>
#include <stdlib.h>

#include "base/str.h"
#include "providers/cloudstack/cloud.h"

void tt_cloudstack_drop(json_t **json)
{
    json_decref(*json);
    *json = NULL;
}

const char *tt_cloudstack_text(struct tt_arena *arena, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    if (json_is_integer(value))
        return tt_printf(arena, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    if (!json_is_string(value) || !json_string_length(value))
        return NULL;
    return tt_strdup(arena, json_string_value(value));
}

int tt_cloudstack_number(const json_t *object, const char *key, int fallback)
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

bool tt_cloudstack_flag(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_true(value) ||
           (json_is_string(value) && tt_streq(json_string_value(value), "true"));
}
