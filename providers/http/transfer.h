/*
 * Transfer: one HTTP exchange over a libcurl handle, and what its failure means. Inside of
 * providers/http/ alone.
 */
#ifndef TT_PROVIDERS_HTTP_TRANSFER_H
#define TT_PROVIDERS_HTTP_TRANSFER_H

#include <curl/curl.h>

#include "providers/http/http.h"

/* Makes REQUEST once, as it stands. -1 when there was no whole reply: UNAVAILABLE (nothing left, or
 * it reads) or TIMEOUT; SPEC for an address that is none; DENIED for a certificate that is not
 * trusted; INTERNAL for a reply over the limit of a request that reads. */
int tt_http_transfer(CURL *easy, const struct tt_http_settings *settings,
                     const struct tt_http_request *request, struct tt_arena *arena,
                     struct tt_http_reply *ret_reply, struct tt_error *err);

#endif
