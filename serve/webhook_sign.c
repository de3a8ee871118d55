/*
 * Signatures: HMAC-SHA256, hexadecimal digits and base64, over libcrypto.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/str.h"
#include "serve/webhook.h"

#define DIGEST 32

void tt_webhook_hmac(const void *key, size_t key_size, const void *data, size_t size,
                     unsigned char ret_digest[32])
{
    unsigned length = DIGEST;

    if (!HMAC(EVP_sha256(), key, (int)key_size, data, size, ret_digest, &length))
        abort();
}

char *tt_webhook_hex(struct tt_arena *arena, const unsigned char digest[32])
{
    char *text = tt_alloc(arena, 2 * DIGEST + 1);

    for (int i = 0; i < DIGEST; i++)
        snprintf(text + (ptrdiff_t)2 * i, 3, "%02x", digest[i]);
    return text;
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool tt_webhook_is_hex(const char *text, const unsigned char digest[32])
{
    unsigned char bytes[DIGEST];

    if (strlen(text) != (size_t)2 * DIGEST)
        return false;
    for (int i = 0; i < DIGEST; i++) {
        int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        bytes[i] = (unsigned char)(high * 16 + low);
    }
    return CRYPTO_memcmp(bytes, digest, DIGEST) == 0;
}

unsigned char *tt_webhook_base64(struct tt_arena *arena, const char *text, size_t length,
                                 size_t *ret_size)
{
    unsigned char *bytes = tt_alloc(arena, length / 4 * 3 + 1);
    int size;

    if (length == 0 || length % 4 || length > (size_t)1 << 20)
        return NULL;
    size = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)length);
    if (size < 0)
        return NULL;
    *ret_size = (size_t)size - (text[length - 1] == '=') - (text[length - 2] == '=');
    return bytes;
}
