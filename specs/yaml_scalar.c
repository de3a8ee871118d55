/*
 * Scalars by YAML 1.2's core schema: which plain words are null, booleans, integers and floats.
 * "no", "on" and "1:30" are strings here, unlike in YAML 1.1.
 * Source: https://yaml.org/spec/1.2.2/#103-core-schema
 */
#include <string.h>

#include "base/str.h"
#include "model/words.h"
#include "specs/yaml.h"

#define DIGITS "0123456789"

static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
static const char *const bools[] = {"true", "True", "TRUE", "false", "False", "FALSE", NULL};
static const char *const floats[] = {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN", NULL};

static bool is_int(const char *s)
{
    size_t digits;

    if (tt_starts_with(s, "0o"))
        return s[2] && s[2 + strspn(s + 2, "01234567")] == '\0';
    if (tt_starts_with(s, "0x"))
        return s[2] && s[2 + strspn(s + 2, DIGITS "abcdefABCDEF")] == '\0';
    s += *s == '-' || *s == '+';
    digits = strspn(s, DIGITS);
    return digits > 0 && s[digits] == '\0';
}

static bool is_float(const char *s)
{
    size_t whole, fraction = 0;

    s += *s == '-' || *s == '+';
    if (tt_word_find(floats, s) >= 0)
        return true;
    whole = strspn(s, DIGITS);
    s += whole;
    if (*s == '.') {
        fraction = strspn(s + 1, DIGITS);
        s += 1 + fraction;
    }
    if (whole + fraction == 0)
        return false;
    if (*s == 'e' || *s == 'E') {
        s++;
        s += *s == '-' || *s == '+';
        if (*s == '\0')
            return false;
        s += strspn(s, DIGITS);
    }
    return *s == '\0';
}

enum tt_scalar_kind tt_scalar_resolve(const char *text)
{
    /* most scalars are words, and nearly all of those begin with another character */
    if (*text && !strchr("~nNtTfF.+-" DIGITS, *text))
        return TT_SCALAR_STRING;
    if (tt_word_find(nulls, text) >= 0)
        return TT_SCALAR_NULL;
    if (tt_word_find(bools, text) >= 0)
        return TT_SCALAR_BOOL;
    if (is_int(text))
        return TT_SCALAR_INT;
    if (is_float(text))
        return TT_SCALAR_FLOAT;
    return TT_SCALAR_STRING;
}

const char *tt_node_describe(struct tt_arena *arena, const struct tt_node *node)
{
    if (node->kind == TT_NODE_SEQUENCE)
        return "a list";
    if (node->kind == TT_NODE_MAPPING)
        return "a mapping";
    switch (node->scalar) {
    case TT_SCALAR_NULL:
        return "nothing";
    case TT_SCALAR_BOOL:
        return tt_printf(arena, "the boolean %s", node->text);
    case TT_SCALAR_INT:
    case TT_SCALAR_FLOAT:
        return tt_printf(arena, "the number %.40s", node->text);
    case TT_SCALAR_STRING:
        break;
    }
    return "a string";
}
