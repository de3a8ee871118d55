/*
 * Login: who we are to Keystone and where it is, as the environment or clouds.yaml says.
 */
#ifndef TT_OPENSTACK_LOGIN_H
#define TT_OPENSTACK_LOGIN_H

#include <jansson.h>

#include "providers/provider.h"

/* NULL: not given. The names are those of clouds.yaml and, in capitals behind OS_, of the
 * environment. */
struct tt_openstack_login {
    const char *auth_url; /* ends in /v3 */
    const char *auth_type;
    const char *username, *user_id, *password, *user_domain_name, *user_domain_id;
    const char *project_name, *project_id, *project_domain_name, *project_domain_id;
    const char *application_credential_id, *application_credential_name;
    const char *application_credential_secret;
    const char *token;
    const char *interface; /* of endpoints: "public" unless given */
    const char *cacert;
    const char *allow_http; /* "true": secrets may be sent over plain http */
};

/* By the Account's credentials: a cloud of clouds.yaml (`profile`), that file elsewhere (`file`),
 * or the environment. Everything lives in ARENA. Errors: SPEC, NOT_FOUND; no secret is quoted. */
int tt_openstack_find_login(const struct tt_provider_settings *settings, struct tt_arena *arena,
                            struct tt_openstack_login *ret_login, struct tt_error *err);

/* Whether a secret may be sent to URL: by https, to this host, or where the login allows it. */
bool tt_openstack_is_safe(const struct tt_openstack_login *login, const char *url);

/* Whether URL is of this host, which no proxy is asked for. */
bool tt_openstack_is_here(const char *url);

/* The body of POST /v3/auth/tokens; the caller owns it. */
json_t *tt_openstack_login_body(const struct tt_openstack_login *login);

#endif
