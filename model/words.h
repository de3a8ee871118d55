/*
 * The words that specs, worlds, plans and commands share: enumerations with their spellings,
 * lists of strings, amounts. One word per thing everywhere.
 */
#ifndef TT_MODEL_WORDS_H
#define TT_MODEL_WORDS_H

#include <stdbool.h>

#include "base/vec.h"

/* A list of strings; zeroed is empty. Fits TT_VEC_ADD and TT_EACH. */
struct tt_strings {
    const char **items;
    size_t count;
    size_t capacity;
};

bool tt_strings_has(const struct tt_strings *list, const char *s);
void tt_strings_add(struct tt_arena *arena, struct tt_strings *list, const char *s);
void tt_strings_sort(struct tt_strings *list);
bool tt_strings_equal_sets(const struct tt_strings *a, const struct tt_strings *b);
/* "a, b, c", or EMPTY when there are none. */
char *tt_strings_join(struct tt_arena *arena, const struct tt_strings *list, const char *empty);

/* A number, or a percentage of something. */
struct tt_amount {
    int value;
    bool percent;
};

/* Of COUNT: a percentage rounds up or down; a number is itself. */
int tt_amount_up(struct tt_amount amount, int count);
int tt_amount_down(struct tt_amount amount, int count);

enum tt_provider_kind {
    TT_PROVIDER_LOCAL,
    TT_PROVIDER_SSH,
    TT_PROVIDER_AWS,
    TT_PROVIDER_CLOUDSTACK,
    TT_PROVIDER_OPENSTACK,
    TT_PROVIDER_FILE,
    TT_PROVIDER_SIM,
    TT_PROVIDER_KINDS,
};

/* What a provider can do; a set of bits. */
enum tt_feature {
    TT_FEATURE_CLOUD_BALANCER = 1u << 0,  /* "cloud-balancer" */
    TT_FEATURE_ELASTIC_ADDRESS = 1u << 1, /* "elastic-address" */
    TT_FEATURE_START_SERVER = 1u << 2,    /* "start-server": a stopped machine can be started */
};

/* The features of a provider by its kind alone; `file` has none until a snapshot names them. */
unsigned tt_provider_kind_features(enum tt_provider_kind kind);
/* How long a machine that was made may not be seen yet, in ms; this host shows its own at once. */
int tt_provider_kind_lateness(enum tt_provider_kind kind);
/* False for `ssh`, whose machines are there before trimtab is. */
bool tt_provider_kind_makes_machines(enum tt_provider_kind kind);

enum tt_balancer_type { TT_BALANCER_CLOUD, TT_BALANCER_VM_DYNAMIC, TT_BALANCER_VM_STATIC };
enum tt_scope { TT_SCOPE_GLOBAL, TT_SCOPE_REGIONAL, TT_SCOPE_DATA_CENTER };
enum tt_algorithm { TT_ALGORITHM_ROUND_ROBIN, TT_ALGORITHM_LEAST_CONNECTIONS, TT_ALGORITHM_SOURCE };
enum tt_software { TT_SOFTWARE_HAPROXY, TT_SOFTWARE_MOD_JK, TT_SOFTWARE_ZEUS };
enum tt_protocol { TT_PROTOCOL_HTTP, TT_PROTOCOL_HTTPS, TT_PROTOCOL_TCP, TT_PROTOCOL_SSL };
enum tt_zone_state { TT_ZONE_AVAILABLE, TT_ZONE_IMPAIRED };
enum tt_server_state {
    TT_SERVER_PENDING,
    TT_SERVER_RUNNING,
    TT_SERVER_STOPPED,
    TT_SERVER_FAILED,
    TT_SERVER_GONE,
};
enum tt_health { TT_HEALTH_UNKNOWN, TT_HEALTH_PASSING, TT_HEALTH_FAILING };
enum tt_member_state {
    TT_MEMBER_IN_SERVICE,
    TT_MEMBER_OUT_OF_SERVICE,
    TT_MEMBER_DRAINING,
    TT_MEMBER_UNKNOWN,
};
enum tt_action {
    TT_STEP_CREATE_SERVER,
    TT_STEP_START_SERVER,
    TT_STEP_DELETE_SERVER,
    TT_STEP_ENROLL,
    TT_STEP_WITHDRAW,
    TT_STEP_SET_ZONES,
    TT_STEP_SET_LISTENERS,
    TT_STEP_SET_HEALTH_CHECK,
    TT_STEP_MOVE_ADDRESS,
    TT_STEP_FENCE,
    TT_STEP_TAG,
};
enum tt_because {
    TT_BECAUSE_MISSING,
    TT_BECAUSE_FAILED,
    TT_BECAUSE_ZONE_VIOLATION,
    TT_BECAUSE_UNEVEN,
    TT_BECAUSE_OUTDATED,
    TT_BECAUSE_SURPLUS,
    TT_BECAUSE_DUPLICATE,
    TT_BECAUSE_REMOVED,
    TT_BECAUSE_DEPLOYMENT_STOPPED,
    TT_BECAUSE_BALANCER_REPLACED,
    TT_BECAUSE_DRIFT,
};
enum tt_severity { TT_SEVERITY_ERROR, TT_SEVERITY_WARNING, TT_SEVERITY_INFO };
enum tt_subject_kind { TT_SUBJECT_SERVICE, TT_SUBJECT_LOAD_BALANCER };
enum tt_result { TT_RESULT_NONE, TT_RESULT_CHANGES, TT_RESULT_HELD, TT_RESULT_ERROR };

/* The spelling of each enumeration: entry I is the word of enumerator I; NULL ends the list. */
extern const char *const tt_provider_kind_words[];
extern const char *const tt_balancer_type_words[];
extern const char *const tt_scope_words[];
extern const char *const tt_algorithm_words[];
extern const char *const tt_software_words[];
extern const char *const tt_protocol_words[];
extern const char *const tt_zone_state_words[];
extern const char *const tt_server_state_words[];
extern const char *const tt_health_words[];
extern const char *const tt_member_state_words[];
extern const char *const tt_action_words[];
extern const char *const tt_because_words[];
extern const char *const tt_severity_words[];
extern const char *const tt_subject_kind_words[];
extern const char *const tt_result_words[];
extern const char *const tt_feature_words[]; /* entry I is the word of bit 1u << I */

/* The index of WORD in WORDS, or -1. */
int tt_word_find(const char *const *words, const char *word);

#endif
