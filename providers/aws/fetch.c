/*
 * Fetch: asks a source for its key: a process, STS, a container's or a machine's metadata.
 */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "model/json.h"
#include "providers/aws/actions.h"
#include "providers/aws/endpoint.h"
#include "providers/aws/source.h"
#include "providers/aws/xml.h"
#include "providers/shell/shell.h"

#define TOKEN_LIMIT      ((size_t)64 * 1024)
#define METADATA_TIMEOUT 2000
#define PROCESS_TIMEOUT  60000
#define MOST_WORDS       64

/* --- what comes back ------------------------------------------------------------------------ */

static int read_parts(struct tt_arena *arena, const struct tt_json *document, const char *token,
                      struct tt_aws_fetched *ret_fetched)
{
    if (tt_json_object(document, NULL) < 0 ||
        tt_json_required_string(arena, document, "AccessKeyId", &ret_fetched->key.id, NULL) < 0 ||
        tt_json_required_string(arena, document, "SecretAccessKey", &ret_fetched->key.secret,
                                NULL) < 0 ||
        tt_json_string(arena, document, token, &ret_fetched->key.token, NULL) < 0 ||
        tt_json_time(document, "Expiration", &ret_fetched->expires, NULL) < 0)
        return -1;
    return 0;
}

/* A key in JSON, as processes, containers and machines give it. TOKEN is the name it goes by. What
 * is wrong with it is not said: a parser would quote what may be secret. */
static int read_json(struct tt_arena *arena, const char *text, const char *token,
                     struct tt_aws_fetched *ret_fetched, struct tt_error *err)
{
    struct tt_json document = {0};
    int result;

    if (tt_json_parse(text, strlen(text), "credentials", &document.value, NULL) < 0)
        return tt_fail(err, TT_ERR_SPEC, "what came is not JSON");
    result = read_parts(arena, &document, token, ret_fetched);
    json_decref(document.value);
    if (result < 0)
        return tt_fail(err, TT_ERR_SPEC,
                       "what came has no AccessKeyId and SecretAccessKey, or an Expiration that is "
                       "no time");
    return 0;
}

struct answer {
    struct tt_arena *arena;
    struct tt_aws_fetched *fetched;
};

static int take(void *self, enum tt_xml_event event, const char *path, const char *value,
                struct tt_error *err)
{
    struct answer *answer = self;
    struct tt_aws_fetched *fetched = answer->fetched;

    if (event != TT_XML_LEAF)
        return 0;
    if (strcmp(path, "Credentials/AccessKeyId") == 0)
        fetched->key.id = tt_strdup(answer->arena, value);
    else if (strcmp(path, "Credentials/SecretAccessKey") == 0)
        fetched->key.secret = tt_strdup(answer->arena, value);
    else if (strcmp(path, "Credentials/SessionToken") == 0)
        fetched->key.token = tt_strdup(answer->arena, value);
    else if (strcmp(path, "Credentials/Expiration") == 0 &&
             tt_time_parse(value, &fetched->expires) < 0)
        return tt_fail(err, TT_ERR_INTERNAL, "sts: the key expires at no time that can be read");
    return 0;
}

/* --- STS ------------------------------------------------------------------------------------ */

struct asking {
    const struct tt_aws_source *source;
    const struct tt_aws_key *key; /* NULL: not signed */
};

static int sign(void *self, struct tt_arena *arena, struct tt_http_request *try,
                struct tt_error *err)
{
    const struct asking *asking = self;
    const struct tt_clock *clock = asking->source->clock;

    (void)err;
    if (asking->key)
        tt_sigv4_add(arena, asking->key, "sts", asking->source->region, clock->now(clock->self),
                     try);
    return 0;
}

/* Of a token in a request nothing may be quoted back. */
static int judge(void *self, const struct tt_http_request *request,
                 const struct tt_http_reply *reply, struct tt_error *err)
{
    (void)self;
    if (reply->status < 300)
        return 0;
    if (reply->status >= 500 || reply->status == 429)
        return tt_fail(err, TT_ERR_UNAVAILABLE, "%s: HTTP %d", request->api, reply->status);
    return tt_fail(err, TT_ERR_DENIED,
                   "%s was refused (HTTP %d): see whether the role exists and "
                   "trusts this key",
                   request->api, reply->status);
}

static void add(struct tt_buf *body, struct tt_arena *arena, const char *key, const char *value)
{
    if (value)
        tt_buf_addf(body, "&%s=%s", key, tt_http_escape(arena, value, false));
}

static int ask_sts(const struct tt_aws_source *source, struct tt_arena *arena,
                   enum tt_aws_action action, const struct tt_aws_key *key, const char *token,
                   struct tt_aws_fetched *ret_fetched, struct tt_error *err)
{
    const struct tt_aws_action_row *row = tt_aws_action_row(action);
    struct asking asking = {source, key};
    struct answer answer = {arena, ret_fetched};
    struct tt_http_reply reply;
    TT_BUF_AUTO body = {0};

    tt_buf_addf(&body, "Action=%s&Version=%s", row->name, row->version);
    add(&body, arena, "RoleArn", source->role);
    add(&body, arena, "RoleSessionName", source->session);
    add(&body, arena, "ExternalId", source->external_id);
    add(&body, arena, "DurationSeconds", source->seconds);
    add(&body, arena, "WebIdentityToken", token);

    struct tt_http_request request = {
        .api = tt_printf(arena, "sts %s", row->name),
        .method = "POST",
        .url = tt_aws_url(arena, source->endpoint, "sts", source->region),
        .body = tt_buf_text(&body),
        .size = body.length,
        .reads = true,
        .prepare = sign,
        .judge = judge,
        .self = &asking,
    };
    tt_http_add_header(arena, &request, "content-type",
                       "application/x-www-form-urlencoded; charset=utf-8");
    if (tt_http_call(source->http, &request, arena, &reply, err) < 0 ||
        tt_xml_read(reply.body, reply.size, row->name, take, &answer, err) < 0)
        return -1;
    if (!ret_fetched->key.id || !ret_fetched->key.secret)
        return tt_fail(err, TT_ERR_INTERNAL, "%s gave no key", request.api);
    return 0;
}

static int assume_role(const struct tt_aws_source *source, struct tt_arena *arena,
                       struct tt_aws_fetched *ret_fetched, struct tt_error *err)
{
    struct tt_aws_fetched base = {.expires = TT_TIME_UNKNOWN};

    if (tt_aws_source_fetch(source->base, arena, &base, err) < 0)
        return -1;
    return ask_sts(source, arena, TT_STS_ASSUME_ROLE, &base.key, NULL, ret_fetched, err);
}

static int read_token(struct tt_arena *arena, const char *path, char **ret_token,
                      struct tt_error *err)
{
    char *token;

    if (tt_file_read(arena, path, TOKEN_LIMIT, &token, NULL, err) < 0)
        return -1;
    token[strcspn(token, "\r\n")] = '\0';
    *ret_token = token;
    return 0;
}

static int show_identity(const struct tt_aws_source *source, struct tt_arena *arena,
                         struct tt_aws_fetched *ret_fetched, struct tt_error *err)
{
    char *token;

    if (read_token(arena, source->token_file, &token, err) < 0)
        return -1;
    return ask_sts(source, arena, TT_STS_ASSUME_ROLE_WITH_WEB_IDENTITY, NULL, token, ret_fetched,
                   err);
}

/* --- a process ------------------------------------------------------------------------------ */

/* TEXT as words: quotes keep spaces together, a backslash keeps the next character. */
static int split(struct tt_arena *arena, const char *text, const char *argv[MOST_WORDS + 1],
                 struct tt_error *err)
{
    char *out = tt_alloc(arena, strlen(text) * 2 + 2);
    char quote = '\0';
    bool open = false;
    int count = 0;

    for (;; text++) {
        if (!*text || (!quote && strchr(" \t", *text))) {
            if (open)
                *out++ = '\0';
            open = false;
            if (!*text)
                break;
            continue;
        }
        if (!open) {
            if (count == MOST_WORDS)
                return tt_fail(err, TT_ERR_SPEC, "credential_process has too many words");
            argv[count++] = out;
            open = true;
        }
        if (quote && *text == quote)
            quote = '\0';
        else if (!quote && (*text == '"' || *text == '\''))
            quote = *text;
        else if (*text == '\\' && quote != '\'' && text[1])
            *out++ = *++text;
        else
            *out++ = *text;
    }
    argv[count] = NULL;
    return count && !quote ? 0
                           : tt_fail(err, TT_ERR_SPEC,
                                     "credential_process is empty, or a quote in "
                                     "it is not closed");
}

static int run_process(const struct tt_aws_source *source, struct tt_arena *arena,
                       struct tt_aws_fetched *ret_fetched, struct tt_error *err)
{
    const char *argv[MOST_WORDS + 1];
    struct tt_shell_request request = {.argv = argv, .timeout = PROCESS_TIMEOUT};
    struct tt_run_result result = {0};

    if (split(arena, source->process, argv, err) < 0 ||
        tt_shell_run(&request, arena, &result, err) < 0)
        return -1;
    if (result.exit_code != 0)
        return tt_fail(err, TT_ERR_DENIED, "%s ended with %d", argv[0], result.exit_code);
    return read_json(arena, result.output, "SessionToken", ret_fetched, err);
}

/* --- metadata ------------------------------------------------------------------------------- */

/* Asks an address beside us: no proxy, no long wait. HEADER may be NULL. */
static int get(const struct tt_aws_source *source, struct tt_arena *arena, const char *method,
               const char *url, struct tt_http_header header, const char **ret_text,
               struct tt_error *err)
{
    struct tt_http_request request = {
        .api = "metadata",
        .method = method,
        .url = url,
        .reads = true,
        .direct = true,
        .whole_timeout = METADATA_TIMEOUT,
    };
    struct tt_http_reply reply;

    if (header.name)
        tt_http_add_header(arena, &request, header.name, header.value);
    if (tt_http_call(source->http, &request, arena, &reply, err) < 0)
        return -1;
    *ret_text = reply.body;
    return 0;
}

static int ask_container(const struct tt_aws_source *source, struct tt_arena *arena,
                         struct tt_aws_fetched *ret_fetched, struct tt_error *err)
{
    const char *url = getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    const char *path = getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *token = getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    const char *file = getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    const char *text;
    char *read = NULL;

    if (path && *path)
        url = tt_printf(arena, "http://169.254.170.2%s", path);
    if (file && *file) {
        if (read_token(arena, file, &read, err) < 0)
            return -1;
        token = read;
    }
    if (get(source, arena, "GET", url,
            (struct tt_http_header){token ? "authorization" : NULL, token}, &text, err) < 0)
        return -1;
    return read_json(arena, text, "Token", ret_fetched, err);
}

static int ask_instance(const struct tt_aws_source *source, struct tt_arena *arena,
                        struct tt_aws_fetched *ret_fetched, struct tt_error *err)
{
    const char *base = getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    struct tt_http_header session = {"x-aws-ec2-metadata-token", NULL};
    const char *roles, *text;
    char *role;

    if (!base || !*base)
        base = "http://169.254.169.254";
    if (get(source, arena, "PUT", tt_printf(arena, "%s/latest/api/token", base),
            (struct tt_http_header){"x-aws-ec2-metadata-token-ttl-seconds", "21600"},
            &session.value, err) < 0)
        return tt_wrap(err, "no credentials are set, and this seems to be no machine of EC2");
    base = tt_printf(arena, "%s/latest/meta-data/iam/security-credentials/", base);
    if (get(source, arena, "GET", base, session, &roles, err) < 0)
        return tt_wrap(err, "this machine has no instance profile");
    role = tt_strndup(arena, roles, strcspn(roles, "\r\n"));
    if (get(source, arena, "GET",
            tt_printf(arena, "%s%s", base, tt_http_escape(arena, role, false)), session, &text,
            err) < 0)
        return -1;
    return read_json(arena, text, "Token", ret_fetched, err);
}

int tt_aws_source_fetch(const struct tt_aws_source *source, struct tt_arena *arena,
                        struct tt_aws_fetched *ret_fetched, struct tt_error *err)
{
    static int (*const ways[])(const struct tt_aws_source *, struct tt_arena *,
                               struct tt_aws_fetched *, struct tt_error *) = {
        [TT_AWS_PROCESS] = run_process,        [TT_AWS_ROLE] = assume_role,
        [TT_AWS_WEB_IDENTITY] = show_identity, [TT_AWS_CONTAINER] = ask_container,
        [TT_AWS_INSTANCE] = ask_instance,
    };

    if (source->kind == TT_AWS_FIXED) {
        ret_fetched->key = source->key;
        return 0;
    }
    if (ways[source->kind](source, arena, ret_fetched, err) == 0)
        return 0;
    return tt_wrap(err, "credentials of %s", source->what);
}
