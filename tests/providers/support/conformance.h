/*
 * Conformance: what providers/provider.h promises, as tests that every provider must pass. A
 * provider brings a fixture; what it cannot show there is skipped by name.
 */
#ifndef TT_TESTS_CONFORMANCE_H
#define TT_TESTS_CONFORMANCE_H

#include "providers/provider.h"

/* Attributes of a server that a provider reads back. */
enum tt_reads_back {
    TT_READS_SIZE = 1u << 0,
    TT_READS_FIREWALLS = 1u << 1,
    TT_READS_KEY = 1u << 2,
    TT_READS_NETWORK = 1u << 3,
};

/* An open account and what is in it. */
struct tt_conformance {
    struct tt_provider *provider;
    struct tt_provider *other; /* another account, of another name, with the same region */
    const char *owner;
    const char *region;
    const char *const *zones; /* at least two, ends with NULL; the only one there is twice */
    const char *template;
    bool refuses_templates;        /* an unknown one is an error of create_server */
    const char *balancer_template; /* of a machine with the agent; NULL: none */
    const char *agent_folder;      /* where the scripts are on it */
    bool no_firewalls;             /* there is none that a machine could be in */
    unsigned reads_back;           /* TT_READS_* */
    const char *foreign;           /* id of a machine without the owner's mark; NULL: none */
    const char *foreign_name;
    const char *balancer; /* a cloud balancer that exists; NULL: none */
    int least_zones;      /* that it can have; 0: one. The fixture has one more at least */
    const char *address;  /* an elastic address that exists; NULL: none */
    const struct tt_clock *clock;
    tt_time patience; /* the longest wait for something to become so */
};

struct tt_conformance_provider {
    const char *name;
    const struct tt_provider_ops *ops;
    void (*begin)(struct tt_conformance *ret_fixture); /* for each test a fresh one */
    void (*end)(struct tt_conformance *fixture);       /* all owned machines are deleted before */
};

/* The number of tests that failed. */
int tt_conformance_run(const struct tt_conformance_provider *provider);

#endif
