/*
 * Web: the daemon's page and API over HTTP, by libmicrohttpd. It reads what the daemon tells
 * (serve/daemon.h) and the history of the store, and changes nothing by itself.
 */
#ifndef TT_SERVE_WEB_WEB_H
#define TT_SERVE_WEB_WEB_H

#include <stdbool.h>

#include "base/error.h"
#include "base/vec.h"
#include "serve/daemon.h"

struct tt_web;

/* Who may do what. A viewer reads; an operator approves and asks for checks, too. */
struct tt_web_token {
    const char *name;   /* whose it is: what history says of an approval */
    const char *sha256; /* of the token, 64 hexadecimal digits: the token itself is kept nowhere */
    bool is_operator;
};

struct tt_web_options {
    const char *address;     /* NULL: 127.0.0.1 */
    int port;                /* 0: a free one */
    const char *certificate; /* a file with PEM, with `key`: TLS; NULL: none */
    const char *key;
    const char *state_folder;           /* where the store is */
    TT_VEC(struct tt_web_token) tokens; /* none: everybody may read, nobody may do anything */
};

/* Whether OPTIONS would do, as far as that can be told without listening. */
int tt_web_check(const struct tt_web_options *options, struct tt_error *err);

/* Listens from now on. DAEMON must live until tt_web_stop. Errors: SPEC (an address, certificate or
 * key that does not do), CONFLICT (the port is taken), INTERNAL. */
int tt_web_start(const struct tt_web_options *options, struct tt_daemon *daemon,
                 struct tt_web **ret_web, struct tt_error *err);
/* OPTIONS from now on, with certificate and key read again; requests that come meanwhile wait,
 * those under way are answered, and then connections that stand are closed. On failure all stays as
 * it was. */
int tt_web_reload(struct tt_web *web, const struct tt_web_options *options, struct tt_error *err);
int tt_web_port(const struct tt_web *web);
/* After tt_serve_stop, so that nobody waits for events any more. */
void tt_web_stop(struct tt_web *web);

#endif
