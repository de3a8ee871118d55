/*
 * AJP server: a little server that mod_jk talks to, with an address of its own, which can be told
 * from its like (ajp_server.py). Include cmocka.h first.
 */
#ifndef TT_TESTS_AJP_SERVER_H
#define TT_TESTS_AJP_SERVER_H

#include "tests/providers/support/agent_machine.h"

struct ajp_server {
    const char *name;    /* "w0": what it answers; after its number */
    const char *address; /* x.y.z.10 + number */
    int port;
    pid_t pid;
};

/* A request for /slow makes the file NAME.held in the machine's root and waits for NAME.release. */
void ajp_server_start(struct ajp_server *server, struct agent_machine *machine, int number);
void ajp_server_stop(const struct ajp_server *server);

#endif
