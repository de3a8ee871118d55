/*
 * A local cloud of its own for a test: a state folder, one account with the templates that the
 * tests run, and the machines that were made in it. Include cmocka.h first.
 */
#ifndef TT_TESTS_LOCAL_CLOUD_H
#define TT_TESTS_LOCAL_CLOUD_H

#include <sys/types.h>

#include "providers/provider.h"

struct local_cloud {
    struct tt_arena arena;
    struct tt_error err;
    char folder[64]; /* the state folder */
    struct tt_account account;
    struct tt_provider *provider;
};

/* Fixtures of cmocka: *STATE becomes a struct local_cloud *. The end deletes every machine. */
int local_cloud_begin(void **state);
int local_cloud_end(void **state);

/* The cloud again, as OWNER. */
struct tt_provider *local_cloud_open(struct local_cloud *cloud, const char *owner);

/* Adds a template whose command are WORDS, split at spaces. */
void local_cloud_template(struct local_cloud *cloud, const char *name, const char *words);

/* Adds a template that runs SCRIPT with sh. */
void local_cloud_script(struct local_cloud *cloud, const char *name, const char *script);

/* Makes a machine of acme; the token and the incarnation are TOKEN. Does not assert. */
int local_cloud_create(struct local_cloud *cloud, struct tt_provider *provider,
                       const char *template, const char *token, int port, struct tt_arena *arena,
                       const char **ret_id, struct tt_error *err);

/* As above, in the cloud's arena; fails the test when it cannot. */
const char *local_cloud_make(struct local_cloud *cloud, const char *template, const char *token,
                             int port);

/* The machine as it is seen; NULL: it is gone. */
const struct tt_server *local_cloud_look(struct local_cloud *cloud, const char *id);
size_t local_cloud_count(struct local_cloud *cloud);

/* Waits at most ten seconds until the machine has STATE. */
void local_cloud_await(struct local_cloud *cloud, const char *id, enum tt_server_state state);

/* The folder of a machine; the number of its supervisor; how many processes carry its mark. */
const char *local_cloud_folder(struct local_cloud *cloud, const char *id);
pid_t local_cloud_supervisor(struct local_cloud *cloud, const char *id);
int local_cloud_processes(struct local_cloud *cloud, const char *id, pid_t *ret_one);
void local_cloud_await_processes(struct local_cloud *cloud, const char *id, int count);

#define call_ok(cloud, call)                                                                       \
    do {                                                                                           \
        if ((call) < 0)                                                                            \
            fail_msg("%s: %s: %s", #call, tt_error_class_name((cloud)->err.class),                 \
                     (cloud)->err.message);                                                        \
    } while (0)

/* The call fails with CLASS and says WORDS. */
#define call_fails(cloud, expected, words, call)                                                   \
    do {                                                                                           \
        (cloud)->err = (struct tt_error){0};                                                       \
        assert_int_equal((call), -1);                                                              \
        assert_string_equal(tt_error_class_name((cloud)->err.class),                               \
                            tt_error_class_name(expected));                                        \
        if (!strstr((cloud)->err.message, (words)))                                                \
            fail_msg("\"%s\" does not say \"%s\"", (cloud)->err.message, (words));                 \
    } while (0)

#endif
