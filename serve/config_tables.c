/*
 * The tables of the configuration: keys, types, limits and defaults.
 */
#include "serve/config_tables.h"

#define AT(type, field) .offset = offsetof(struct type, field)

static const char *const form_words[] = {"generic", "github",    "gitlab",       "gitea",
                                         "forgejo", "bitbucket", "bitbucket-dc", NULL};
static const char *const log_words[] = {"text", "json", NULL};

static const struct tt_field secret_fields[] = {
    {"file", TT_FIELD_STRING, AT(tt_doc_secret, file), "A file whose first line it is."},
    {"env", TT_FIELD_STRING, AT(tt_doc_secret, env), "A variable of the environment."},
    {0}};
static const struct tt_table secret = {.name = "secret",
                                       .size = sizeof(struct tt_doc_secret),
                                       .fields = secret_fields,
                                       .credentials = true};

static const struct tt_field login_fields[] = {
    {"username", TT_FIELD_STRING, AT(tt_doc_login, username), "Who asks."},
    {"passwordFile", TT_FIELD_STRING, AT(tt_doc_login, password_file),
     "A file whose first line is the password or token."},
    {"passwordEnv", TT_FIELD_STRING, AT(tt_doc_login, password_env),
     "The variable of the environment that holds the password or token."},
    {"sshKey", TT_FIELD_STRING, AT(tt_doc_login, ssh_key), "A file with a private key."},
    {"authorities", TT_FIELD_STRING, AT(tt_doc_login, authorities),
     "A file with the certificates that the server's is checked with; the host's by default."},
    {0}};
static const struct tt_table login = {.name = "login",
                                      .size = sizeof(struct tt_doc_login),
                                      .fields = login_fields,
                                      .credentials = true};

static const struct tt_field webhook_fields[] = {
    {"form", TT_FIELD_WORD, AT(tt_doc_webhook, form), "Who sends them.", .required = true,
     .words = form_words},
    {"secret", TT_FIELD_OBJECT, AT(tt_doc_webhook, secret), "What they are signed with.",
     .required = true, .table = &secret},
    {0}};
static const struct tt_table webhook = {.name = "webhook",
                                        .size = sizeof(struct tt_doc_webhook),
                                        .fields = webhook_fields,
                                        .credentials = true};

static const struct tt_field verify_fields[] = {
    {"ssh", TT_FIELD_STRING, AT(tt_doc_verify, ssh),
     "A file in the form of ssh-keygen's allowed signers."},
    {"revoked", TT_FIELD_STRING, AT(tt_doc_verify, revoked),
     "A file with SSH keys that may not sign any more."},
    {"gpg", TT_FIELD_STRING, AT(tt_doc_verify, gpg), "A keyring as gpg --export writes it."},
    {0}};
static const struct tt_table verify = {
    .name = "verifyCommits", .size = sizeof(struct tt_doc_verify), .fields = verify_fields};

static const struct tt_field repository_fields[] = {
    {"name", TT_FIELD_LABEL, AT(tt_doc_repository, name), "How it is called here.",
     .required = true},
    {"url", TT_FIELD_STRING, AT(tt_doc_repository, url),
     "Where it is: https, ssh, file or an absolute path.", .required = true},
    {"branch", TT_FIELD_STRING, AT(tt_doc_repository, branch), "The branch that is followed.",
     .fallback = "main"},
    {"path", TT_FIELD_STRING, AT(tt_doc_repository, path), "The folder of the specs inside."},
    {"poll", TT_FIELD_DURATION, AT(tt_doc_repository, poll), "How often it is fetched.",
     .fallback = "1m", .min = 500, .max = INT64_C(24) * 60 * 60 * 1000},
    {"login", TT_FIELD_OBJECT, AT(tt_doc_repository, login), "How to get in.", .table = &login},
    {"verifyCommits", TT_FIELD_OBJECT, AT(tt_doc_repository, verify),
     "The keys of which one must have signed the newest commit.", .table = &verify},
    {"webhook", TT_FIELD_OBJECT, AT(tt_doc_repository, webhook),
     "Deliveries to /hooks/NAME that tell of a push.", .table = &webhook},
    {0}};
static const struct tt_table repository = {
    .name = "repository", .size = sizeof(struct tt_doc_repository), .fields = repository_fields};

static const struct tt_field runs_fields[] = {
    {"limit", TT_FIELD_INTEGER, AT(tt_doc_runs, limit), "Runs at once.", .fallback = "4", .min = 1,
     .max = 100},
    {"parallelism", TT_FIELD_INTEGER, AT(tt_doc_runs, parallelism), "Calls at once in each run.",
     .fallback = "10", .min = 1, .max = 1000},
    {"check", TT_FIELD_DURATION, AT(tt_doc_runs, check),
     "How often each deployment is compared with the world.", .fallback = "5m", .min = 500,
     .max = INT64_C(24) * 60 * 60 * 1000},
    {"backoff", TT_FIELD_DURATION, AT(tt_doc_runs, backoff),
     "The wait after a failure; it doubles with each one in a row.", .fallback = "10s", .min = 100,
     .max = 3600000},
    {"longestBackoff", TT_FIELD_DURATION, AT(tt_doc_runs, longest_backoff),
     "The wait is never longer.", .fallback = "10m", .min = 100,
     .max = INT64_C(24) * 60 * 60 * 1000},
    {"timeLimit", TT_FIELD_DURATION, AT(tt_doc_runs, time_limit),
     "A run that takes longer is asked to stop.", .fallback = "6h", .min = 1000},
    {0}};
static const struct tt_table runs = {
    .name = "runs", .size = sizeof(struct tt_doc_runs), .fields = runs_fields};

static const char *const notify_words[] = {"http", "slack", "command", NULL};
static const char *const kind_words[] = {"held", "failed", "recovery", "drift", NULL};

static const struct tt_field notification_fields[] = {
    {"type", TT_FIELD_WORD, AT(tt_doc_notification, type),
     "A signed POST, a Slack-compatible webhook, or a command.", .required = true,
     .words = notify_words},
    {"url", TT_FIELD_STRING, AT(tt_doc_notification, url), "Where it is sent.", .only = 1 | 2},
    {"urlFile", TT_FIELD_STRING, AT(tt_doc_notification, url_file),
     "A file whose first line is the address, when that is a secret.", .only = 1 | 2},
    {"urlEnv", TT_FIELD_STRING, AT(tt_doc_notification, url_env),
     "The variable of the environment that holds the address.", .only = 1 | 2},
    {"secret", TT_FIELD_OBJECT, AT(tt_doc_notification, secret), "What the POST is signed with.",
     .table = &secret, .only = 1},
    {"command", TT_FIELD_LIST, AT(tt_doc_notification, command),
     "A program's absolute path and its arguments; it reads the event on standard input.",
     .item = TT_FIELD_STRING, .only = 4, .required_for = 4},
    {"events", TT_FIELD_LIST, AT(tt_doc_notification, events),
     "What is told of; all of it by default.", .item = TT_FIELD_WORD, .words = kind_words},
    {"perMinute", TT_FIELD_INTEGER, AT(tt_doc_notification, per_minute),
     "More than so many in a minute are dropped.", .fallback = "30", .min = 1, .max = 1000},
    {0}};
static const struct tt_table notification = {.name = "notification",
                                             .size = sizeof(struct tt_doc_notification),
                                             .fields = notification_fields,
                                             .discriminator = "type",
                                             .credentials = true};

static const char *const role_words[] = {"viewer", "operator", NULL};

static const struct tt_field token_fields[] = {
    {"name", TT_FIELD_LABEL, AT(tt_doc_token, name), "Whose it is.", .required = true},
    {"sha256", TT_FIELD_STRING, AT(tt_doc_token, sha256),
     "The token's digest: printf %s TOKEN | sha256sum.", .required = true},
    {"role", TT_FIELD_WORD, AT(tt_doc_token, role), "What it may do.", .fallback = "viewer",
     .words = role_words},
    {0}};
static const struct tt_table token = {.name = "token",
                                      .size = sizeof(struct tt_doc_token),
                                      .fields = token_fields,
                                      .credentials = true};

static const struct tt_field web_fields[] = {
    {"address", TT_FIELD_ADDRESS, AT(tt_doc_web, address), "Where it listens.",
     .fallback = "127.0.0.1"},
    {"port", TT_FIELD_INTEGER, AT(tt_doc_web, port), "At which port; 0: a free one.",
     .fallback = "8080", .min = 0, .max = 65535},
    {"certificate", TT_FIELD_STRING, AT(tt_doc_web, certificate), "A file with PEM, for TLS."},
    {"key", TT_FIELD_STRING, AT(tt_doc_web, key), "The file with its private key."},
    {"tokens", TT_FIELD_OBJECTS, AT(tt_doc_web, tokens), "Who may read, and who may act.",
     .table = &token},
    {0}};
static const struct tt_table web = {
    .name = "web", .size = sizeof(struct tt_doc_web), .fields = web_fields, .credentials = true};

static const struct tt_field config_fields[] = {
    {"repositories", TT_FIELD_OBJECTS, AT(tt_doc_config, repositories), "What is followed.",
     .required = true, .table = &repository},
    {"state", TT_FIELD_STRING, AT(tt_doc_config, state),
     "Where clones, history and locks are kept."},
    {"log", TT_FIELD_WORD, AT(tt_doc_config, log), "How the log is written.", .fallback = "text",
     .words = log_words},
    {"notifications", TT_FIELD_OBJECTS, AT(tt_doc_config, notifications),
     "Who is told of what went wrong.", .table = &notification},
    {"web", TT_FIELD_OBJECT, AT(tt_doc_config, web), "The page and the API; none without it.",
     .table = &web},
    {"runs", TT_FIELD_OBJECT, AT(tt_doc_config, runs), "How much, how often.", .table = &runs},
    {0}};
const struct tt_table tt_config_table = {
    .name = "configuration", .size = sizeof(struct tt_doc_config), .fields = config_fields};
