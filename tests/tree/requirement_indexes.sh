#!/usr/bin/env bash
# tests/scenarios/INDEX.md and tests/LOAD-BALANCERS.md say what shows each thing that is asked for:
# every name in them exists, every line of a list has one, and every scenario stands in the first.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

scenarios=tests/scenarios/INDEX.md
balancers=tests/LOAD-BALANCERS.md
failed=0

complain() {
    printf '%s\n' "$*"
    failed=1
}

mapfile -t tests < <(find tests -name 'test_*.c' -o -name 'test_*.sh')

# find_test NAME: sets files to those of the test program or script NAME, which may have its folder
# before it.
find_test() {
    local file

    files=()
    for file in "${tests[@]}"; do
        case $file in
        */"$1".c | */"$1".sh) files+=("$file") ;;
        esac
    done
}

# exists NAME, or NAME: WHAT, which then stands in the one file that is meant.
exists() {
    local name=${1%%: *}

    case $name in
    invalid/*)
        [ -d "tests/specs/$name" ]
        ;;
    test_* | */test_*)
        find_test "$name"
        [ "${#files[@]}" -eq 1 ] && { [ "$name" = "$1" ] || grep -qF -e "${1#*: }" "${files[0]}"; }
        ;;
    *)
        [ -f "tests/scenarios/$name/about.txt" ]
        ;;
    esac
}

# names INDEX: what stands between backticks in its lists.
# shellcheck disable=SC2016
names() {
    grep '^- ' "$1" | grep -o '`[^`]*`' | tr -d '`' | sort -u
}

for index in "$scenarios" "$balancers"; do
    while read -r line; do
        complain "$index: no name: $line"
    done < <(grep '^- ' "$index" | grep -v '`')
    while read -r name; do
        exists "$name" || complain "$index: there is no $name, or more than one"
    done < <(names "$index")
done
while read -r name; do
    complain "not in $scenarios: $name"
done < <(find tests/scenarios -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | sort |
    comm -23 - <(names "$scenarios"))
if [ "$failed" -eq 0 ]; then
    echo "ok - the indexes of what is asked for are whole"
else
    echo "not ok - the indexes of what is asked for are whole"
fi
exit "$failed"
