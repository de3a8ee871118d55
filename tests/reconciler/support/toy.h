/*
 * Toy: a cloud in memory that does exactly what a test tells it, with a clock that never waits.
 *
 * A machine runs after BOOT observations, a member is in service after one and gone one after its
 * withdrawal. Balancer machines know the agent scripts. Any call can be made to fail, before or
 * after it took effect.
 */
#ifndef TT_TESTS_TOY_H
#define TT_TESTS_TOY_H

#include <pthread.h>
#include <stdatomic.h>

#include "providers/provider.h"
#include "reconciler/clouds.h"

#define TOY_MOST 2048

enum toy_call {
    TOY_OBSERVE,
    TOY_CREATE,
    TOY_DELETE,
    TOY_START,
    TOY_ENROLL,
    TOY_WITHDRAW,
    TOY_ZONES,
    TOY_MOVE,
    TOY_RUN,
    TOY_CALLS,
};

struct toy_machine {
    const char *id, *name, *zone, *token;
    const char *private_address, *public_address;
    struct tt_tags tags;
    enum tt_server_state state;
    enum tt_health health;
    tt_time created_at;
    int looks; /* observations until it runs */
};

struct toy_member {
    const char *machine; /* of the pool; NULL: of the cloud balancer */
    const char *service; /* of a pool */
    const char *server;  /* its id, or its address in a pool */
    int port;
    enum tt_member_state state;
};

struct toy {
    struct tt_provider provider;
    pthread_mutex_t lock;
    struct tt_arena arena;
    struct tt_clock clock;
    tt_time now;
    struct toy_machine machines[TOY_MOST];
    int machine_count;
    struct toy_member members[TOY_MOST];
    int member_count;
    struct tt_strings zones;
    const char *address_holder;
    int calls[TOY_CALLS];
    int busy, most_busy; /* calls under way that change something */
    int drain;           /* seconds that were told last; -1: none */
    int call_time;       /* real microseconds that each of them takes */
    /* settings */
    int boot;
    const char *address; /* the private one of every new machine; NULL: its own */
    bool no_public;      /* new machines get no public address */
    bool fail_boot;      /* new machines fail instead of running */
    bool never_run;
    bool no_list;  /* balancer machines without listProxy */
    bool old_stop; /* and with a stopProxy that knows the address alone */
    struct {
        enum toy_call call;
        int nth, times; /* from the NTH call on, TIMES calls; 0: none */
        enum tt_error_class class;
        const char *code;
        bool after;
    } fault;
};

void toy_init(struct toy *toy);
void toy_release(struct toy *toy);

/* An account ACCOUNT that is this cloud, as an entry of CLOUDS. */
void toy_add(struct tt_arena *arena, struct tt_clouds *clouds, const struct tt_account *account,
             struct toy *toy);

/* The machine with this id or name that is not gone; NULL: none. */
struct toy_machine *toy_find(struct toy *toy, const char *id_or_name);
int toy_count(const struct toy *toy); /* machines that are not gone */
struct toy_machine *toy_add_machine(struct toy *toy, const char *id, const struct tt_tags *tags);
const struct toy_member *toy_member(const struct toy *toy, const char *server);

#endif
