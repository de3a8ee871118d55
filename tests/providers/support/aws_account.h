/*
 * An account of AWS whose answers a test writes itself, on a scripted server: what moto cannot do.
 */
#ifndef TT_TESTS_AWS_ACCOUNT_H
#define TT_TESTS_AWS_ACCOUNT_H

#include "providers/aws/aws.h"
#include "providers/tally.h"
#include "tests/providers/support/jumping.h"
#include "tests/providers/support/scripted.h"

struct aws_account {
    struct scripted server;
    struct jumping jumping;
    struct tt_arena arena;
    struct tt_account account;
    struct tt_tally tally;
    struct tt_provider *provider;
    struct tt_region region; /* of the last look */
    struct tt_error err;
    char folder[64]; /* the test's own */
};

/* The server, and a clock that jumps; nothing is open yet. */
int aws_account_begin(void **state);
int aws_account_end(void **state);

/* Opens it with whatever credentials are set; the result is that of open. */
int aws_account_open(struct aws_account *account);

/* Adds an answer with that body. */
void aws_account_say(struct aws_account *account, int status, const char *body);

/* Observes the region us-east-1 as owner acme. */
int aws_account_look(struct aws_account *account);

/* How many requests of that API were sent. */
int aws_account_count(struct aws_account *account, const char *api);

#endif
