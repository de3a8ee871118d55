/*
 * Reply: JSON in replies, the members of an object as C values. Some servers give numbers and flags
 * as texts; both are read.
 */
#ifndef TT_PROVIDERS_HTTP_REPLY_H
#define TT_PROVIDERS_HTTP_REPLY_H

#include <jansson.h>
#include <stdbool.h>

#include "base/arena.h"

/* Its reference is given up at the end of the block. */
#define TT_REPLY_AUTO __attribute__((cleanup(tt_reply_drop))) json_t
void tt_reply_drop(json_t **json);

/* The text or number at KEY as a text in ARENA; NULL when there is none or it is empty. */
const char *tt_reply_text(struct tt_arena *arena, const json_t *object, const char *key);

/* The text at KEY, as long as OBJECT lives; NULL when there is none or it is empty. */
const char *tt_reply_peek(const json_t *object, const char *key);

/* A whole number that is not negative; FALLBACK when there is none. */
int tt_reply_number(const json_t *object, const char *key, int fallback);
bool tt_reply_flag(const json_t *object, const char *key);

#endif
