/*
 * Credentials: the key that requests of an account are signed with, found where AWS's own tools
 * find theirs, and renewed before it expires. No part of one but its id is ever printed.
 *
 *     {env: PREFIX}    PREFIX_ACCESS_KEY_ID, PREFIX_SECRET_ACCESS_KEY, PREFIX_SESSION_TOKEN
 *     {file: PATH}     the default profile of that credentials file
 *     {profile: NAME}  of ~/.aws/config and ~/.aws/credentials (AWS_CONFIG_FILE,
 *                      AWS_SHARED_CREDENTIALS_FILE): keys, role_arn with source_profile or
 *                      credential_source, web_identity_token_file, credential_process
 *     nothing          AWS_ACCESS_KEY_ID ..., AWS_WEB_IDENTITY_TOKEN_FILE with AWS_ROLE_ARN,
 *                      AWS_PROFILE or default, the container's, the machine's own (IMDSv2)
 */
#ifndef TT_PROVIDERS_AWS_CREDENTIALS_H
#define TT_PROVIDERS_AWS_CREDENTIALS_H

#include "providers/aws/sigv4.h"
#include "providers/provider.h"

struct tt_aws_credentials;

/* Finds the source and fetches from it once. HTTP, SETTINGS and CLOCK are borrowed until the end.
 * ENDPOINT is where STS is asked; NULL: AWS's own. Errors: SPEC (nothing found, a file that is
 * wrong), DENIED (the role is not given) and those of fetching. */
int tt_aws_credentials_open(struct tt_arena *arena, const struct tt_provider_settings *settings,
                            struct tt_http *http, struct tt_aws_credentials **ret_credentials,
                            struct tt_error *err);
void tt_aws_credentials_free(struct tt_aws_credentials *credentials);

/* The key of now, copied into ARENA; fetched anew when it is about to expire. */
int tt_aws_credentials_get(struct tt_aws_credentials *credentials, struct tt_arena *arena,
                           struct tt_aws_key *ret_key, struct tt_error *err);

/* AWS says that the key with this ID has expired: true when another one can be fetched. */
bool tt_aws_credentials_expire(struct tt_aws_credentials *credentials, const char *id);

#endif
