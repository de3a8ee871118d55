/*
 * Decoding one scalar: is it of the type, the words and the range that its field asks for?
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "specs/decode.h"

#define TEXT_MAX  4096 /* bytes of a string */
#define OWNER_MAX 128

struct scalar_request {
    const struct tt_report *report;
    const struct tt_field *field;
    const struct tt_node *node;
    const char *subject;
};

#define REFUSE(request, code, ...)                                                                 \
    (tt_report_add((request)->report, code, (request)->node->mark, (request)->subject,             \
                   __VA_ARGS__),                                                                   \
     -1)

static int wrong_type(const struct scalar_request *r, const char *wanted)
{
    return REFUSE(r, "bad-type", "%s must be %s, not %s", r->field->key, wanted,
                  tt_node_describe(r->report->arena, r->node));
}

static bool has_control(const char *s)
{
    for (; *s; s++)
        if (iscntrl((unsigned char)*s))
            return true;
    return false;
}

static bool is_host(const char *s)
{
    size_t length = strlen(s);

    if (length == 0 || length > 253)
        return false;
    while (*s) {
        char label[64];
        size_t size = strcspn(s, ".");

        if (size == 0 || size > 63)
            return false;
        for (size_t i = 0; i < size; i++)
            label[i] = (char)tolower((unsigned char)s[i]);
        label[size] = '\0';
        if (!tt_is_dns_label(label))
            return false;
        s += size;
        if (*s == '.' && s[1] == '\0')
            return false;
        s += *s == '.';
    }
    return true;
}

static bool is_address(const char *s)
{
    unsigned char bytes[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, s, bytes) == 1 || inet_pton(AF_INET6, s, bytes) == 1;
}

static bool is_plain_word(const char *s)
{
    for (; *s; s++)
        if (isspace((unsigned char)*s) || iscntrl((unsigned char)*s))
            return false;
    return true;
}

static int decode_text(const struct scalar_request *r, enum tt_field_type type)
{
    const char *text = r->node->text, *key = r->field->key;

    if (r->node->scalar == TT_SCALAR_NULL)
        return wrong_type(r, "a string");
    if (r->node->scalar != TT_SCALAR_STRING)
        return REFUSE(r, "bad-type", "%s must be a string, not %s; write it in quotes", key,
                      tt_node_describe(r->report->arena, r->node));
    if (strlen(text) > TEXT_MAX)
        return REFUSE(r, "out-of-range", "%s is longer than %d bytes", key, TEXT_MAX);
    if (*text == '\0')
        return REFUSE(r, "out-of-range", "%s must not be empty", key);
    if (strstr(text, "PRIVATE KEY-----"))
        return REFUSE(r, "secret-in-git",
                      "%s holds a private key, and a secret must not stand in Git; make a new key, "
                      "and name the file it is in",
                      key);
    if (has_control(text))
        return REFUSE(r, "out-of-range", "%s must not hold control characters", key);
    switch (type) {
    case TT_FIELD_LABEL:
        if (!tt_is_dns_label(text))
            return REFUSE(r, "out-of-range",
                          "%s must be a DNS label: 1 to 63 of a-z, 0-9 and -, neither first nor "
                          "last a dash",
                          key);
        return 0;
    case TT_FIELD_OWNER:
        if (!is_plain_word(text) || strlen(text) > OWNER_MAX)
            return REFUSE(r, "out-of-range", "%s must be one word of at most %d bytes", key,
                          OWNER_MAX);
        return 0;
    case TT_FIELD_HOST:
        if (!is_host(text))
            return REFUSE(r, "out-of-range",
                          "\"%.80s\" is no DNS host name such as "
                          "shop.example.com",
                          text);
        return 0;
    case TT_FIELD_ADDRESS:
        if (!is_address(text))
            return REFUSE(r, "out-of-range", "%s must be an IP address such as 203.0.113.9", key);
        return 0;
    case TT_FIELD_URL_PATH:
        if (*text != '/' || !is_plain_word(text))
            return REFUSE(r, "out-of-range", "%s must begin with a slash and hold no blanks", key);
        return 0;
    default:
        return 0;
    }
}

static int check_range(const struct scalar_request *r, int64_t number)
{
    const struct tt_field *field = r->field;

    if (number >= field->min && (!field->max || number <= field->max))
        return 0;
    if (!field->max)
        return REFUSE(r, "out-of-range", "%s must be at least %" PRId64, field->key, field->min);
    return REFUSE(r, "out-of-range", "%s must be from %" PRId64 " to %" PRId64, field->key,
                  field->min, field->max);
}

/* Digits with an optional sign, decimal, 0o or 0x; out of int64's range is far out of any. */
static int64_t parse_integer(const char *text)
{
    int base = tt_starts_with(text, "0o") ? 8 : tt_starts_with(text, "0x") ? 16 : 10;

    return strtoll(base == 8 ? text + 2 : text, NULL, base);
}

static int decode_integer(const struct scalar_request *r, int64_t *ret_number)
{
    if (r->node->scalar != TT_SCALAR_INT)
        return wrong_type(r, "a whole number");
    *ret_number = parse_integer(r->node->text);
    return check_range(r, *ret_number);
}

static bool is_percent(const char *text, int64_t *ret_number)
{
    size_t digits = strspn(text, "0123456789");

    if (digits == 0 || strcmp(text + digits, "%") != 0)
        return false;
    *ret_number = digits > 6 ? 1000000 : strtol(text, NULL, 10);
    return true;
}

static int decode_percent(const struct scalar_request *r, struct tt_scalar *value)
{
    if (r->node->scalar == TT_SCALAR_INT)
        return REFUSE(r, "bad-type", "%s must be a percentage; write %.20s%%", r->field->key,
                      r->node->text);
    if (r->node->scalar != TT_SCALAR_STRING || !is_percent(r->node->text, &value->number))
        return REFUSE(r, "bad-type", "%s must be a percentage such as 25%%", r->field->key);
    value->percent = true;
    if (value->number > 100)
        return REFUSE(r, "out-of-range", "%s must be from 0%% to 100%%", r->field->key);
    return 0;
}

static int decode_amount(const struct scalar_request *r, struct tt_scalar *value)
{
    if (r->node->scalar == TT_SCALAR_INT)
        return decode_integer(r, &value->number);
    if (r->node->scalar != TT_SCALAR_STRING || !is_percent(r->node->text, &value->number))
        return REFUSE(r, "bad-type", "%s must be a number or a percentage such as 25%%",
                      r->field->key);
    return decode_percent(r, value);
}

static int decode_duration(const struct scalar_request *r, int64_t *ret_number)
{
    const char *text = r->node->text;

    if (r->node->scalar == TT_SCALAR_INT)
        return REFUSE(r, "bad-type", "%s is a duration and needs a unit; write %.20ss",
                      r->field->key, text);
    if (r->node->scalar != TT_SCALAR_STRING || tt_duration_parse(text, ret_number) < 0)
        return REFUSE(r, "bad-type",
                      "%s must be a duration such as 250ms, 30s, 5m or 1h, at most 30 days",
                      r->field->key);
    if (*ret_number < r->field->min)
        return REFUSE(r, "out-of-range", "%s must be more than nothing", r->field->key);
    return 0;
}

static int decode_word(const struct scalar_request *r, int64_t *ret_number)
{
    const char *const *words = r->field->words;
    struct tt_strings known = {0};
    const char *near;
    int found;

    if (r->node->scalar != TT_SCALAR_STRING)
        return wrong_type(r, "a word");
    found = tt_word_find(words, r->node->text);
    *ret_number = found;
    if (found >= 0)
        return 0;
    near = tt_nearest(r->node->text, words);
    if (near)
        return REFUSE(r, "unknown-value", "%s has no value %.80s: did you mean %s?", r->field->key,
                      r->node->text, near);
    for (; *words; words++)
        tt_strings_add(r->report->arena, &known, *words);
    return REFUSE(r, "unknown-value", "%s has no value %.80s; it has %s", r->field->key,
                  r->node->text, tt_strings_join(r->report->arena, &known, ""));
}

int tt_decode_scalar(const struct tt_report *report, const struct tt_field *field,
                     enum tt_field_type type, const struct tt_node *node, const char *subject,
                     struct tt_scalar *out)
{
    struct scalar_request request = {report, field, node, subject};
    struct tt_scalar value = {.given = true, .text = node->text, .mark = node->mark};
    int failed;

    if (node->kind != TT_NODE_SCALAR)
        return wrong_type(&request, "a single value");
    switch (type) {
    case TT_FIELD_INTEGER:
        failed = decode_integer(&request, &value.number);
        break;
    case TT_FIELD_BOOLEAN:
        value.number = node->text && tolower((unsigned char)node->text[0]) == 't';
        failed = node->scalar == TT_SCALAR_BOOL ? 0 : wrong_type(&request, "true or false");
        break;
    case TT_FIELD_DURATION:
        failed = decode_duration(&request, &value.number);
        break;
    case TT_FIELD_PERCENT:
        failed = decode_percent(&request, &value);
        break;
    case TT_FIELD_AMOUNT:
        failed = decode_amount(&request, &value);
        break;
    case TT_FIELD_WORD:
        failed = decode_word(&request, &value.number);
        break;
    default:
        failed = decode_text(&request, type);
        break;
    }
    if (!failed)
        *out = value;
    return failed;
}

void tt_decode_default(const struct tt_field *field, struct tt_scalar *out)
{
    struct tt_findings none = {0};
    struct tt_report report = {NULL, &none};
    struct tt_node node = {.kind = TT_NODE_SCALAR,
                           .text = field->fallback,
                           .scalar = tt_scalar_resolve(field->fallback)};

    /* a default that its own table refuses is a mistake in the table */
    if (tt_decode_scalar(&report, field, field->type, &node, NULL, out) < 0)
        abort();
    out->given = false;
}
