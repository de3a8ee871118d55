/*
 * Where keys for AWS come from: each source against a scripted server, renewal, and what is said
 * when there is none.
 * Covers providers/aws/credentials.c, source.c, fetch.c, profiles.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/str.h"
#include "tests/providers/support/aws_account.h"

#define STS(name, id, expires)                                                                     \
    "<" name "Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><" name "Result>"       \
    "<Credentials><AccessKeyId>" id "</AccessKeyId><SecretAccessKey>hush</SecretAccessKey>"        \
    "<SessionToken>session</SessionToken><Expiration>" expires "</Expiration></Credentials>"       \
    "</" name "Result></" name "Response>"
#define LATER "2026-11-23T05:00:00Z"

static const char zones[] = "<DescribeAvailabilityZonesResponse/>";
static const char none[] = "<DescribeInstancesResponse/>";

static const char *keep(struct aws_account *account, const char *name, const char *text)
{
    const char *path = tt_printf(&account->arena, "%s/%s", account->folder, name);

    assert_int_equal(tt_file_write(path, text, strlen(text), 0600, NULL), 0);
    return path;
}

static void opens(struct aws_account *account)
{
    if (aws_account_open(account) < 0)
        fail_msg("%s", account->err.message);
}

static void refuses(struct aws_account *account, const char *why)
{
    assert_int_equal(aws_account_open(account), -1);
    if (!strstr(account->err.message, why))
        fail_msg("not \"%s\": %s", why, account->err.message);
    assert_null(strstr(account->err.message, "hush"));
    account->err = (struct tt_error){0};
}

/* Looks, and gives back the request of the first call. */
static const char *look(struct aws_account *account)
{
    int first = scripted_requests(&account->server);

    aws_account_say(account, 200, zones);
    aws_account_say(account, 200, none);
    if (aws_account_look(account) < 0)
        fail_msg("%s", account->err.message);
    return scripted_request(&account->server, first);
}

#define SAYS(text, part) assert_non_null(strstr(text, part))

static void test_environment(void **state)
{
    struct aws_account *account = *state;
    const char *request;

    setenv("AWS_ACCESS_KEY_ID", "AKIDENV", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "hush", 1);
    setenv("AWS_SESSION_TOKEN", "session", 1);
    opens(account);
    request = look(account);
    SAYS(request, "Credential=AKIDENV/20261123/us-east-1/ec2/aws4_request");
    SAYS(request, "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token");
    SAYS(request, "\r\nx-amz-security-token: session\r\n");
    assert_null(strstr(request, "hush"));
}

static void test_environment_with_a_prefix(void **state)
{
    struct aws_account *account = *state;

    setenv("AWS_ACCESS_KEY_ID", "AKIDENV", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "hush", 1);
    account->account.credentials_env = "STAGE";
    refuses(account, "STAGE_ACCESS_KEY_ID");
    setenv("STAGE_ACCESS_KEY_ID", "AKIDSTAGE", 1);
    setenv("STAGE_SECRET_ACCESS_KEY", "hush", 1);
    opens(account);
    SAYS(look(account), "Credential=AKIDSTAGE/");
}

static void test_file(void **state)
{
    struct aws_account *account = *state;

    account->account.credentials_file = "keys";
    refuses(account, "no credentials in");
    keep(account, "keys",
         "# ours\r\n[default]\r\naws_access_key_id = AKIDFILE\r\n aws_nested = x\r\n"
         "aws_secret_access_key=hush=hush\r\n");
    opens(account);
    SAYS(look(account), "Credential=AKIDFILE/");
}

static void test_broken_files_say_where(void **state)
{
    struct aws_account *account = *state;

    account->account.credentials_file = "keys";
    keep(account, "keys", "[default\naws_access_key_id = AKIDFILE\n");
    refuses(account, "keys:1: a section without its bracket");
    keep(account, "keys", "[default]\n\nhush\n");
    refuses(account, "keys:3: neither a section nor a setting");
    keep(account, "keys", "[default]\naws_access_key_id = AKIDFILE\n");
    refuses(account, "profile default has neither keys nor a role nor a process");
}

static void set_profiles(struct aws_account *account, const char *config, const char *credentials)
{
    setenv("AWS_CONFIG_FILE", keep(account, "config", config), 1);
    setenv("AWS_SHARED_CREDENTIALS_FILE", keep(account, "credentials", credentials), 1);
}

static void test_role_of_another_profile(void **state)
{
    struct aws_account *account = *state;
    const char *request;

    set_profiles(account,
                 "[profile prod]\nrole_arn = arn:aws:iam::1:role/deploy\nsource_profile = base\n"
                 "external_id = a b\nrole_session_name = ci\nduration_seconds = 900\n",
                 "[base]\naws_access_key_id = AKIDBASE\naws_secret_access_key = hush\n");
    account->account.profile = "prod";
    aws_account_say(account, 200, STS("AssumeRole", "ASIA1", LATER));
    opens(account);
    request = scripted_request(&account->server, 0);
    SAYS(request, "Credential=AKIDBASE/20261123/us-east-1/sts/aws4_request");
    SAYS(request, "Action=AssumeRole&Version=2011-06-15"
                  "&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fdeploy&RoleSessionName=ci"
                  "&ExternalId=a%20b&DurationSeconds=900");
    request = look(account);
    SAYS(request, "Credential=ASIA1/");
    SAYS(request, "x-amz-security-token: session");
}

static void test_role_of_its_own_keys(void **state)
{
    struct aws_account *account = *state;

    set_profiles(account, "",
                 "[prod]\nrole_arn = arn:aws:iam::1:role/deploy\nsource_profile = prod\n"
                 "aws_access_key_id = AKIDBASE\naws_secret_access_key = hush\n");
    account->account.profile = "prod";
    aws_account_say(account, 200, STS("AssumeRole", "ASIA1", LATER));
    opens(account);
    SAYS(look(account), "Credential=ASIA1/");
}

static void test_refused_role(void **state)
{
    struct aws_account *account = *state;

    set_profiles(account, "[profile prod]\nrole_arn = r\nsource_profile = base\n",
                 "[base]\naws_access_key_id = AKIDBASE\naws_secret_access_key = hush\n");
    account->account.profile = "prod";
    aws_account_say(account, 403,
                    "<ErrorResponse><Error><Code>AccessDenied</Code></Error>"
                    "</ErrorResponse>");
    refuses(account, "credentials of profile prod: sts AssumeRole was refused");
}

static void test_profiles_that_lead_nowhere(void **state)
{
    struct aws_account *account = *state;

    account->account.profile = "prod";
    refuses(account, "there is no profile prod");
    set_profiles(account,
                 "[profile prod]\nrole_arn = r\nsource_profile = other\n"
                 "[profile other]\nrole_arn = r\nsource_profile = prod\n"
                 "[profile code]\nrole_arn = r\nmfa_serial = m\n"
                 "[profile sso]\nsso_session = s\n[sso-session s]\nsso_region = x\n"
                 "[profile lost]\nrole_arn = r\n",
                 "");
    refuses(account, "lead in a circle");
    account->account.profile = "code";
    refuses(account, "one-time code");
    account->account.profile = "sso";
    refuses(account, "export-credentials --profile sso");
    account->account.profile = "lost";
    refuses(account, "no source_profile or credential_source");
    account->account.profile = "s";
    refuses(account, "there is no profile s");
}

static void test_process(void **state)
{
    struct aws_account *account = *state;
    const char *script = tt_printf(&account->arena, "%s/a process", account->folder);
    const char *good = "#!/bin/sh\n[ \"$1\" = 'a \"b' ] && [ \"$2\" = \"it's\" ] || exit 3\n"
                       "echo '{\"AccessKeyId\": \"ASIAPROC\", \"SecretAccessKey\": \"hush\","
                       " \"SessionToken\": \"s\", \"Expiration\": \"" LATER "\"}'\n";
    const char *bad = "#!/bin/sh\necho hush\n", *failing = "#!/bin/sh\necho hush >&2; exit 4\n";

    set_profiles(account,
                 tt_printf(&account->arena,
                           "[default]\ncredential_process = \"%s\" 'a \"b' it\\'s\n[profile open]\n"
                           "credential_process = \"%s\n",
                           script, script),
                 "");
    assert_int_equal(tt_file_write(script, good, strlen(good), 0700, NULL), 0);
    opens(account);
    SAYS(look(account), "Credential=ASIAPROC/");
    tt_provider_close(account->provider);
    account->provider = NULL;
    assert_int_equal(tt_file_write(script, bad, strlen(bad), 0700, NULL), 0);
    refuses(account, "credentials of profile default: what came is not JSON");
    assert_int_equal(tt_file_write(script, failing, strlen(failing), 0700, NULL), 0);
    refuses(account, "ended with 4");
    account->account.profile = "open";
    refuses(account, "not closed");
}

static void test_web_identity(void **state)
{
    struct aws_account *account = *state;
    const char *request;

    setenv("AWS_WEB_IDENTITY_TOKEN_FILE", keep(account, "token", "jwt+1\n"), 1);
    setenv("AWS_ROLE_ARN", "arn:role", 1);
    aws_account_say(account, 200, STS("AssumeRoleWithWebIdentity", "ASIAWEB", LATER));
    opens(account);
    request = scripted_request(&account->server, 0);
    SAYS(request, "WebIdentityToken=jwt%2B1");
    assert_null(strcasestr(request, "\r\nauthorization:"));
    SAYS(look(account), "Credential=ASIAWEB/");
}

#define METADATA                                                                                   \
    "{\"Code\": \"Success\", \"AccessKeyId\": \"ASIAMETA\", \"SecretAccessKey\": \"hush\", "       \
    "\"Token\": \"session\", \"Expiration\": \"" LATER "\"}"

static void test_container(void **state)
{
    struct aws_account *account = *state;

    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI",
           tt_printf(&account->arena, "http://127.0.0.1:%d/keys", account->server.port), 1);
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", keep(account, "token", "Bearer it\n"), 1);
    aws_account_say(account, 200, METADATA);
    opens(account);
    SAYS(scripted_request(&account->server, 0), "GET /keys ");
    SAYS(scripted_request(&account->server, 0), "\r\nauthorization: Bearer it\r\n");
    SAYS(look(account), "Credential=ASIAMETA/");
}

static void test_instance(void **state)
{
    struct aws_account *account = *state;

    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT",
           tt_printf(&account->arena, "http://127.0.0.1:%d", account->server.port), 1);
    aws_account_say(account, 200, "imds-token");
    aws_account_say(account, 200, "the-role\n");
    aws_account_say(account, 200, METADATA);
    opens(account);
    SAYS(scripted_request(&account->server, 0), "PUT /latest/api/token ");
    SAYS(scripted_request(&account->server, 0), "x-aws-ec2-metadata-token-ttl-seconds: 21600");
    SAYS(scripted_request(&account->server, 2), "/security-credentials/the-role ");
    SAYS(scripted_request(&account->server, 2), "x-aws-ec2-metadata-token: imds-token");
    SAYS(look(account), "Credential=ASIAMETA/");
}

static void test_nothing_is_said(void **state)
{
    struct aws_account *account = *state;

    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    refuses(account, "AWS_ACCESS_KEY_ID");
    account->account.endpoint = "file://here";
    refuses(account, "no http:// or https:// address");
}

static void test_a_key_is_renewed_in_time(void **state)
{
    struct aws_account *account = *state;

    set_profiles(account, "[default]\nrole_arn = r\nsource_profile = base\n",
                 "[base]\naws_access_key_id = AKIDBASE\naws_secret_access_key = hush\n");
    aws_account_say(account, 200, STS("AssumeRole", "ASIA1", LATER));
    opens(account);
    account->jumping.now += INT64_C(50) * 60 * 1000;
    SAYS(look(account), "Credential=ASIA1/");
    /* five minutes before its end; STS is out of order, and the key still holds */
    account->jumping.now += INT64_C(6) * 60 * 1000;
    aws_account_say(account, 403, "");
    aws_account_say(account, 200, zones);
    aws_account_say(account, 200, STS("AssumeRole", "ASIA2", "2026-11-23T09:00:00Z"));
    aws_account_say(account, 200, none);
    assert_int_equal(aws_account_look(account), 0);
    SAYS(scripted_request(&account->server, 4), "Credential=ASIA1/");
    SAYS(scripted_request(&account->server, 6), "Credential=ASIA2/");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, aws_account_begin, aws_account_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_environment),
        TEST(test_environment_with_a_prefix),
        TEST(test_file),
        TEST(test_broken_files_say_where),
        TEST(test_role_of_another_profile),
        TEST(test_role_of_its_own_keys),
        TEST(test_refused_role),
        TEST(test_profiles_that_lead_nowhere),
        TEST(test_process),
        TEST(test_web_identity),
        TEST(test_container),
        TEST(test_instance),
        TEST(test_nothing_is_said),
        TEST(test_a_key_is_renewed_in_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
