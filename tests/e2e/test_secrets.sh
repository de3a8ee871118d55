#!/usr/bin/env bash
# Secrets that were pasted into an Account, in every way that people paste: no command may repeat a
# part of them, on a terminal, as text or as JSON, and each must refuse.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh" "$1"

mkdir -p "$repo"
git -C "$repo" init -q -b main
random() { head -c "$1" /dev/urandom | base64 -w 70; }
body=$(random 250)
private="-----BEGIN OPENSSH PRIVATE KEY-----
$body
-----END OPENSSH PRIVATE KEY-----"
word=aB3$(random 60 | tr -d '\n' | cut -c1-50 | tr '/' x)
one_line=$(printf '%s' "$private" | tr '\n' ' ')

# indented SPACES TEXT
indented() { printf '%s\n' "$2" | sed "s/^/$1/"; }

# repeats_nothing: no 12 characters of a line of a secret are in what the last command wrote.
repeats_nothing() {
    cat "$out" "$err" >"$place/all"
    printf '%s\n%s\n' "$body" "$word" | python3 -c '
import sys
told = open(sys.argv[1], errors="replace").read()
secrets = sys.stdin.read().split()
bad = [s for s in secrets for i in range(max(1, len(s) - 12)) if s[i:i + 12] in told]
sys.exit(1 if bad else 0)' "$place/all"
}

# pasted WHAT <SPEC: the rest of the spec of an Account of provider ssh
pasted() {
    local how=$1 command

    {
        printf 'apiVersion: trimtab/v1\nkind: Account\nmetadata: {name: metal}\nspec:\n'
        printf '  provider: ssh\n  regions: [cellar]\n'
        cat
    } >"$repo/account.yaml"
    commit "$how"
    for command in validate "plan --json" status; do
        # shellcheck disable=SC2086 # words
        tt $command
        check "$how: $command repeats nothing" repeats_nothing
        [ "$command" != validate ] || check "$how: validate refuses" exits 1
    done
}

pasted "a block" <<<"  ssh:
    key: |
$(indented '      ' "$private")"
pasted "a folded block of another key" <<<"  ssh:
    knownHosts: >-
$(indented '      ' "$private")"
pasted "plain lines" <<<"  ssh:
    key:
$(indented '      ' "$private")"
pasted "plain lines without the armor" <<<"  ssh:
    key:
$(indented '      ' "$body")"
pasted "one line in quotes" <<<"  ssh: {user: root, key: \"$one_line\", sise: 3}"
pasted "a body alone" <<<"  ssh: {key: $word}"
pasted "a wrong indentation" <<<"  ssh:
    key: |
$(indented '   ' "$private")"
pasted "quotes that do not end" <<<"  ssh:
    key: \"$private"
pasted "in the place of the mapping" <<<"  ssh: $word"
pasted "as a key" <<<"  ssh: {$word: yes}"
pasted "under another name" <<<"  ssh: {privateKey: \"$one_line\"}"
pasted "as a user and as a port" <<<"  ssh: {user: \"$one_line\", port: $word}"
pasted "credentials as a profile" <<<"  credentials: {profile: $word}"
pasted "credentials as a prefix" <<<"  credentials:
    env: $word"
pasted "credentials as a short prefix" <<<"  credentials:
    env: ${word:0:16}!"
pasted "credentials as a file" <<<"  credentials:
    file: >
      $word"
pasted "credentials in two places" <<<"  credentials: {file: ${word:0:20}, profile: ${word:0:18}}"
pasted "credentials as they are" <<<"  credentials: $word"
pasted "a password in the endpoint" <<<"  endpoint: https://joe:$word@cloud.example/"

# A path that leads to what no key is: the file's text must not be told either.
printf '%s\n' "$body" >"$place/broken"
cat >"$repo/account.yaml" <<END
apiVersion: trimtab/v1
kind: Account
metadata: {name: metal}
spec:
  provider: ssh
  regions: [cellar]
  ssh: {key: $place/broken, knownHosts: $place/known_hosts}
---
apiVersion: trimtab/v1
kind: Deployment
metadata: {name: shop}
spec: {state: running}
---
apiVersion: trimtab/v1
kind: LoadBalancer
metadata: {name: edge}
spec: {deployment: shop, type: vm-static, scope: global, account: metal, region: cellar,
       machine: 127.0.0.1}
END
commit "a broken key"
tt plan
check "a broken key file: plan repeats nothing" repeats_nothing
finish
