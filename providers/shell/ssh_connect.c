/*
 * Connect: from an address to a session that may run commands. Nothing is read from the user's own
 * SSH configuration: what is not in the Account does not count.
 */
#include <stdio.h>

#include "base/str.h"
#include "providers/shell/ssh_session.h"

static void set_time(ssh_session session, tt_time timeout)
{
    long seconds = (long)(timeout / 1000), rest = (long)(timeout % 1000) * 1000;

    ssh_options_set(session, SSH_OPTIONS_TIMEOUT, &seconds);
    ssh_options_set(session, SSH_OPTIONS_TIMEOUT_USEC, &rest);
}

static int set_options(ssh_session session, const struct tt_ssh_place *place, struct tt_error *err)
{
    TT_BUF_AUTO algorithms = {0};
    bool no = false;
    int yes = 1;

    if (tt_ssh_host_key_algorithms(place, &algorithms, err) < 0)
        return -1;
    set_time(session, place->timeout);
    if (ssh_options_set(session, SSH_OPTIONS_PROCESS_CONFIG, &no) < 0 ||
        ssh_options_set(session, SSH_OPTIONS_HOST, place->address) < 0 ||
        ssh_options_set(session, SSH_OPTIONS_PORT, &place->port) < 0 ||
        ssh_options_set(session, SSH_OPTIONS_USER, place->user) < 0 ||
        ssh_options_set(session, SSH_OPTIONS_NODELAY, &yes) < 0 ||
        ssh_options_set(session, SSH_OPTIONS_KNOWNHOSTS, "/dev/null") < 0 ||
        ssh_options_set(session, SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null") < 0 ||
        ssh_options_set(session, SSH_OPTIONS_HOSTKEYS, tt_buf_text(&algorithms)) < 0)
        return tt_fail(err, TT_ERR_SPEC, "cannot connect to %s as %s: %s", place->address,
                       place->user, ssh_get_error(session));
    return 0;
}

static int read_key(const struct tt_ssh_place *place, ssh_key *ret_key, struct tt_error *err)
{
    switch (ssh_pki_import_privkey_file(place->key, NULL, NULL, NULL, ret_key)) {
    case SSH_OK:
        return 0;
    case SSH_EOF:
        return tt_fail(err, TT_ERR_SPEC,
                       "cannot read the key %s: it does not exist, or is not ours "
                       "to read",
                       place->key);
    default:
        return tt_fail(
            err, TT_ERR_SPEC,
            "%s is not a private key that can be used without a passphrase: load it into "
            "an SSH agent, and leave out the Account's ssh.key",
            place->key);
    }
}

static int offer_keys(ssh_session session, const struct tt_ssh_place *place, int *ret_answer,
                      struct tt_error *err)
{
    ssh_key key = NULL;

    if (!place->key) {
        *ret_answer = ssh_userauth_publickey_auto(session, NULL, NULL);
        return 0;
    }
    if (read_key(place, &key, err) < 0)
        return -1;
    *ret_answer = ssh_userauth_publickey(session, NULL, key);
    ssh_key_free(key);
    return 0;
}

static int prove(ssh_session session, const struct tt_ssh_place *place, struct tt_error *err)
{
    int answer = SSH_AUTH_ERROR;

    if (offer_keys(session, place, &answer, err) < 0)
        return -1;
    if (answer == SSH_AUTH_SUCCESS)
        return 0;
    if (answer == SSH_AUTH_AGAIN)
        return tt_fail(err, TT_ERR_UNAVAILABLE, "%s port %d did not let user %s in in time",
                       place->address, place->port, place->user);
    if (answer == SSH_AUTH_ERROR && !ssh_is_connected(session))
        return tt_fail(err, TT_ERR_UNAVAILABLE, "%s port %d ended the connection: %s",
                       place->address, place->port, ssh_get_error(session));
    tt_fail(err, TT_ERR_DENIED,
            "%s port %d refuses user %s with %s: put the public key into that user's "
            "authorized_keys, or name another user or key under the Account's ssh",
            place->address, place->port, place->user,
            place->key ? place->key : "the keys of the SSH agent and of ~/.ssh");
    if (err)
        snprintf(err->code, sizeof(err->code), "auth-refused");
    return -1;
}

int tt_ssh_connect(const struct tt_ssh_place *place, ssh_session *ret_session, struct tt_error *err)
{
    ssh_session session = ssh_new();
    int result = -1;

    if (!session)
        return tt_fail(err, TT_ERR_INTERNAL, "no memory for an SSH session");
    if (set_options(session, place, err) == 0) {
        if (ssh_connect(session) != SSH_OK)
            tt_fail(err, TT_ERR_UNAVAILABLE, "cannot connect to %s port %d: %s", place->address,
                    place->port, ssh_get_error(session));
        else if (tt_ssh_check_host_key(place, session, err) == 0)
            result = prove(session, place, err);
    }
    if (result < 0) {
        ssh_disconnect(session);
        ssh_free(session);
        return -1;
    }
    *ret_session = session;
    return 0;
}
