#!/usr/bin/env bash
# The page over TLS: certificate and key from files, read again with SIGHUP as tokens are, and what
# is wrong with them told before anybody is locked out.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh" "$1"
# shellcheck source=tests/e2e/serve_lib.sh
. "$(dirname "$0")/serve_lib.sh"

# write_config TOKEN
write_config() {
    cat >"$config" <<END
repositories:
  - {name: fleet, url: "file://$bare", poll: 1h}
runs: {check: 1h}
web:
  port: 0
  certificate: $place/web.pem
  key: $place/web.key
  tokens:
    - {name: bob, sha256: $(digest "$1")}
END
}

# issue NAME SUBJECT DAYS: a certificate and its key.
issue() {
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$place/$1.key" -out "$place/$1.pem" \
        -subj "/CN=$2" -addext 'subjectAltName=IP:127.0.0.1' -days "$3" 2>/dev/null
    chmod 600 "$place/$1.key"
}

use() {
    cp "$place/$1.pem" "$place/web.pem"
    cp "$place/$2.key" "$place/web.key"
    chmod 600 "$place/web.key"
}

# get TOKEN CERTIFICATE [CURL OPTION...]: sets code to the status, 000 without one.
get() {
    local token=$1 certificate=$2

    shift 2
    code=$(curl -s --noproxy '*' -m 10 -o "$out" -D "$place/head" -w '%{http_code}' \
        --cacert "$place/$certificate.pem" -H "Authorization: Bearer $token" "$@" \
        "https://127.0.0.1:$port/api/v1/deployments" 2>"$err")
}

answers() {
    [ "$code" = "$1" ]
}

answers_to() {
    get "$1" "$2"
    answers 200
}

reload() {
    kill -HUP "$daemon"
}

# check_refused WHAT PATTERN: of serve --check.
check_refused() {
    tt serve --check --config "$config"
    check "$1 is refused" exits 1
    check "and told: $2" says "$2"
}

commit_sim_fleet 1
issue first first 2
issue second second 2
write_config first-token
check_refused "a certificate that is not there" "web.pem"
use first second
check_refused "a key of another certificate" "does not belong to the certificate"
cp "$place/first.key" "$place/web.pem"
check_refused "a file without a certificate" "holds no certificate in PEM"
use first first
openssl rsa -aes256 -passout pass:x -in "$place/first.key" -out "$place/web.key" 2>/dev/null
check_refused "a key with a password" "readable without a password"
use first first
chmod 644 "$place/web.key"
check_refused "a key that everybody can read" "chmod o-r"
use first first
tt serve --check --config "$config"
check "a pair is right" exits 0

serve
get first-token first
check "it answers over TLS" answers 200
check "and browsers are to stay with it" grep -qi '^strict-transport-security: max-age' "$place/head"
get first-token first --tls-max 1.1
check "not below TLS 1.2" answers 000
get first-token second
check "in the name of its certificate alone" answers 000
code=$(curl -s --noproxy '*' -m 5 -o "$out" -w '%{http_code}' "http://127.0.0.1:$port/healthz")
check "and to nobody without TLS" answers 000

# One that watches is let go in time, and comes back by itself as a browser does.
curl -sN --noproxy '*' -m 60 --cacert "$place/first.pem" -H 'Authorization: Bearer first-token' \
    "https://127.0.0.1:$port/api/v1/events" >/dev/null 2>&1 &
use second second
write_config second-token
reload
check "SIGHUP reads certificate and tokens again" eventually 10 answers_to second-token second
get first-token second
check "the old token is none any more" answers 401
get second-token first
check "the old certificate is gone" answers 000

use first second
reload
check "a pair that does not fit is told" eventually 10 logged 'does not belong to the certificate'
check "and leaves everything as it was" answers_to second-token second
check "as it says" logged 'the configuration stays as it was'

end_serve
finish
