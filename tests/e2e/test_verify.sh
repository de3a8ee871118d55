#!/usr/bin/env bash
# Only commits that an allowed key signed: a gate refuses all others with the reason, the daemon
# follows none of them and keeps to what it followed before, over a restart, too.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh" "$1"

bare=$place/fleet.git
config=$place/serve.yaml
log=$place/log
keys=$place/keys
export GNUPGHOME=$place/gnupg

push() {
    code=0
    (cd "$repo" && exec timeout -k 5 60 git push "$bare" main) >"$out" 2>"$err" </dev/null || code=$?
}

# sign_ssh KEY, sign_gpg WHO [GPG OPTION...]: the newest commit anew.
sign_ssh() {
    git -C "$repo" -c gpg.format=ssh -c user.signingkey="$keys/$1" commit -q --amend -S --no-edit
}
sign_gpg() {
    local who=$1

    shift
    printf '#!/bin/sh\nexec gpg --batch %s "$@"\n' "$*" >"$place/gpg"
    chmod +x "$place/gpg"
    git -C "$repo" -c gpg.program="$place/gpg" -c user.signingkey="$who@example.com" \
        commit -q --amend -S --no-edit
}

# tamper: a word more in the message of the newest commit, under the same signature.
tamper() {
    git -C "$repo" cat-file commit HEAD | sed '$s/$/ and more/' >"$place/tampered"
    git -C "$repo" update-ref refs/heads/main \
        "$(git -C "$repo" hash-object -t commit -w "$place/tampered")"
}

# refused WHAT WORDS: the push of the newest commit.
refused() {
    push
    check "$1 is refused" exits 1
    check "and the reason is told" says "$2"
    check "and it is not there" [ "$(git -C "$bare" rev-parse main)" != "$(git -C "$repo" rev-parse main)" ]
}

logged() {
    grep -qE -- "$1" "$log"
}

serve() {
    "$trimtab" serve --config "$config" 2>>"$log" </dev/null &
    daemon=$!
}

stop_serving() {
    kill -TERM "$daemon"
    wait "$daemon"
}

# Keys: Ann's is good, Bob's expired, Cid's revoked, Dan's unknown.
mkdir -p "$keys"
mkdir -m 700 "$GNUPGHOME"
trap 'gpgconf --kill all; gpgconf --homedir "$place/before" --kill all; clean_up' EXIT
for who in ann bob cid dan; do
    ssh-keygen -q -t ed25519 -N '' -C "$who" -f "$keys/$who"
done
{
    printf 'ann@example.com %s\n' "$(cat "$keys/ann.pub")"
    printf 'bob@example.com valid-before="20200101" %s\n' "$(cat "$keys/bob.pub")"
    printf 'cid@example.com %s\n' "$(cat "$keys/cid.pub")"
} >"$keys/signers"
cp "$keys/cid.pub" "$keys/revoked"
for who in ann cid dan; do
    gpg --batch --quiet --passphrase '' --quick-gen-key "$who@example.com" ed25519 sign never
done 2>/dev/null
gpg --batch --quiet --passphrase '' --faked-system-time 20200101T000000 \
    --quick-gen-key bob@example.com ed25519 sign 2020-02-01 2>/dev/null
cp -a "$GNUPGHOME" "$place/before" 2>/dev/null # where Cid can still sign
print=$(gpg --list-keys --with-colons cid@example.com 2>/dev/null | awk -F: '/^fpr/ { print $10; exit }')
sed 's/^:-----/-----/' "$GNUPGHOME/openpgp-revocs.d/$print.rev" | gpg --batch --quiet --import 2>/dev/null
gpg --batch --export ann@example.com bob@example.com cid@example.com >"$keys/keyring" 2>/dev/null

# The gate.
git init -q --bare -b main "$bare"
commit_sim 2
git -C "$repo" push -q "$bare" main
tt hook install "$bare" --gate --revoked "$keys/revoked"
check "revoked keys alone are no keys" says 'name these, too'
tt hook install "$bare" --gate --signers "$keys/none"
check "a file that is not there is told" says 'cannot find .*keys/none'
tt hook install "$bare" --gate --policy apply --signers "$keys/signers" --revoked "$keys/revoked" \
    --keyring "$keys/keyring"
check "the hooks are installed" exits 0
commit_sim 3
refused "a commit that nobody signed" 'the push is refused: commit [0-9a-f]{12} is not signed: git commit --amend -S'
sign_ssh dan
refused "one of an unknown SSH key" 'is signed by the SSH key SHA256:.*, which .*/signers does not allow'
sign_ssh bob
refused "one of an SSH key that has expired" 'does not allow, or not now'
sign_ssh cid
refused "one of a revoked SSH key" 'signed by a key of cid@example.com that is revoked'
sign_ssh ann
tamper
refused "one that was changed after it was signed" 'its signature does not fit its content'
sign_gpg dan
refused "one of an unknown GPG key" 'is signed by the GPG key [0-9A-F]{16}, which is not in .*/keyring'
sign_gpg bob --faked-system-time 20200110T000000
refused "one of a GPG key that has expired" 'a GPG key that has expired'
sign_gpg cid --homedir "$place/before"
refused "one of a revoked GPG key" 'a GPG key that is revoked'
sign_gpg ann
tamper
refused "with GPG, too, one that was changed" 'its signature does not fit its content'
git -C "$repo" commit -q --amend -m 'signed at last'
sign_gpg ann
push
check "one of an allowed GPG key is taken" exits 0
check "and applied" says 'Apply: 3 done'
check "and who signed is said" says 'is signed by ann@example.com'
commit_sim 4
sign_ssh ann
push
check "so is one of an allowed SSH key" says 'Apply: 1 done'

# The daemon, on a repository that has no gate.
tt hook uninstall "$bare"
cat >"$config" <<END
repositories:
  - name: fleet
    url: $bare
    poll: 500ms
    verifyCommits: {ssh: $keys/signers, revoked: $keys/revoked}
END
sed 's/verifyCommits.*/verifyCommits: {}/' "$config" >"$place/bad.yaml"
tt serve --check --config "$place/bad.yaml"
check "no keys are no keys" says 'verifyCommits names the keys that may sign'
sed 's/verifyCommits.*/verifyCommits: {ssh: signers}/' "$config" >"$place/bad.yaml"
tt serve --check --config "$place/bad.yaml"
check "their file has an absolute path" says 'bad.yaml:5:.*absolute path'
: >"$log"
serve
check "what is signed is followed" eventually 20 logged 'at [0-9a-f]{12}: 1 deployment'
check "and applied" eventually 20 logged 'apply of [0-9a-f]*: '
commit_sim 5
unsigned=$(git -C "$repo" rev-parse --short=12 HEAD)
push
check "what is not signed is told" eventually 10 logged "commit $unsigned is not signed"
sign_gpg ann
git -C "$repo" push -q --force "$bare" main
check "so is a signature of another kind" eventually 10 logged 'has a GPG signature, and only SSH keys are allowed'
sleep 1
check "once" [ "$(grep -c 'GPG signature, and only' "$log")" -eq 1 ]
stop_serving
: >"$log"
serve
check "after a restart what was followed before goes on to hold" eventually 10 logged 'goes on to hold'
check "and is read" eventually 10 logged 'at [0-9a-f]{12}: 1 deployment'
check "and nothing of the other is applied" [ "$(status 'len(d["deployments"][0]["services"][0]["servers"])')" = 4 ]
sign_ssh ann
git -C "$repo" push -q --force "$bare" main
check "signed, it is applied" eventually 20 logged "apply of $(git -C "$repo" rev-parse --short=12 HEAD): done"
check "and who signed is logged" logged 'is signed by ann@example.com'
stop_serving
[ "$failures" -eq 0 ] || sed 's/^/  log: /' "$log" | tail -n 40
finish
