/*
 * Scripted: a loopback HTTP server that answers as it was told, faults included, and keeps what it
 * was asked. For tests of what talks to clouds.
 */
#ifndef TT_TESTS_SCRIPTED_H
#define TT_TESTS_SCRIPTED_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#define SCRIPTED_MOST 512

enum scripted_fault {
    SCRIPTED_NONE,
    SCRIPTED_HANG_UP, /* reads the request, closes without an answer */
    SCRIPTED_CUT,     /* half of the body that was announced */
    SCRIPTED_SILENT,  /* no answer, the connection stays until the end of the test */
    SCRIPTED_ENDLESS, /* a body that goes on for as long as it is read */
    SCRIPTED_STALL,   /* the head, then nothing */
    SCRIPTED_GARBAGE, /* what is not HTTP */
};

struct scripted_answer {
    int status;          /* 0: 200 */
    const char *headers; /* each "Name: value\r\n"; NULL: none */
    const char *body;    /* NULL: empty; copied by nobody: must outlive the server */
    size_t size;         /* 0: strlen(body) */
    int delay;           /* ms before the answer */
    enum scripted_fault fault;
};

struct scripted {
    int listener;
    int port;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t quiet;
    int open; /* connections that are served */
    bool ending;
    struct scripted_answer script[SCRIPTED_MOST];
    int script_count, script_next;
    char *requests[SCRIPTED_MOST]; /* head and body as they came */
    int request_count;
    int connection_count;
    int fds[SCRIPTED_MOST];
    /* NULL, or asked for every request instead of the script; returns false to use the script */
    bool (*answer)(void *self, const char *request, struct scripted_answer *ret_answer);
    void *self;
};

void scripted_start(struct scripted *server);
void scripted_stop(struct scripted *server);

/* Adds to the script; when it is at its end the answer is an empty 200. */
void scripted_say(struct scripted *server, struct scripted_answer answer);

int scripted_requests(struct scripted *server);
int scripted_connections(struct scripted *server);

/* The text of a request, from 0; "" when there was none. */
const char *scripted_request(struct scripted *server, int index);

#endif
