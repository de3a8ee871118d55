/*
 * Proxy: the pool of a balancer machine, told and read through the agent scripts of design.md §8,
 * which are run on the machine by its provider's `run`. It knows no provider and no shell.
 */
#ifndef TT_PROVIDERS_PROXIES_PROXY_H
#define TT_PROVIDERS_PROXIES_PROXY_H

#include "providers/provider.h"

/* A machine to talk to. */
struct tt_proxy {
    struct tt_provider *provider;
    const char *region;
    const char *machine;      /* id */
    const char *address;      /* the machine's own, IP_ADDRESS of startProxy */
    const char *agent_folder; /* NULL: "/enstratus/bin" */
};

struct tt_proxy_member {
    const struct tt_service *service;
    const char *address;
    int port;
    const char *certificate, *key, *chain; /* of the balancer's TLS listener; NULL: none */
};

/* Tells the machine its listeners, algorithm and health check; idempotent, reloads only when
 * something changed. UNSUPPORTED on an image that ships without our scripts. */
int tt_proxy_configure(const struct tt_proxy *proxy, const struct tt_balancer_setup *setup,
                       struct tt_error *err);

/* Joins and leaves; idempotent. stop drains for at most DRAIN before it removes. The errors carry
 * the script's exit code (20 list, 21 backend, 22 reload) and its last line. */
int tt_proxy_start(const struct tt_proxy *proxy, const struct tt_proxy_member *member,
                   struct tt_error *err);
int tt_proxy_stop(const struct tt_proxy *proxy, const char *service, const char *address, int port,
                  tt_time drain, struct tt_error *err);

/* Joins COUNT members at once; idempotent. NOT_FOUND on an image that ships without our scripts,
 * and where a member could not be told so: each is to be started by itself then. After another
 * error some may have joined. */
int tt_proxy_start_all(const struct tt_proxy *proxy, const struct tt_proxy_member *const *members,
                       size_t count, struct tt_error *err);

/* The pool as the machine sees it, with its listeners. NOT_FOUND: the image has no listProxy. */
int tt_proxy_list(const struct tt_proxy *proxy, struct tt_arena *arena, struct tt_pool *ret_pool,
                  struct tt_error *err);

#endif
