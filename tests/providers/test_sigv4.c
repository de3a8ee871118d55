/*
 * Signature Version 4 with AWS's published vectors, each a folder of tests/data/aws-sigv4.
 * Covers providers/aws/sigv4.c.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/file.h"
#include "base/sha256.h"
#include "base/str.h"
#include "providers/aws/sigv4.h"

#define VECTORS TT_SOURCE_DIR "/tests/data/aws-sigv4"
#define MOST    64

/* One case, read from its folder. */
struct vector {
    struct tt_arena arena;
    const char *folder;
    struct tt_aws_key key;
    struct tt_http_headers headers;
    struct tt_sigv4_request request;
    const char *token; /* of the context, signed or not */
    bool signs_body;
};

static char *read_part(struct vector *vector, const char *name)
{
    struct tt_error err = {0};
    char *text;

    if (tt_file_read(&vector->arena, tt_printf(&vector->arena, "%s/%s", vector->folder, name),
                     1 << 20, &text, NULL, &err) < 0)
        fail_msg("%s", err.message);
    return text;
}

static const char *string_of(struct vector *vector, const json_t *object, const char *key)
{
    return tt_strdup(&vector->arena, json_string_value(json_object_get(object, key)));
}

static void read_context(struct vector *vector)
{
    json_t *context = json_loads(read_part(vector, "context.json"), 0, NULL);
    const json_t *credentials = json_object_get(context, "credentials");

    assert_non_null(context);
    vector->key =
        (struct tt_aws_key){.id = string_of(vector, credentials, "access_key_id"),
                            .secret = string_of(vector, credentials, "secret_access_key")};
    vector->token = string_of(vector, credentials, "token");
    if (json_is_true(json_object_get(context, "omit_session_token")))
        vector->token = NULL;
    vector->signs_body = json_is_true(json_object_get(context, "sign_body"));
    vector->request.normalize = json_is_true(json_object_get(context, "normalize"));
    vector->request.region = string_of(vector, context, "region");
    vector->request.service = string_of(vector, context, "service");
    assert_int_equal(tt_time_parse(string_of(vector, context, "timestamp"), &vector->request.at),
                     0);
    json_decref(context);
}

static void add_header(struct vector *vector, const char *name, const char *value)
{
    *TT_VEC_ADD(&vector->arena, &vector->headers) = (struct tt_http_header){name, value};
}

/* "Name:value", or the next line of the header before. */
static void read_header(struct vector *vector, const char *line)
{
    const char *colon = strchr(line, ':');

    if (*line == ' ') {
        struct tt_http_header *last = &vector->headers.items[vector->headers.count - 1];

        last->value = tt_printf(&vector->arena, "%s\n%s", last->value, line);
        return;
    }
    assert_non_null(colon);
    add_header(vector, tt_strndup(&vector->arena, line, (size_t)(colon - line)), colon + 1);
}

/* "GET /path with spaces?query HTTP/1.1" */
static void read_target(struct vector *vector, char *line)
{
    char *target = strchr(line, ' '), *end = strrchr(line, ' '), *query;

    assert_true(target && end > target);
    *target++ = *end = '\0';
    query = strchr(target, '?');
    if (query)
        *query++ = '\0';
    vector->request.method = line;
    vector->request.path = target;
    vector->request.query = query;
}

static void read_request(struct vector *vector)
{
    char *text = read_part(vector, "request.txt");
    char *body = strstr(text, "\n\n");
    char *rest = NULL;

    if (body)
        *body = '\0';
    vector->request.body = body ? body + 2 : "";
    vector->request.size = strlen(vector->request.body);
    read_target(vector, strtok_r(text, "\n", &rest));
    for (char *line = strtok_r(NULL, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        read_header(vector, line);
    add_header(vector, "X-Amz-Date", tt_sigv4_date(&vector->arena, vector->request.at));
    if (vector->token)
        add_header(vector, "X-Amz-Security-Token", vector->token);
    if (vector->signs_body)
        add_header(vector, "x-amz-content-sha256",
                   tt_sha256_hex(&vector->arena, vector->request.body, vector->request.size));
    vector->request.headers = &vector->headers;
}

static void test_vector(void **state)
{
    struct vector vector = {.folder = *state};
    struct tt_sigv4 sign;

    read_context(&vector);
    read_request(&vector);
    tt_sigv4_sign(&vector.arena, &vector.key, &vector.request, &sign);
    assert_string_equal(sign.canonical, read_part(&vector, "header-canonical-request.txt"));
    assert_string_equal(sign.to_sign, read_part(&vector, "header-string-to-sign.txt"));
    assert_string_equal(sign.signature, read_part(&vector, "header-signature.txt"));
    assert_non_null(strstr(sign.authorization, sign.signature));
    assert_non_null(strstr(sign.authorization, "Credential=AKIDEXAMPLE/20150830/us-east-1/"));
    assert_null(strstr(sign.authorization, vector.key.secret));
    tt_arena_release(&vector.arena);
}

static size_t find_vectors(struct tt_arena *arena, struct CMUnitTest *tests)
{
    DIR *folder = opendir(VECTORS);
    const struct dirent *entry;
    size_t count = 0;

    if (!folder)
        abort();
    while ((entry = readdir(folder)) && count < MOST)
        if (tt_starts_with(entry->d_name, "get-") || tt_starts_with(entry->d_name, "post-"))
            tests[count++] = (struct CMUnitTest){
                .name = tt_strdup(arena, entry->d_name),
                .test_func = test_vector,
                .initial_state = tt_printf(arena, "%s/%s", VECTORS, entry->d_name),
            };
    closedir(folder);
    return count;
}

int main(void)
{
    struct CMUnitTest tests[MOST];
    struct tt_arena arena = {0};
    size_t count = find_vectors(&arena, tests);
    int failed;

    if (count != 38) {
        fprintf(stderr, "%zu vectors, not 38\n", count);
        return 1;
    }
    failed = _cmocka_run_group_tests("sigv4", tests, count, NULL, NULL);
    tt_arena_release(&arena);
    return failed;
}
