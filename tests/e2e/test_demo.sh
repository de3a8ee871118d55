#!/usr/bin/env bash
# The demo that newcomers run first must not rot.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh" "$1"

code=0
"$here/examples/quickstart/demo.sh" "$trimtab" >"$out" 2>"$err" </dev/null || code=$?
check "the demo comes to its end" exits 0
check "with the requests spread over five" says 'hello from quickstart-web-4'
check "and nothing left" says '^0 processes and 0 machine folders are left'
finish
