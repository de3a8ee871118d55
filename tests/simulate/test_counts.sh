#!/usr/bin/env bash
# simulate and prove owe the number they are asked for: when the time is over before, they say how
# many are missing and fail. As many as fit is what 0 asks for.
set -uo pipefail
build=$1
failures=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT

# ends CODE WORDS PROGRAM ARGUMENT...: how it ends, and a pattern of what it says.
ends() {
    local wanted=$1 words=$2 code=0

    shift 2
    "$build/$1" "${@:2}" >"$out" 2>&1 || code=$?
    if [ "$code" -eq "$wanted" ] && grep -qE "$words" "$out"; then
        printf 'ok - %s\n' "$*"
        return
    fi
    printf 'not ok - %s: ended with %s\n' "$*" "$code"
    cat "$out"
    failures=$((failures + 1))
}

ends 0 '^20 histories from seed 5 .* 0 failed$' simulate 20 5
ends 1 '^[0-9]+ histories are missing$' simulate 10000000 1 1
ends 0 '^[1-9][0-9]* histories from seed 1 .* 0 failed$' simulate 0 1 1
ends 0 '^16 histories from seed 1 .* 0 failed$' simulate --first 16
ends 2 '^usage: ' simulate 0
ends 2 '^usage: ' simulate 10 1 soon
ends 0 '^20 cases from seed 5 .* 0 failed$' prove 20 5
ends 1 '^[0-9]+ cases are missing$' prove 1000000000 1 1
ends 0 '^[1-9][0-9]* cases from seed 1 .* 0 failed$' prove 0 1 1
ends 1 'how many' prove 0
[ "$failures" -eq 0 ]
