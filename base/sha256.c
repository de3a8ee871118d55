/*
 * SHA-256 over libcrypto.
 */
#include "base/sha256.h"

#include <stdio.h>

#include <openssl/sha.h>

char *tt_sha256_hex(struct tt_arena *arena, const void *data, size_t size)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    char *hex = tt_alloc(arena, sizeof(digest) * 2 + 1);

    SHA256(data, size, digest);
    for (size_t i = 0; i < sizeof(digest); i++)
        snprintf(hex + i * 2, 3, "%02x", digest[i]);
    return hex;
}
