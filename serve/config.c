/*
 * Configuration: decoded by the tables, then what no single value can break.
 */
#include "serve/config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/str.h"
#include "serve/config_tables.h"
#include "specs/decode.h"
#include "specs/report.h"
#include "specs/source.h"

#define LARGEST_FILE   ((size_t)1 << 20)
#define LARGEST_SECRET ((size_t)4096)

struct reader {
    struct tt_config *config;
    const struct tt_report *report;
};

static const char *copy(struct tt_config *config, const struct tt_scalar *scalar)
{
    return tt_strdup(&config->arena, scalar->text);
}

static void both_sources(const struct reader *reader, const struct tt_scalar *a,
                         const struct tt_scalar *b, const char *what, const char *subject)
{
    if (a->given && b->given)
        tt_report_add(reader->report, "two-sources", b->mark, subject,
                      "%s comes from a file or from the environment, not from both", what);
}

static bool is_url(const char *url)
{
    return tt_starts_with(url, "https://") || tt_starts_with(url, "http://") ||
           tt_starts_with(url, "ssh://") || tt_starts_with(url, "file:///") || *url == '/';
}

/* "https://user:password@host": the password would be shown wherever the address is. */
static bool has_password(const char *url)
{
    const char *host = strstr(url, "://");
    const char *at = host ? strchr(host + 3, '@') : NULL;
    const char *colon = host ? strchr(host + 3, ':') : NULL;

    return at && colon && colon < at && at < host + 3 + strcspn(host + 3, "/");
}

static void read_key_file(const struct reader *reader, const struct tt_scalar *scalar,
                          const char *subject, const char **ret_file)
{
    *ret_file = copy(reader->config, scalar);
    if (*ret_file && **ret_file != '/')
        tt_report_add(reader->report, "bad-path", scalar->mark, subject,
                      "the file of keys %.200s needs an absolute path", *ret_file);
}

static void read_verify(const struct reader *reader, const struct tt_doc_verify *doc,
                        const char *subject, struct tt_verify_keys *keys)
{
    read_key_file(reader, &doc->ssh, subject, &keys->ssh);
    read_key_file(reader, &doc->revoked, subject, &keys->revoked);
    read_key_file(reader, &doc->gpg, subject, &keys->gpg);
    if (doc->at.node && !tt_verify_is_set(keys))
        tt_report_add(reader->report, "missing-key", doc->at.mark, subject,
                      "verifyCommits names the keys that may sign: ssh, gpg or both");
}

static void read_repository(const struct reader *reader, const struct tt_doc_repository *doc)
{
    struct tt_config *config = reader->config;
    struct tt_repository_config *repository = TT_VEC_ADD(&config->arena, &config->repositories);
    const char *subject = doc->name.text;

    repository->name = copy(config, &doc->name);
    repository->url = copy(config, &doc->url);
    repository->branch = copy(config, &doc->branch);
    repository->path = copy(config, &doc->path);
    repository->poll = doc->poll.number;
    repository->username = copy(config, &doc->login.username);
    repository->password.file = copy(config, &doc->login.password_file);
    repository->password.env = copy(config, &doc->login.password_env);
    repository->ssh_key = copy(config, &doc->login.ssh_key);
    repository->authorities = copy(config, &doc->login.authorities);
    repository->webhook = doc->webhook.form.given
                              ? (enum tt_webhook_form)(doc->webhook.form.number + 1)
                              : TT_WEBHOOK_NONE;
    repository->webhook_secret.file = copy(config, &doc->webhook.secret.file);
    repository->webhook_secret.env = copy(config, &doc->webhook.secret.env);

    read_verify(reader, &doc->verify, subject, &repository->verify);
    both_sources(reader, &doc->login.password_file, &doc->login.password_env, "the password",
                 subject);
    both_sources(reader, &doc->webhook.secret.file, &doc->webhook.secret.env, "the secret",
                 subject);
    if (doc->webhook.form.given && !tt_secret_is_set(&repository->webhook_secret))
        tt_report_add(reader->report, "missing-key", doc->webhook.at.mark, subject,
                      "a webhook needs a secret: a file or a variable of the environment");
    if (repository->url && !is_url(repository->url))
        tt_report_add(reader->report, "bad-url", doc->url.mark, subject,
                      "%.200s is not an address that can be fetched: https://, ssh://, file:/// "
                      "or an absolute path",
                      repository->url);
    else if (repository->url && has_password(repository->url))
        tt_report_add(reader->report, "secret-in-config", doc->url.mark, subject,
                      "the address holds a password; put it into a file and name that under login");
    if (repository->path && !tt_source_join(&config->arena, "", repository->path))
        tt_report_add(reader->report, "bad-path", doc->path.mark, subject,
                      "the path %.200s leads out of the repository", repository->path);
}

static void read_repositories(const struct reader *reader, const struct tt_objects *list)
{
    const struct tt_doc_repository *docs = list->items;

    if (list->given && !list->count)
        tt_report_add(reader->report, "out-of-range", list->mark, NULL,
                      "there is no repository to follow: name at least one");
    for (size_t i = 0; i < list->count; i++) {
        for (size_t j = 0; j < i; j++)
            if (docs[i].name.text && tt_streq(docs[i].name.text, docs[j].name.text))
                tt_report_add(reader->report, "duplicate-name", docs[i].name.mark, NULL,
                              "there are two repositories called %s", docs[i].name.text);
        read_repository(reader, &docs[i]);
    }
}

static void read_notification(const struct reader *reader, const struct tt_doc_notification *doc)
{
    struct tt_config *config = reader->config;
    struct tt_notify_config *notify = TT_VEC_ADD(&config->arena, &config->notifications);
    int addresses = doc->url.given + doc->url_file.given + doc->url_env.given;

    notify->type = (enum tt_notify_type)doc->type.number;
    notify->url = copy(config, &doc->url);
    notify->url_secret.file = copy(config, &doc->url_file);
    notify->url_secret.env = copy(config, &doc->url_env);
    notify->secret.file = copy(config, &doc->secret.file);
    notify->secret.env = copy(config, &doc->secret.env);
    notify->per_minute = (int)doc->per_minute.number;
    TT_EACH (word, &doc->command)
        tt_strings_add(&config->arena, &notify->command, copy(config, word));
    TT_EACH (word, &doc->events)
        notify->kinds |= 1u << word->number;
    if (!doc->events.given)
        notify->kinds = ~0u;
    both_sources(reader, &doc->secret.file, &doc->secret.env, "the secret", NULL);
    if (doc->type.given && notify->type != TT_NOTIFY_COMMAND && addresses != 1)
        tt_report_add(reader->report, "missing-key", doc->at.mark, NULL,
                      "a notification has one of url, urlFile and urlEnv");
    if (notify->url && !tt_starts_with(notify->url, "https://") &&
        !tt_starts_with(notify->url, "http://"))
        tt_report_add(reader->report, "bad-url", doc->url.mark, NULL,
                      "the address begins with https:// or http://");
    if (doc->command.given && (!notify->command.count || *notify->command.items[0] != '/'))
        tt_report_add(reader->report, "bad-path", doc->command.mark, NULL,
                      "the command begins with a program's absolute path");
}

static bool is_digest(const char *text)
{
    return text && strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

static void read_web(const struct reader *reader, const struct tt_doc_web *doc)
{
    const struct tt_doc_token *docs = doc->tokens.items;
    struct tt_config *config = reader->config;

    config->web.given = doc->at.node != NULL;
    config->web.address = copy(config, &doc->address);
    config->web.port = (int)doc->port.number;
    config->web.certificate = copy(config, &doc->certificate);
    config->web.key = copy(config, &doc->key);
    if (doc->key.given != doc->certificate.given)
        tt_report_add(reader->report, "missing-key", doc->at.mark, NULL,
                      "TLS needs both certificate and key");
    for (size_t i = 0; i < doc->tokens.count; i++) {
        if (!is_digest(docs[i].sha256.text))
            tt_report_add(reader->report, "bad-value", docs[i].sha256.mark, docs[i].name.text,
                          "sha256 is 64 hexadecimal digits: printf %%s TOKEN | sha256sum");
        *TT_VEC_ADD(&config->arena, &config->web.tokens) =
            (struct tt_token_config){.name = copy(config, &docs[i].name),
                                     .sha256 = copy(config, &docs[i].sha256),
                                     .is_operator = docs[i].role.number == 1};
    }
}

static void read_all(const struct reader *reader, const struct tt_doc_config *doc)
{
    struct tt_config *config = reader->config;

    read_repositories(reader, &doc->repositories);
    for (size_t i = 0; i < doc->notifications.count; i++)
        read_notification(reader, (const struct tt_doc_notification *)doc->notifications.items + i);
    config->state = copy(config, &doc->state);
    config->log_json = doc->log.number == 1;
    read_web(reader, &doc->web);
    config->limit = (int)doc->runs.limit.number;
    config->parallelism = (int)doc->runs.parallelism.number;
    config->check = doc->runs.check.number;
    config->backoff = doc->runs.backoff.number;
    config->longest_backoff = doc->runs.longest_backoff.number;
    config->time_limit = doc->runs.time_limit.number;
    if (config->longest_backoff < config->backoff)
        tt_report_add(reader->report, "out-of-range", doc->runs.longest_backoff.mark, NULL,
                      "longestBackoff is shorter than backoff");
}

static void decode(const struct reader *reader, const char *file, const char *text, size_t size)
{
    struct tt_yaml_documents documents = {0};
    struct tt_doc_config doc = {0};

    if (tt_yaml_parse(reader->report, file, text, size, &documents) < 0)
        return;
    if (documents.count != 1 || documents.items[0].root->kind != TT_NODE_MAPPING) {
        tt_report_add(reader->report, "bad-type",
                      (struct tt_mark){.file = file, .line = 1, .column = 1}, NULL,
                      "a configuration is one mapping: see docs/serve.md");
        return;
    }
    TT_EACH (finding, &documents.items[0].findings)
        *TT_VEC_ADD(reader->report->arena, reader->report->findings) = *finding;
    tt_decode_mapping(reader->report, &tt_config_table, documents.items[0].root, &doc);
    read_all(reader, &doc);
}

/* Puts the source line to each finding, with what looks like a secret covered. */
static void add_lines(struct tt_arena *arena, char *text, struct tt_findings *findings)
{
    tt_mask_text(text);
    TT_EACH (finding, findings) {
        const char *at = text;
        char *line;

        for (int i = 1; i < finding->mark.line && at; i++)
            at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL;
        if (!at || finding->mark.line < 1)
            continue;
        line = tt_strndup(arena, at, strcspn(at, "\r\n"));
        if (strncmp(finding->code, "secret-in", strlen("secret-in")) == 0)
            tt_mask_value_of(line, finding->mark.column);
        finding->line = line;
    }
}

struct tt_config *tt_config_read(struct tt_arena *arena, const char *file,
                                 struct tt_findings *ret_findings, struct tt_error *err)
{
    struct tt_findings findings = {0};
    struct tt_report report = {arena, &findings};
    struct tt_config *config;
    char *text;
    size_t size;

    if (tt_file_read(arena, file, LARGEST_FILE, &text, &size, err) < 0)
        return NULL;
    config = calloc(1, sizeof(*config));
    if (!config)
        abort();
    tt_arena_init(&config->arena);
    config->text = tt_strndup(&config->arena, text, size);
    decode(&(struct reader){config, &report}, file, text, size);
    if (!findings.count)
        return config;
    tt_findings_sort(&findings);
    add_lines(arena, text, &findings);
    *ret_findings = findings;
    tt_config_free(config);
    return NULL;
}

void tt_config_free(struct tt_config *config)
{
    if (!config)
        return;
    tt_arena_release(&config->arena);
    free(config);
}

const char *tt_secret_read(struct tt_arena *arena, const struct tt_secret_source *source,
                           struct tt_error *err)
{
    const char *value = source->env ? getenv(source->env) : NULL;
    struct stat status;
    char *text;

    if (source->file) {
        if (stat(source->file, &status) == 0 && (status.st_mode & S_IROTH)) {
            tt_fail(err, TT_ERR_DENIED, "%s is readable by everybody: chmod o-r it", source->file);
            return NULL;
        }
        if (tt_file_read(arena, source->file, LARGEST_SECRET, &text, NULL, err) < 0)
            return NULL;
        text[strcspn(text, "\r\n")] = '\0';
        value = text;
    }
    if (!value || !*value) {
        tt_fail(err, TT_ERR_NOT_FOUND, "the secret %s is empty or not there",
                source->file  ? source->file
                : source->env ? source->env
                              : "");
        return NULL;
    }
    return source->file ? value : tt_strdup(arena, value);
}
