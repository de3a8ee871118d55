/*
 * Consoles: cloud-init (cc_keys_to_console) writes a block of public keys when an instance boots
 * for the first time. Other programs may write between its lines; a key that suffers is left out
 * later, when it is read.
 */
#include "providers/shell/ssh_console.h"

#include <string.h>

#include "base/str.h"

#define BEGIN     "-----BEGIN SSH HOST KEY KEYS-----"
#define END       "-----END SSH HOST KEY KEYS-----"
#define MOST_KEYS 16 /* lines of the block */

static bool is_key(const char *line)
{
    return tt_starts_with(line, "ssh-") || tt_starts_with(line, "ecdsa-sha2-");
}

/* Adds "TYPE BASE64" of LINE, without the remark that ends it. */
static void add_key(struct tt_buf *keys, const char *line)
{
    size_t type = strcspn(line, " \t\r\n");
    const char *key = line + type + strspn(line + type, " \t");

    tt_buf_addn(keys, line, type);
    tt_buf_add(keys, " ");
    tt_buf_addn(keys, key, strcspn(key, " \t\r\n"));
    tt_buf_add(keys, "\n");
}

const char *tt_ssh_console_keys(struct tt_arena *arena, const char *text)
{
    const char *begin = strstr(text, BEGIN);
    const char *end = begin ? strstr(begin, END) : NULL;
    TT_BUF_AUTO keys = {0};
    int count = 0;

    if (!end)
        return NULL;
    for (const char *line = strchr(begin, '\n'); line && line < end; line = strchr(line, '\n')) {
        line++;
        if (line < end && is_key(line) && count++ < MOST_KEYS)
            add_key(&keys, line);
    }
    return keys.length ? tt_strdup(arena, tt_buf_text(&keys)) : NULL;
}
