/*
 * Signature Version 4: signs a request to an AWS service by headers.
 * Source: "Create a signed AWS API request", IAM User Guide; tested with AWS's published vectors.
 */
#ifndef TT_PROVIDERS_AWS_SIGV4_H
#define TT_PROVIDERS_AWS_SIGV4_H

#include "base/clock.h"
#include "providers/http/http.h"

struct tt_aws_key {
    const char *id;
    const char *secret;
    const char *token; /* of a session; NULL: none */
};

/* What is signed. Every header given is signed; "host" and "x-amz-date" have to be among them. */
struct tt_sigv4_request {
    const char *method;
    const char *path;  /* as it is meant, not yet escaped */
    const char *query; /* without the question mark; NULL or "": none */
    bool normalize;    /* remove dot segments and doubled slashes of the path */
    const struct tt_http_headers *headers;
    const char *body;
    size_t size;
    const char *region;
    const char *service;
    tt_time at;
};

struct tt_sigv4 {
    const char *canonical;     /* the canonical request */
    const char *to_sign;       /* the string to sign */
    const char *signature;     /* 64 hexadecimal digits */
    const char *authorization; /* the value of the Authorization header */
};

/* "20261123T040000Z", the value of x-amz-date. */
char *tt_sigv4_date(struct tt_arena *arena, tt_time at);

void tt_sigv4_sign(struct tt_arena *arena, const struct tt_aws_key *key,
                   const struct tt_sigv4_request *request, struct tt_sigv4 *ret_signed);

/* Signs REQUEST, whose address has no query, by headers that are added to it. */
void tt_sigv4_add(struct tt_arena *arena, const struct tt_aws_key *key, const char *service,
                  const char *region, tt_time at, struct tt_http_request *request);

#endif
