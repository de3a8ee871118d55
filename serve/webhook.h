/*
 * Webhooks: whether a delivery comes from who knows the secret, and whether it tells of a push to
 * the branch that is followed. Pure: the secret and the time are parameters.
 *
 * Signatures are over the raw body and compared in constant time; an empty one is refused. What a
 * payload says is a hint only: the truth is fetched from Git.
 */
#ifndef TT_SERVE_WEBHOOK_H
#define TT_SERVE_WEBHOOK_H

#include "serve/config.h"
#include "serve/daemon.h"

#define TT_WEBHOOK_LARGEST ((size_t)1 << 20)

struct tt_webhook_verdict {
    int status;         /* of HTTP */
    const char *answer; /* a sentence without secrets */
    const char *id;     /* of the delivery; NULL: the form has none, or it was not sent */
    bool look;          /* it tells of a push to the branch, or does not say to which */
};

/* Judges DELIVERY by the FORM's rules. 401: not signed, or not by SECRET; 413, 415, 400: nothing
 * that can be read; 200: nothing to do; 202: LOOK. */
void tt_webhook_judge(struct tt_arena *arena, enum tt_webhook_form form, const char *secret,
                      const char *branch, const struct tt_delivery *delivery, tt_time now,
                      struct tt_webhook_verdict *ret_verdict);

/* HMAC-SHA256. */
void tt_webhook_hmac(const void *key, size_t key_size, const void *data, size_t size,
                     unsigned char ret_digest[32]);

/* The digest as hexadecimal digits in ARENA. */
char *tt_webhook_hex(struct tt_arena *arena, const unsigned char digest[32]);

/* True when TEXT is DIGEST in hexadecimal digits of either case; in constant time. */
bool tt_webhook_is_hex(const char *text, const unsigned char digest[32]);

/* Decodes standard base64; NULL: it is none. */
unsigned char *tt_webhook_base64(struct tt_arena *arena, const char *text, size_t length,
                                 size_t *ret_size);

#endif
