/*
 * Hosts: which key a machine is known by. Either its cloud published it, or known_hosts has a line
 * for it; hashed names, patterns, ports and @revoked are understood, certificate authorities are
 * not.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "providers/shell/ssh_session.h"

#define MAX_KNOWN_HOSTS (16u * 1024 * 1024)
#define REVOKED         "@revoked"

/* A key that the machine is known by, or must not show. */
struct known {
    ssh_key key;
    int line; /* of known_hosts; 0: published */
    bool revoked;
};

struct known_keys {
    struct tt_arena arena;
    TT_VEC(struct known) items;
    bool missing; /* there is no known_hosts */
};

static void release(struct known_keys *keys)
{
    TT_EACH (known, &keys->items)
        ssh_key_free(known->key);
    tt_arena_release(&keys->arena);
}

#define AUTO_KEYS __attribute__((cleanup(release))) struct known_keys

/* A line that is no key is left out. */
static void read_published_key(const char *line, struct known_keys *keys)
{
    size_t length = strcspn(line, " \t");
    char *type = tt_strndup(&keys->arena, line, length);
    char *base64 = tt_strdup(&keys->arena, line + length + strspn(line + length, " \t"));
    ssh_key key;

    base64[strcspn(base64, " \t\r")] = '\0';
    if (ssh_pki_import_pubkey_base64(base64, ssh_key_type_from_name(type), &key) == SSH_OK)
        *TT_VEC_ADD(&keys->arena, &keys->items) = (struct known){.key = key};
}

static int read_published(const struct tt_ssh_place *place, struct known_keys *keys,
                          struct tt_error *err)
{
    char *text = tt_strdup(&keys->arena, place->host_key), *line;

    while ((line = strsep(&text, "\n")))
        read_published_key(line, keys);
    if (!keys->items.count)
        return tt_fail(err, TT_ERR_SPEC,
                       "the host key that is published for %s is not a public key", place->address);
    return 0;
}

/* A line that is about another machine, or that cannot be read, is left out. */
static void read_line(const char *name, const char *line, int number, struct known_keys *keys)
{
    struct ssh_knownhosts_entry *entry = NULL;
    bool revoked;

    line += strspn(line, " \t");
    revoked = tt_starts_with(line, REVOKED) && isblank((unsigned char)line[strlen(REVOKED)]);
    if (revoked)
        line += strlen(REVOKED) + strspn(line + strlen(REVOKED), " \t");
    if (!*line || *line == '#' || *line == '@')
        return;
    if (ssh_known_hosts_parse_line(name, line, &entry) != SSH_OK || !entry)
        return;
    if (entry->publickey) {
        *TT_VEC_ADD(&keys->arena, &keys->items) =
            (struct known){.key = entry->publickey, .line = number, .revoked = revoked};
        entry->publickey = NULL;
    }
    ssh_knownhosts_entry_free(entry);
}

static int read_known_hosts(const struct tt_ssh_place *place, struct known_keys *keys,
                            struct tt_error *err)
{
    const char *name = place->port == TT_SSH_PORT
                           ? place->address
                           : tt_printf(&keys->arena, "[%s]:%d", place->address, place->port);
    struct tt_error inner = {0};
    char *text, *line;

    if (tt_file_read(&keys->arena, place->known_hosts, MAX_KNOWN_HOSTS, &text, NULL, &inner) < 0) {
        keys->missing = inner.class == TT_ERR_NOT_FOUND;
        if (!keys->missing)
            return tt_fail(err, TT_ERR_SPEC, "%s", inner.message);
        return 0;
    }
    for (int number = 1; (line = strsep(&text, "\n")); number++)
        read_line(name, line, number, keys);
    return 0;
}

static int read_keys(const struct tt_ssh_place *place, struct known_keys *keys,
                     struct tt_error *err)
{
    return place->host_key ? read_published(place, keys, err) : read_known_hosts(place, keys, err);
}

/* --- algorithms ----------------------------------------------------------------------------- */

/* The names by which a key of each type is offered, in the order in which we like them. */
static const struct {
    const char *name;
    enum ssh_keytypes_e type;
} algorithms[] = {
    {"ssh-ed25519", SSH_KEYTYPE_ED25519},
    {"ecdsa-sha2-nistp256", SSH_KEYTYPE_ECDSA_P256},
    {"ecdsa-sha2-nistp384", SSH_KEYTYPE_ECDSA_P384},
    {"ecdsa-sha2-nistp521", SSH_KEYTYPE_ECDSA_P521},
    {"rsa-sha2-512", SSH_KEYTYPE_RSA},
    {"rsa-sha2-256", SSH_KEYTYPE_RSA},
};

static bool is_known_by(const struct known_keys *keys, enum ssh_keytypes_e type)
{
    TT_EACH (known, &keys->items)
        if (!known->revoked && ssh_key_type(known->key) == type)
            return true;
    return false;
}

int tt_ssh_host_key_algorithms(const struct tt_ssh_place *place, struct tt_buf *list,
                               struct tt_error *err)
{
    AUTO_KEYS keys = {0};

    if (read_keys(place, &keys, err) < 0)
        return -1;
    for (int turn = 0; turn < 2; turn++)
        for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
            if (is_known_by(&keys, algorithms[i].type) == (turn == 0))
                tt_buf_addf(list, "%s%s", list->length ? "," : "", algorithms[i].name);
    return 0;
}

/* --- the check ------------------------------------------------------------------------------ */

static char *fingerprint(struct tt_arena *arena, ssh_key key)
{
    unsigned char *hash = NULL;
    size_t length = 0;
    char *text, *copy;

    if (ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &length) < 0)
        return tt_strdup(arena, "?");
    text = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, length);
    copy = tt_printf(arena, "%s %s", ssh_key_type_to_char(ssh_key_type(key)), text ? text : "?");
    ssh_string_free_char(text);
    ssh_clean_pubkey_hash(&hash);
    return copy;
}

static int refuse(struct tt_error *err, const char *code)
{
    if (err)
        snprintf(err->code, sizeof(err->code), "%s", code);
    return -1;
}

static int refuse_unknown(const struct tt_ssh_place *place, const struct known_keys *keys,
                          const char *shown, struct tt_error *err)
{
    tt_fail(err, TT_ERR_DENIED,
            "the host key of %s port %d (%s) is not known: %s %s. Compare it with what the machine "
            "says on its console (ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub), then add it: "
            "ssh-keyscan -p %d %s >> %s",
            place->address, place->port, shown, place->known_hosts,
            keys->missing ? "does not exist" : "has no line for it", place->port, place->address,
            place->known_hosts);
    return refuse(err, "host-key-unknown");
}

static int refuse_changed(const struct tt_ssh_place *place, const struct known *known,
                          const char *shown, const char *expected, struct tt_error *err)
{
    TT_BUF_AUTO where = {0};

    if (known->line)
        tt_buf_addf(&where, "%s line %d", place->known_hosts, known->line);
    else
        tt_buf_add(&where, "the one that its cloud published");
    tt_fail(
        err, TT_ERR_DENIED,
        "the host key of %s port %d changed: it shows %s, but %s is %s. Nothing was sent to it. "
        "Somebody may be in between, or the machine was made anew: find out which; if it was, %s",
        place->address, place->port, shown, tt_buf_text(&where), expected,
        known->line ? "replace that line" : "publish its new key");
    return refuse(err, "host-key-changed");
}

static int judge(const struct tt_ssh_place *place, struct known_keys *keys, ssh_key shown,
                 struct tt_error *err)
{
    const struct known *other = NULL, *same = NULL;

    TT_EACH (known, &keys->items) {
        bool equal = ssh_key_cmp(known->key, shown, SSH_KEY_CMP_PUBLIC) == 0;

        if (known->revoked && equal) {
            tt_fail(err, TT_ERR_DENIED, "the host key of %s port %d (%s) is revoked by %s line %d",
                    place->address, place->port, fingerprint(&keys->arena, shown),
                    place->known_hosts, known->line);
            return refuse(err, "host-key-revoked");
        }
        if (!known->revoked && equal)
            same = known;
        else if (!known->revoked && (!other || ssh_key_type(known->key) == ssh_key_type(shown)))
            other = known;
    }
    if (same)
        return 0;
    if (!other)
        return refuse_unknown(place, keys, fingerprint(&keys->arena, shown), err);
    return refuse_changed(place, other, fingerprint(&keys->arena, shown),
                          fingerprint(&keys->arena, other->key), err);
}

int tt_ssh_check_host_key(const struct tt_ssh_place *place, ssh_session session,
                          struct tt_error *err)
{
    AUTO_KEYS keys = {0};
    ssh_key shown = NULL;
    int result;

    if (read_keys(place, &keys, err) < 0)
        return -1;
    if (ssh_get_server_publickey(session, &shown) != SSH_OK)
        return tt_fail(err, TT_ERR_UNAVAILABLE, "%s port %d shows no host key", place->address,
                       place->port);
    result = judge(place, &keys, shown, err);
    ssh_key_free(shown);
    return result;
}
