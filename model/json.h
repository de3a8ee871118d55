/*
 * JSON: reading with the path of every value at hand, for errors that name it.
 *
 * A struct tt_json is a value and the way to it; it lives on the stack of its reader. Getters
 * return 0 and leave *ret untouched when a key is absent or null, unless it is required.
 */
#ifndef TT_MODEL_JSON_H
#define TT_MODEL_JSON_H

#include <jansson.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/error.h"
#include "model/desired.h"
#include "model/words.h"

struct tt_json {
    json_t *value;
    const struct tt_json *parent; /* NULL: the document */
    const char *key;              /* within an object; NULL: INDEX within an array */
    size_t index;
};

#define TT_JSON_MAX_SIZE (1024u * 1024 * 1024)

/* Parses SIZE bytes; RET is freed with json_decref. Errors name line and column of NAME. */
int tt_json_parse(const char *text, size_t size, const char *name, json_t **ret,
                  struct tt_error *err);

/* Checks the "format" member of a document. */
int tt_json_format(const struct tt_json *document, const char *format, struct tt_error *err);

/* States a wrong value: "accounts[0].name: expected a string, found a number". */
int tt_json_fail(const struct tt_json *json, struct tt_error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int tt_json_expected(const struct tt_json *json, const char *what, struct tt_error *err);

/* The member KEY of an object, for reading; its value is NULL when it is absent or null. */
struct tt_json tt_json_member(const struct tt_json *object, const char *key);
struct tt_json tt_json_item(const struct tt_json *array, size_t index);

int tt_json_object(const struct tt_json *json, struct tt_error *err); /* checks the type */

/* The items of array KEY; absent is empty. RET_COUNT items are read with tt_json_item of RET. */
int tt_json_array(const struct tt_json *object, const char *key, struct tt_json *ret,
                  size_t *ret_count, struct tt_error *err);

int tt_json_string(struct tt_arena *arena, const struct tt_json *object, const char *key,
                   const char **ret, struct tt_error *err);
int tt_json_required_string(struct tt_arena *arena, const struct tt_json *object, const char *key,
                            const char **ret, struct tt_error *err);
int tt_json_int(const struct tt_json *object, const char *key, int least, int most, int *ret,
                struct tt_error *err);
int tt_json_bool(const struct tt_json *object, const char *key, bool *ret, struct tt_error *err);
int tt_json_word(const struct tt_json *object, const char *key, const char *const *words, int *ret,
                 struct tt_error *err);
int tt_json_time(const struct tt_json *object, const char *key, tt_time *ret, struct tt_error *err);
int tt_json_duration(const struct tt_json *object, const char *key, tt_time *ret,
                     struct tt_error *err);
int tt_json_strings(struct tt_arena *arena, const struct tt_json *object, const char *key,
                    const struct tt_strings **ret, struct tt_error *err);

/* {port, protocol, targetPort, tls: {certificate, key, chain}} and {http: {path}} | {tcp: {}}. */
int tt_json_listeners(struct tt_arena *arena, const struct tt_json *object, const char *key,
                      const struct tt_listeners **ret, struct tt_error *err);
int tt_json_health(struct tt_arena *arena, const struct tt_json *object, const char *key,
                   const struct tt_health_check **ret, struct tt_error *err);

/* Writing: a NULL string or list becomes null. */
json_t *tt_json_from_string(const char *s);
json_t *tt_json_from_strings(const struct tt_strings *list);
json_t *tt_json_from_listeners(const struct tt_listeners *listeners);
json_t *tt_json_from_health(const struct tt_health_check *health);
json_t *tt_json_from_features(unsigned features); /* TT_FEATURE_*, as words */
void tt_json_set_known(json_t *object, const char *key, const char *value); /* unless NULL */

/* The text of VALUE, which is freed: indented with a final newline, or compact with sorted keys. */
char *tt_json_text(struct tt_arena *arena, json_t *value);
char *tt_json_compact(struct tt_arena *arena, json_t *value);

#endif
