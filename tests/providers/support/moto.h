/*
 * Moto: the test's own AWS, tests/clouds/aws/cloud.py on a free port of this host.
 */
#ifndef TT_TESTS_MOTO_H
#define TT_TESTS_MOTO_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

struct moto {
    pid_t pid;
    int input; /* it ends when this is closed */
    int port;
};

/* SOURCE is the checkout. False when it cannot be had on this host, after saying why. */
bool moto_start(struct moto *moto, const char *source);

/* The same of another double: SCRIPT prints {"port": N} and lives until its input ends. */
void moto_spawn(struct moto *moto, const char *python, const char *script);

void moto_stop(struct moto *moto);

/* Posts TEXT (NULL: gets) and returns the answer, for json_decref. Aborts on failure. */
json_t *moto_ask(const struct moto *moto, const char *path, const char *text);

#endif
