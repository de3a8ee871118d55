/*
 * Fixture: a daemon, the bare repository that it follows with a work tree beside it, and a clock
 * that can be moved. Include cmocka.h first.
 */
#ifndef TT_TESTS_SERVE_FIXTURE_H
#define TT_TESTS_SERVE_FIXTURE_H

#include <stdatomic.h>

#include "serve/serve.h"

#define FIXTURE_SECRET "a secret"

struct fixture {
    struct tt_arena arena;
    char place[64];
    const char *tree, *bare, *state, *config;
    const char *suspended; /* a deployment, or NULL */
    const char *program;   /* what its runs are; trimtab */
    const char *said;      /* on standard error, by what was run last */
    struct tt_clock clock; /* the daemon's */
    atomic_llong moved;    /* by so much, from the host's */
    struct tt_daemon *daemon;
};

/* A repository without a commit; its daemon is started by fixture_start. */
int fixture_set_up(void **state);
int fixture_tear_down(void **state);
void fixture_start(struct fixture *fixture);
void fixture_stop(struct fixture *fixture);

void fixture_write_file(const char *path, const char *text);
/* Words up to NULL; git has to end well, and trimtab's code is returned. */
void fixture_git(struct fixture *fixture, ...);
int fixture_trimtab(struct fixture *fixture, ...);

/* Pushes three deployments, a, b and c, with so many servers each, in clouds of their own. */
void fixture_push(struct fixture *fixture, int a, int b, int c);
/* POLICY_OF_A: as ", onPush: plan". */
void fixture_push_with(struct fixture *fixture, int a, int b, int c, const char *policy_of_a);
/* A delivery for HOOK, signed with KEY; ID NULL: without one. The status. */
int fixture_deliver(struct fixture *fixture, const char *hook, const char *key, const char *id);

struct tt_daemon_counts fixture_counts(struct fixture *fixture);
struct tt_daemon_deployment *fixture_deployment(struct fixture *fixture, const char *name);
/* Until so many runs have ended (of failed ones: at least), and none runs or waits. */
void fixture_wait_for_runs(struct fixture *fixture, uint64_t done, uint64_t failed, uint64_t held);
/* Until NAME has failed at least so often in a row. */
void fixture_wait_for_failures(struct fixture *fixture, const char *name, int failures);
/* What is said of NAME has PART in it. */
void fixture_expect_message(struct fixture *fixture, const char *name, const char *part);
void fixture_nap(void);

#endif
