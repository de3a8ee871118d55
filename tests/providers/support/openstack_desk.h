/*
 * OpenStack desk: an account whose services stand at one scripted server. Include cmocka.h first.
 */
#ifndef TT_TESTS_OPENSTACK_DESK_H
#define TT_TESTS_OPENSTACK_DESK_H

#include "base/error.h"
#include "base/str.h"
#include "providers/openstack/openstack.h"
#include "providers/tally.h"
#include "tests/providers/support/jumping.h"
#include "tests/providers/support/scripted.h"

#define DESK_MOST 32

/* An account whose services stand at one server; each request gets the answers that were set for
 * what it begins with, the last again and again. */
struct desk {
    struct scripted server;
    struct jumping jumping;
    struct tt_arena arena;
    struct tt_account account;
    struct tt_tally tally;
    struct tt_provider *provider;
    struct tt_region region;
    struct tt_error err;
    char folder[64];
    struct answer {
        const char *request;
        struct scripted_answer answer;
        bool given;
        bool again; /* and never what was set later */
    } answers[DESK_MOST];
    size_t count;
};

/* For cmocka; the account is the variables DESK_*, and not open. */
int desk_begin(void **state);
int desk_end(void **state);

void desk_set(struct desk *desk, const char *request, int status, const char *body);
/* A Keystone that gives a token until then. */
void desk_keystone(struct desk *desk, const char *expires);
/* A Nova of that VERSION, and the rest with nothing in it; its servers stay to be set. */
void desk_nova(struct desk *desk, const char *version);
void desk_no_servers(struct desk *desk);

int desk_open(struct desk *desk);
void desk_open_well(struct desk *desk);
/* Observes north, with the members of BALANCER unless it is NULL. */
int desk_look(struct desk *desk, const char *balancer);

/* RESULT is -1, and the error that class and words, without a secret. */
void desk_failed(struct desk *desk, int result, enum tt_error_class class, const char *why);
/* Requests to an API. */
int desk_count(struct desk *desk, const char *api);
bool desk_was_asked(struct desk *desk, const char *text);

#endif
