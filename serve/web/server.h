/*
 * Server: libmicrohttpd with one configuration, for the files that the web is made of.
 */
#ifndef TT_SERVE_WEB_SERVER_H
#define TT_SERVE_WEB_SERVER_H

#include <microhttpd.h>
#include <stdatomic.h>

#include "reconciler/store.h"
#include "serve/web/slow.h"
#include "serve/web/web.h"

struct tt_web_server {
    struct tt_arena arena;
    struct tt_web_options options; /* in the arena */
    struct tt_daemon *daemon;
    struct tt_store *store; /* NULL: there is none */
    struct MHD_Daemon *http;
    atomic_bool ending; /* those who wait for events leave */
    struct tt_slow slow;
};

/* exchange.c: MHD's callbacks; SELF is a struct tt_web_server. */
enum MHD_Result tt_web_on_request(void *self, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **state);
void tt_web_on_end(void *self, struct MHD_Connection *connection, void **state,
                   enum MHD_RequestTerminationCode code);

/* tls.c: the certificate (its chain, too) and key of OPTIONS as text in ARENA. SPEC: they do not
 * do; the message says why and what to do. */
int tt_web_read_tls(struct tt_arena *arena, const struct tt_web_options *options,
                    char **ret_certificate, char **ret_key, struct tt_error *err);

#endif
