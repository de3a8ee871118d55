/*
 * Verify: whether a commit is signed by a key that may sign. The keys are files outside of Git, so
 * that no commit decides who may sign it.
 */
#ifndef TT_RECONCILER_VERIFY_H
#define TT_RECONCILER_VERIFY_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"

/* Files with absolute paths; NULL: none. */
struct tt_verify_keys {
    const char *ssh;     /* ssh-keygen's ALLOWED SIGNERS */
    const char *revoked; /* SSH keys that may not sign any more: public keys, or a KRL */
    const char *gpg;     /* a keyring as gpg --export writes it */
};

static inline bool tt_verify_is_set(const struct tt_verify_keys *keys)
{
    return keys->ssh || keys->gpg;
}

/* The keys as they are now, at this moment: one that has expired since it signed counts no more.
 * RET_SIGNER (ARENA): who it was, "ann@example.com". Errors: DENIED, which says what is wrong with
 * the signature and what to do; NOT_FOUND (commit, file of keys, ssh-keygen or gpgv); TIMEOUT. */
int tt_verify_commit(struct tt_arena *arena, const char *repository, const char *revision,
                     const struct tt_verify_keys *keys, const char **ret_signer,
                     struct tt_error *err);

#endif
