/*
 * The tables: every key of the spec language with its type, limits, default and description.
 */
#include <string.h>

#include "specs/fields.h"

#define AT(type, member) .offset = offsetof(struct type, member)
#define COUNT_MAX        100000

const char *const tt_kind_words[] = {"Fleet",   "Account",      "Deployment",
                                     "Service", "LoadBalancer", NULL};

static const char *const api_words[] = {TT_API_VERSION, NULL};
static const char *const state_words[] = {"running", "stopped", NULL};
/* What can be had for this host: there is no Zeus to install. */
static const char *const template_software_words[] = {"haproxy", "mod_jk", NULL};

static const struct tt_field label_metadata_fields[] = {
    {"name", TT_FIELD_LABEL, AT(tt_doc_metadata, name), "The name: a DNS label.", .required = true},
    {0}};
static const struct tt_table label_metadata = {
    .name = "metadata", .size = sizeof(struct tt_doc_metadata), .fields = label_metadata_fields};

static const struct tt_field owner_metadata_fields[] = {
    {"name", TT_FIELD_OWNER, AT(tt_doc_metadata, name),
     "The mark that every resource of this repository carries.", .required = true},
    {0}};
static const struct tt_table owner_metadata = {
    .name = "metadata", .size = sizeof(struct tt_doc_metadata), .fields = owner_metadata_fields};

/* Defaults that are the Fleet's, and the Fleet's own, are filled in by resolve.c. */
static const struct tt_field guard_fields[] = {
    {"maxDestroy", TT_FIELD_PERCENT, AT(tt_doc_guard, max_destroy),
     "Hold the plan when it deletes more than this part of a deployment's servers (a Deployment's "
     "default is the Fleet's, the Fleet's is 50%).",
     .max = 100},
    {"maxVanished", TT_FIELD_PERCENT, AT(tt_doc_guard, max_vanished),
     "Hold the plan when more than this part of a deployment's servers is gone at once (a "
     "Deployment's default is the Fleet's, the Fleet's is 50%).",
     .max = 100},
    {0}};
static const struct tt_table guard = {
    .name = "guard", .size = sizeof(struct tt_doc_guard), .fields = guard_fields};

static const struct tt_field window_fields[] = {
    {"days", TT_FIELD_LIST, AT(tt_doc_window, days),
     "The days on which it begins; all of them by default.", .item = TT_FIELD_WORD,
     .words = tt_day_words},
    {"from", TT_FIELD_STRING, AT(tt_doc_window, from), "When it opens, in UTC: \"22:00\".",
     .required = true},
    {"to", TT_FIELD_STRING, AT(tt_doc_window, to),
     "When it closes, in UTC: \"24:00\" at the latest; before `from`: on the day after.",
     .required = true},
    {0}};
static const struct tt_table window = {
    .name = "change window", .size = sizeof(struct tt_doc_window), .fields = window_fields};

/* Defaults are filled in by resolve_policy.c: a Deployment's are the Fleet's. */
#define POLICY_FIELDS(type)                                                                        \
    {"onPush", TT_FIELD_WORD, AT(type, policy.on_push),                                            \
     "What a push does: plan or apply; as the hook was installed by default.",                     \
     .words = tt_on_push_words},                                                                   \
        {"onDrift", TT_FIELD_WORD, AT(type, policy.on_drift),                                      \
         "Whether drift is repaired or only reported; repaired by default.",                       \
         .words = tt_on_drift_words},                                                              \
        {"onFailure", TT_FIELD_WORD, AT(type, policy.on_failure),                                  \
         "Whether a failed balancer is recovered or only reported; recovered by default.",         \
         .words = tt_on_failure_words},                                                            \
        {"suspend", TT_FIELD_BOOLEAN, AT(type, policy.suspend),                                    \
         "True: nothing is done unless a person does it."},                                        \
    {                                                                                              \
        "changeWindows", TT_FIELD_OBJECTS, AT(type, policy.windows),                               \
            "When changes may be made; always by default. Recoveries do not wait.",                \
            .table = &window                                                                       \
    }

static const struct tt_field fleet_fields[] = {
    {"guard", TT_FIELD_OBJECT, AT(tt_doc_fleet, guard),
     "Defaults for the guards of deployments, and the guard of deployments that left Git.",
     .table = &guard},
    POLICY_FIELDS(tt_doc_fleet),
    {0}};
static const struct tt_table fleet = {
    .name = "Fleet spec", .size = sizeof(struct tt_doc_fleet), .fields = fleet_fields};

static const struct tt_field credentials_fields[] = {
    {"profile", TT_FIELD_STRING, AT(tt_doc_credentials, profile),
     "A profile of the cloud's own configuration files."},
    {"env", TT_FIELD_STRING, AT(tt_doc_credentials, env),
     "The prefix of the environment variables that hold the credentials."},
    {"file", TT_FIELD_STRING, AT(tt_doc_credentials, file),
     "A file outside of Git that holds the credentials."},
    {0}};
static const struct tt_table credentials = {.name = "credentials",
                                            .size = sizeof(struct tt_doc_credentials),
                                            .fields = credentials_fields,
                                            .credentials = true};

static const struct tt_field ssh_fields[] = {
    {"user", TT_FIELD_STRING, AT(tt_doc_ssh, user),
     "Who runs the commands; whoever runs trimtab by default."},
    {"port", TT_FIELD_INTEGER, AT(tt_doc_ssh, port), "Where sshd listens.", .min = 1, .max = 65535,
     .fallback = "22"},
    {"key", TT_FIELD_STRING, AT(tt_doc_ssh, key),
     "A private key's file outside of Git, absolute or below ~/; the keys of the SSH agent and of "
     "~/.ssh by default."},
    {"knownHosts", TT_FIELD_STRING, AT(tt_doc_ssh, known_hosts),
     "The file with the machines' host keys, as OpenSSH's: relative to this file, absolute, or "
     "below ~/; ~/.ssh/known_hosts by default."},
    {"sudo", TT_FIELD_BOOLEAN, AT(tt_doc_ssh, sudo), "Run the commands by sudo -n.",
     .fallback = "false"},
    {"scripts", TT_FIELD_STRING, AT(tt_doc_ssh, scripts),
     "The folder of the agent scripts on the machines; /enstratus/bin by default."},
    {0}};
static const struct tt_table ssh = {
    .name = "ssh", .size = sizeof(struct tt_doc_ssh), .fields = ssh_fields, .account = true};

static const struct tt_field template_fields[] = {
    {"name", TT_FIELD_STRING, AT(tt_doc_template, name), "What services call it.",
     .required = true},
    {"command", TT_FIELD_LIST, AT(tt_doc_template, command),
     "The program and its arguments; {address}, {port}, {root} and {name} are filled in.",
     .item = TT_FIELD_STRING},
    {"software", TT_FIELD_WORD, AT(tt_doc_template, software),
     "Instead of a command: this template is a balancer machine.",
     .words = template_software_words},
    {0}};
static const struct tt_table template_table = {
    .name = "template", .size = sizeof(struct tt_doc_template), .fields = template_fields};

#define LOCAL         (1u << TT_PROVIDER_LOCAL)
#define ALL_PROVIDERS ((1u << TT_PROVIDER_KINDS) - 1)
#define WITHOUT_SSH   (LOCAL | 1u << TT_PROVIDER_FILE | 1u << TT_PROVIDER_SIM)

static const struct tt_field account_fields[] = {
    {"provider", TT_FIELD_WORD, AT(tt_doc_account, provider), "Whose cloud it is.",
     .required = true, .words = tt_provider_kind_words},
    {"endpoint", TT_FIELD_STRING, AT(tt_doc_account, endpoint),
     "The address of the API, where it is not the provider's own; never with a password."},
    {"credentials", TT_FIELD_OBJECT, AT(tt_doc_account, credentials),
     "Where the credentials are; a secret itself never stands in Git.", .table = &credentials},
    {"ssh", TT_FIELD_OBJECT, AT(tt_doc_account, ssh), "How commands are run on its machines.",
     .table = &ssh, .only = ALL_PROVIDERS & ~WITHOUT_SSH},
    {"regions", TT_FIELD_LIST, AT(tt_doc_account, regions),
     "The regions that are used; of a local account [local] by default.", .item = TT_FIELD_STRING,
     .required_for = ALL_PROVIDERS & ~LOCAL},
    {"zones", TT_FIELD_LIST, AT(tt_doc_account, zones),
     "The zones of each region; [a, b, c] by default.", .item = TT_FIELD_STRING, .only = LOCAL},
    {"templates", TT_FIELD_OBJECTS, AT(tt_doc_account, templates),
     "The programs that machines can run.", .table = &template_table, .only = LOCAL},
    {"snapshot", TT_FIELD_STRING, AT(tt_doc_account, snapshot),
     "The world snapshot that stands for the cloud, relative to this file.",
     .only = 1u << TT_PROVIDER_FILE},
    {0}};
static const struct tt_table account = {.name = "Account spec",
                                        .size = sizeof(struct tt_doc_account),
                                        .fields = account_fields,
                                        .discriminator = "provider",
                                        .account = true};

static const struct tt_field deployment_fields[] = {
    {"state", TT_FIELD_WORD, AT(tt_doc_deployment, state), "Whether its servers are to exist.",
     .words = state_words, .fallback = "running"},
    {"guard", TT_FIELD_OBJECT, AT(tt_doc_deployment, guard),
     "What one plan may destroy, or find vanished, before a person has to allow it.",
     .table = &guard},
    {"prune", TT_FIELD_BOOLEAN, AT(tt_doc_deployment, prune),
     "Remove what left Git inside of this deployment; false: list it as orphan.",
     .fallback = "true"},
    POLICY_FIELDS(tt_doc_deployment),
    {0}};
static const struct tt_table deployment = {.name = "Deployment spec",
                                           .size = sizeof(struct tt_doc_deployment),
                                           .fields = deployment_fields};

static const struct tt_field user_data_fields[] = {
    {"file", TT_FIELD_STRING, AT(tt_doc_user_data, file),
     "A file of the repository, relative to this one.", .required = true},
    {0}};
static const struct tt_table user_data = {
    .name = "userData", .size = sizeof(struct tt_doc_user_data), .fields = user_data_fields};

static const struct tt_field server_fields[] = {
    {"template", TT_FIELD_STRING, AT(tt_doc_server, template),
     "The image that a server is made from."},
    {"size", TT_FIELD_STRING, AT(tt_doc_server, size), "The cloud's name for its resources."},
    {"firewalls", TT_FIELD_LIST, AT(tt_doc_server, firewalls), "The firewalls that it is put in.",
     .item = TT_FIELD_STRING},
    {"userData", TT_FIELD_OBJECT, AT(tt_doc_server, user_data),
     "What the machine is given at its first start.", .table = &user_data},
    {"key", TT_FIELD_STRING, AT(tt_doc_server, key), "The name of the SSH key."},
    {"network", TT_FIELD_STRING, AT(tt_doc_server, network), "The network that it is put in."},
    {0}};
static const struct tt_table server = {
    .name = "server", .size = sizeof(struct tt_doc_server), .fields = server_fields};

static const struct tt_field placement_fields[] = {
    {"account", TT_FIELD_STRING, AT(tt_doc_placement, account), "An Account.", .required = true},
    {"region", TT_FIELD_STRING, AT(tt_doc_placement, region), "One of the account's regions.",
     .required = true},
    {"zones", TT_FIELD_LIST, AT(tt_doc_placement, zones),
     "The zones that servers may start in; all of the region by default.", .item = TT_FIELD_STRING},
    {"count", TT_FIELD_INTEGER, AT(tt_doc_placement, count), "How many servers.", .max = COUNT_MAX,
     .fallback = "1"},
    {"server", TT_FIELD_OBJECT, AT(tt_doc_placement, server),
     "Overrides of the service's server, key by key.", .table = &server},
    {0}};
static const struct tt_table placement = {
    .name = "placement", .size = sizeof(struct tt_doc_placement), .fields = placement_fields};

static const struct tt_field http_fields[] = {
    {"path", TT_FIELD_URL_PATH, AT(tt_doc_http, path), "What is asked for.", .fallback = "/"}, {0}};
static const struct tt_table http = {
    .name = "http", .size = sizeof(struct tt_doc_http), .fields = http_fields};

static const struct tt_field tcp_fields[] = {{0}};
static const struct tt_table tcp = {
    .name = "tcp", .size = sizeof(struct tt_doc_tcp), .fields = tcp_fields};

static const struct tt_field health_fields[] = {
    {"http", TT_FIELD_OBJECT, AT(tt_doc_health, http),
     "An HTTP request; either this or tcp is needed.", .table = &http},
    {"tcp", TT_FIELD_OBJECT, AT(tt_doc_health, tcp), "A TCP connection.", .table = &tcp},
    {"interval", TT_FIELD_DURATION, AT(tt_doc_health, interval), "From one check to the next.",
     .min = 1, .fallback = "10s"},
    {"timeout", TT_FIELD_DURATION, AT(tt_doc_health, timeout), "After which a check has failed.",
     .min = 1, .fallback = "2s"},
    {"unhealthyAfter", TT_FIELD_INTEGER, AT(tt_doc_health, unhealthy_after),
     "Failed checks in a row that make a server failing.", .min = 1, .max = 1000, .fallback = "3"},
    {"grace", TT_FIELD_DURATION, AT(tt_doc_health, grace),
     "After creation, in which a server that fails is taken to be booting.", .fallback = "60s"},
    {0}};
static const struct tt_table health = {
    .name = "health", .size = sizeof(struct tt_doc_health), .fields = health_fields};

static const struct tt_field update_fields[] = {
    {"maxSurge", TT_FIELD_AMOUNT, AT(tt_doc_update, max_surge),
     "Servers above the count while servers are replaced: a number, or a part of the count.",
     .max = COUNT_MAX, .fallback = "1"},
    {"maxUnavailable", TT_FIELD_AMOUNT, AT(tt_doc_update, max_unavailable),
     "Servers below the count while servers are replaced: a number, or a part of the count.",
     .max = COUNT_MAX, .fallback = "0"},
    {0}};
static const struct tt_table update = {
    .name = "update", .size = sizeof(struct tt_doc_update), .fields = update_fields};

static const struct tt_field service_fields[] = {
    {"deployment", TT_FIELD_STRING, AT(tt_doc_service, deployment), "The Deployment it is part of.",
     .required = true},
    {"server", TT_FIELD_OBJECT, AT(tt_doc_service, server), "What its servers are made from.",
     .table = &server},
    {"port", TT_FIELD_INTEGER, AT(tt_doc_service, port), "Where its servers listen.", .min = 1,
     .max = 65535},
    {"names", TT_FIELD_LIST, AT(tt_doc_service, names),
     "Its DNS names; the first is the primary one.", .item = TT_FIELD_HOST},
    {"placements", TT_FIELD_OBJECTS, AT(tt_doc_service, placements),
     "Where its servers run: one entry for each account and region at most.", .required = true,
     .table = &placement},
    {"health", TT_FIELD_OBJECT, AT(tt_doc_service, health),
     "How it is found out that a server works.", .table = &health},
    {"balancers", TT_FIELD_LIST, AT(tt_doc_service, balancers),
     "The LoadBalancers of its deployment that its servers are members of.",
     .item = TT_FIELD_STRING},
    {"update", TT_FIELD_OBJECT, AT(tt_doc_service, update), "How servers are replaced.",
     .table = &update},
    {"drain", TT_FIELD_DURATION, AT(tt_doc_service, drain),
     "How long a withdrawn server may finish what it does.", .fallback = "30s"},
    {"dependsOn", TT_FIELD_LIST, AT(tt_doc_service, depends_on),
     "Services of its deployment that start before it.", .item = TT_FIELD_STRING},
    {0}};
static const struct tt_table service = {
    .name = "Service spec", .size = sizeof(struct tt_doc_service), .fields = service_fields};

static const struct tt_field tls_fields[] = {
    {"certificate", TT_FIELD_STRING, AT(tt_doc_tls, certificate),
     "The certificate's file on the balancer machine.", .required = true},
    {"key", TT_FIELD_STRING, AT(tt_doc_tls, key), "The key's file on the balancer machine.",
     .required = true},
    {"chain", TT_FIELD_STRING, AT(tt_doc_tls, chain), "The chain's file on the balancer machine."},
    {0}};
static const struct tt_table tls = {
    .name = "tls", .size = sizeof(struct tt_doc_tls), .fields = tls_fields};

static const struct tt_field listener_fields[] = {
    {"port", TT_FIELD_INTEGER, AT(tt_doc_listener, port), "Where the balancer listens.",
     .required = true, .min = 1, .max = 65535},
    {"protocol", TT_FIELD_WORD, AT(tt_doc_listener, protocol), "What it speaks.",
     .words = tt_protocol_words, .fallback = "http"},
    {"targetPort", TT_FIELD_INTEGER, AT(tt_doc_listener, target_port),
     "Where members listen; each service's own port by default.", .min = 1, .max = 65535},
    {"tls", TT_FIELD_OBJECT, AT(tt_doc_listener, tls),
     "Files on the balancer machine (vm types only).", .table = &tls},
    {0}};
static const struct tt_table listener = {
    .name = "listener", .size = sizeof(struct tt_doc_listener), .fields = listener_fields};

static const struct tt_field recovery_fields[] = {
    {"unhealthyAfter", TT_FIELD_INTEGER, AT(tt_doc_recovery, unhealthy_after),
     "Failed checks in a row after which the machine is replaced.", .min = 1, .max = 1000,
     .fallback = "3"},
    {"interval", TT_FIELD_DURATION, AT(tt_doc_recovery, interval), "From one check to the next.",
     .min = 1, .fallback = "5s"},
    {"maxPerHour", TT_FIELD_INTEGER, AT(tt_doc_recovery, max_per_hour),
     "Replacements in one hour, after which the balancer is held and reported.", .max = 1000,
     .fallback = "3"},
    {0}};
static const struct tt_table recovery = {
    .name = "recovery", .size = sizeof(struct tt_doc_recovery), .fields = recovery_fields};

#define CLOUD   (1u << TT_BALANCER_CLOUD)
#define DYNAMIC (1u << TT_BALANCER_VM_DYNAMIC)
#define STATIC  (1u << TT_BALANCER_VM_STATIC)

static const struct tt_field balancer_fields[] = {
    {"deployment", TT_FIELD_STRING, AT(tt_doc_balancer, deployment),
     "The Deployment it is part of.", .required = true},
    {"type", TT_FIELD_WORD, AT(tt_doc_balancer, type),
     "cloud: a balancer of the cloud that already exists; vm-dynamic: a machine that is made, and "
     "replaced when it fails; vm-static: a machine that already runs.",
     .required = true, .words = tt_balancer_type_words},
    {"account", TT_FIELD_STRING, AT(tt_doc_balancer, account), "The Account it is in.",
     .required = true},
    {"region", TT_FIELD_STRING, AT(tt_doc_balancer, region), "One of the account's regions.",
     .required = true},
    {"scope", TT_FIELD_WORD, AT(tt_doc_balancer, scope),
     "global: across regions (vm types only); regional: its own region, evenly over all zones; "
     "data-center: the zones it names (cloud only).",
     .words = tt_scope_words, .fallback = "regional"},
    {"zones", TT_FIELD_LIST, AT(tt_doc_balancer, zones),
     "With scope data-center: the zones that it balances, and that servers behind it run in.",
     .item = TT_FIELD_STRING},
    {"listeners", TT_FIELD_OBJECTS, AT(tt_doc_balancer, listeners), "Where it listens.",
     .table = &listener},
    {"algorithm", TT_FIELD_WORD, AT(tt_doc_balancer, algorithm),
     "How a member is chosen; of a cloud balancer its own by default, else round-robin.",
     .words = tt_algorithm_words},
    {"health", TT_FIELD_OBJECT, AT(tt_doc_balancer, health),
     "How it checks its members; as the service does by default.", .table = &health},
    {"software", TT_FIELD_WORD, AT(tt_doc_balancer, software),
     "What runs on the machine; haproxy by default.", .words = tt_software_words,
     .only = DYNAMIC | STATIC},
    {"server", TT_FIELD_OBJECT, AT(tt_doc_balancer, server), "What the machine is made from.",
     .table = &server, .only = DYNAMIC, .required_for = DYNAMIC},
    {"address", TT_FIELD_ADDRESS, AT(tt_doc_balancer, address),
     "An elastic address that moves to the machine's replacement.", .only = DYNAMIC},
    {"recovery", TT_FIELD_OBJECT, AT(tt_doc_balancer, recovery),
     "When a failed machine is replaced.", .table = &recovery, .only = DYNAMIC},
    {"machine", TT_FIELD_STRING, AT(tt_doc_balancer, machine),
     "The id or the name of the running machine.", .only = STATIC, .required_for = STATIC},
    {"name", TT_FIELD_STRING, AT(tt_doc_balancer, name),
     "The balancer's name in the cloud; metadata.name by default.", .only = CLOUD},
    {0}};
static const struct tt_table balancer = {.name = "LoadBalancer spec",
                                         .size = sizeof(struct tt_doc_balancer),
                                         .fields = balancer_fields,
                                         .discriminator = "type"};

/* A document: the same four keys for every kind. */
#define DOCUMENT(kind, metadata_table, spec_table, spec_required)                                  \
    static const struct tt_field kind##_document_fields[] = {                                      \
        {"apiVersion", TT_FIELD_WORD, .offset = offsetof(struct tt_document, api_version),         \
         "The version of the spec language.", .required = true, .words = api_words},               \
        {"kind", TT_FIELD_WORD, .offset = offsetof(struct tt_document, kind_word),                 \
         "What the document describes.", .required = true, .words = tt_kind_words},                \
        {"metadata", TT_FIELD_OBJECT, .offset = offsetof(struct tt_document, metadata),            \
         "Its name.", .required = true, .table = &(metadata_table)},                               \
        {"spec", TT_FIELD_OBJECT, .offset = offsetof(struct tt_document, spec), "What is wanted.", \
         .required = (spec_required), .table = &(spec_table)},                                     \
        {0}};                                                                                      \
    static const struct tt_table kind##_document = {                                               \
        .name = "document", .size = sizeof(struct tt_document), .fields = kind##_document_fields}

DOCUMENT(fleet, owner_metadata, fleet, false);
DOCUMENT(account, label_metadata, account, true);
DOCUMENT(deployment, label_metadata, deployment, false);
DOCUMENT(service, label_metadata, service, true);
DOCUMENT(balancer, label_metadata, balancer, true);

const struct tt_table *const tt_kind_tables[TT_KINDS] = {&fleet_document, &account_document,
                                                         &deployment_document, &service_document,
                                                         &balancer_document};

const struct tt_field *tt_table_field(const struct tt_table *table, const char *key)
{
    for (const struct tt_field *field = table->fields; field->key; field++)
        if (strcmp(field->key, key) == 0)
            return field;
    return NULL;
}
