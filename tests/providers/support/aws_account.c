/*
 * An account of AWS: see the header.
 */
#include "tests/providers/support/aws_account.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"

/* Whatever the host has set for AWS is none of the tests' business. */
static void clear_environment(const char *folder)
{
    static const char *const names[] = {"AWS_ACCESS_KEY_ID",
                                        "AWS_SECRET_ACCESS_KEY",
                                        "AWS_SESSION_TOKEN",
                                        "AWS_PROFILE",
                                        "AWS_CONFIG_FILE",
                                        "AWS_SHARED_CREDENTIALS_FILE",
                                        "AWS_WEB_IDENTITY_TOKEN_FILE",
                                        "AWS_ROLE_ARN",
                                        "AWS_ROLE_SESSION_NAME",
                                        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                                        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                                        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
                                        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
                                        "AWS_EC2_METADATA_DISABLED",
                                        "AWS_EC2_METADATA_SERVICE_ENDPOINT"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        unsetenv(names[i]);
    setenv("HOME", folder, 1);
}

int aws_account_begin(void **state)
{
    struct aws_account *account = calloc(1, sizeof(*account));

    if (!account)
        return -1;
    snprintf(account->folder, sizeof(account->folder), "/tmp/trimtab-aws-XXXXXX");
    if (!mkdtemp(account->folder))
        abort();
    clear_environment(account->folder);
    jumping_init(&account->jumping);
    tt_tally_init(&account->tally);
    scripted_start(&account->server);
    account->account = (struct tt_account){
        .name = "prod",
        .provider = TT_PROVIDER_AWS,
        .endpoint = tt_printf(&account->arena, "http://127.0.0.1:%d", account->server.port),
        .folder = "",
    };
    tt_strings_add(&account->arena, &account->account.regions, "us-east-1");
    *state = account;
    return 0;
}

int aws_account_end(void **state)
{
    struct aws_account *account = *state;

    if (account->provider)
        tt_provider_close(account->provider);
    scripted_stop(&account->server);
    tt_tally_release(&account->tally);
    jumping_release(&account->jumping);
    tt_remove_tree(account->folder, NULL);
    tt_arena_release(&account->arena);
    free(account);
    return 0;
}

int aws_account_open(struct aws_account *account)
{
    return tt_aws_ops()->open(&(struct tt_provider_settings){.account = &account->account,
                                                             .owner = "acme",
                                                             .state_folder = account->folder,
                                                             .base_folder = account->folder,
                                                             .clock = &account->jumping.clock,
                                                             .tally = &account->tally},
                              &account->arena, &account->provider, &account->err);
}

void aws_account_say(struct aws_account *account, int status, const char *body)
{
    scripted_say(&account->server, (struct scripted_answer){.status = status, .body = body});
}

int aws_account_look(struct aws_account *account)
{
    struct tt_observe_request request = {.region = "us-east-1", .owner = "acme"};

    account->region = (struct tt_region){0};
    account->err = (struct tt_error){0};
    return tt_provider_observe(account->provider, &request, &account->arena, &account->region,
                               &account->err);
}

int aws_account_count(struct aws_account *account, const char *api)
{
    TT_EACH (line, &account->tally.lines)
        if (tt_streq(line->api, api))
            return line->count;
    return 0;
}
