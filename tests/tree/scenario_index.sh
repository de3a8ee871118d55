#!/usr/bin/env bash
# tests/scenarios/INDEX.md says which scenario shows which sentence of the contract: every name in it
# exists, every line of a list has one, and every scenario stands in it.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

index=tests/scenarios/INDEX.md
failed=0

complain() {
    printf '%s\n' "$*"
    failed=1
}

exists() {
    case $1 in
    invalid/*)
        [ -d "tests/specs/$1" ]
        ;;
    test_*)
        compgen -G "tests/*/$1.c" >/dev/null
        ;;
    *)
        [ -f "tests/scenarios/$1/about.txt" ]
        ;;
    esac
}

# shellcheck disable=SC2016
names() {
    grep '^- ' "$index" | grep -o '`[^`]*`' | tr -d '`' | sort -u
}

while read -r line; do
    complain "no name: $line"
done < <(grep '^- ' "$index" | grep -v '`')
while read -r name; do
    exists "$name" || complain "there is no $name"
done < <(names)
while read -r name; do
    complain "not in the index: $name"
done < <(find tests/scenarios -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | sort | comm -23 - <(names))
if [ "$failed" -eq 0 ]; then
    echo "ok - the index of the scenarios is whole"
else
    echo "not ok - the index of the scenarios is whole"
fi
exit "$failed"
