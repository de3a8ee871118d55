/*
 * SHA-256 over libcrypto.
 */
#ifndef TT_BASE_SHA256_H
#define TT_BASE_SHA256_H

#include <stddef.h>

#include "base/arena.h"

/* The digest of SIZE bytes as 64 hexadecimal digits. */
char *tt_sha256_hex(struct tt_arena *arena, const void *data, size_t size);

#endif
