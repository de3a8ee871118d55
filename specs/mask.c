/*
 * Masking: what looks like a credential in the text of a spec is covered with asterisks before a
 * line of it is shown beside a finding. The whole text is covered at once, since a private key is
 * many lines of which each would look harmless. Nothing changes its length, so that carets stay.
 */
#include <ctype.h>
#include <string.h>

#include "base/str.h"
#include "specs/report.h"

#define RUN 40 /* so many characters of base64 in a row are no word; AWS's secret keys have 40 */

struct mask {
    bool armored;    /* between BEGIN and END of a private key */
    int secret;      /* the column of a key whose value goes on in deeper lines, or -1 */
    int credentials; /* as that, of "credentials", where every value is covered */
    int ssh;         /* as that, of "ssh", where "key" names a private key's file */
};

static const struct mask outside = {false, -1, -1, -1};

bool tt_is_secret_word(const char *key)
{
    static const char *const parts[] = {"secret",     "passw",      "token",       "accesskey",
                                        "access_key", "apikey",     "api_key",     "api-key",
                                        "access-key", "privatekey", "private_key", NULL};

    for (const char *const *part = parts; *part; part++)
        if (strcasestr(key, *part))
            return true;
    return false;
}

/* The length of the run of base64 at AT, and whether it has small and large letters and digits. */
static size_t run_of(const char *at, bool slashes, bool *ret_mixed)
{
    bool small = false, large = false, digit = false;
    size_t length = 0;

    for (char c; (c = at[length]); length++) {
        if (!isalnum((unsigned char)c) && c != '+' && c != '=' && !(c == '/' && slashes))
            break;
        small |= islower((unsigned char)c) != 0;
        large |= isupper((unsigned char)c) != 0;
        digit |= isdigit((unsigned char)c) != 0;
    }
    *ret_mixed = small && large && digit;
    return length;
}

bool tt_is_secret_text(const char *text, bool path)
{
    bool mixed;

    if (strstr(text, "PRIVATE KEY-----"))
        return true;
    for (size_t length; *text; text += length ? length : 1) {
        length = run_of(text, !path, &mixed);
        if (length >= RUN && mixed)
            return true;
    }
    return false;
}

void tt_mask_runs(char *text)
{
    bool mixed;

    for (size_t length; *text; text += length ? length : 1) {
        length = run_of(text, true, &mixed);
        if (length >= RUN && mixed)
            memset(text, '*', length);
    }
}

static bool is_key_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.';
}

/* The start of the key that ends before COLON; "" goes to KEY when there is none. */
static const char *key_before(const char *line, const char *colon, char key[64])
{
    const char *end = colon, *start;

    while (end > line && (end[-1] == '"' || end[-1] == '\'' || end[-1] == ' '))
        end--;
    for (start = end; start > line && is_key_char(start[-1]) && end - start < 63; start--)
        ;
    memcpy(key, start, (size_t)(end - start));
    key[end - start] = '\0';
    return start;
}

/* Of a private key's file a path may be shown; anything else may be the key itself. */
static bool is_secret_key(const char *key, const char *value, bool ssh)
{
    value += *value == '"' || *value == '\'';
    if (ssh && strcmp(key, "key") == 0)
        return *value != '/' && !tt_starts_with(value, "~/");
    return tt_is_secret_word(key);
}

/* Covers the value at AT up to the end of its flow mapping's entry, or of the line. */
static char *mask_value(const char *line, char *at)
{
    bool flow = memchr(line, '{', (size_t)(at - line)) != NULL;
    char quote;

    at += strspn(at, " \t");
    quote = *at == '"' || *at == '\'' ? *at : '\0';
    for (bool first = true; *at; at++, first = false) {
        if (!quote && (*at == '\r' || (flow && (*at == ',' || *at == '}'))))
            break;
        if (quote && !first && *at == quote) {
            *at++ = '*';
            break;
        }
        *at = '*';
    }
    return at;
}

static void mask_all(char *line)
{
    for (; *line; line++)
        if (!isspace((unsigned char)*line))
            *line = '*';
}

/* Covers the password of the URL whose "//" is at AT. */
static char *mask_url(char *at)
{
    char *end;

    at += 2;
    end = at + strcspn(at, "/ \t\"'");
    end = memrchr(at, '@', (size_t)(end - at));
    if (end && memchr(at, ':', (size_t)(end - at)))
        memset(at, '*', (size_t)(end - at));
    return at;
}

/* Covers the values of a line by their keys, and notes what goes on in the next lines. */
static void mask_keys(struct mask *m, char *line)
{
    char key[64];
    const struct mask before = *m;

    for (char *at = line; (at = strpbrk(at, ":}"));) {
        const char *start, *value;

        if (*at++ == '}') {
            m->credentials = before.credentials;
            m->ssh = before.ssh;
            continue;
        }
        if (tt_starts_with(at, "//")) {
            at = mask_url(at);
            continue;
        }
        start = key_before(line, at - 1, key);
        value = at + strspn(at, " \t\r");
        if (m->credentials >= 0 || is_secret_key(key, value, m->ssh >= 0)) {
            m->secret = (int)(start - line);
            at = strchr("|>", *value) ? at : mask_value(line, at);
        } else if (strcmp(key, "credentials") == 0 || strcmp(key, "ssh") == 0) {
            *(*key == 's' ? &m->ssh : &m->credentials) = (int)(start - line);
            at = *value == '{' ? at : mask_value(line, at);
        }
    }
}

static void mask_line(struct mask *m, char *line)
{
    int indent = (int)strspn(line, " -");
    bool deeper = line[indent] == '\0' || strchr("\r#", line[indent]);

    if (strcmp(line, "---") == 0)
        *m = outside;
    if (m->secret >= 0 && !deeper && indent <= m->secret)
        m->secret = -1;
    if (m->credentials >= 0 && !deeper && indent <= m->credentials)
        m->credentials = -1;
    if (m->ssh >= 0 && !deeper && indent <= m->ssh)
        m->ssh = -1;
    if (strstr(line, "-----BEGIN ") && strstr(line, "PRIVATE KEY"))
        m->armored = true;
    if (m->armored) {
        char *key = strstr(line, "-----BEGIN ");

        m->armored = strstr(line, "-----END ") == NULL;
        mask_all(key ? key : line);
        if (key)
            mask_keys(m, line);
    } else if (m->secret >= 0) {
        mask_all(line);
    } else {
        mask_keys(m, line);
        tt_mask_runs(line);
    }
}

void tt_mask_text(char *text)
{
    struct mask mask = outside;

    while (*text) {
        char *end = text + strcspn(text, "\n");
        char last = *end;

        *end = '\0';
        mask_line(&mask, text);
        *end = last;
        text = end + (last != '\0');
    }
}

void tt_mask_value_of(char *line, int column)
{
    char *colon = strchr(line + (tt_skip_chars(line, column - 1) - line), ':');

    if (colon && !tt_starts_with(colon, "://"))
        mask_value(line, colon + 1);
}
