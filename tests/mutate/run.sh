#!/usr/bin/env bash
# Applies the mutants of mutants.txt one at a time in a copy of the sources, and shows what catches
# each: scenarios, then a law on CASES generated cases, then the tests that compare with exhaustive
# search. A mutant that nothing catches, or whose rule no longer fits, is a failure.
# Usage: run.sh [CASES [NAME...]]
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

cases=${1:-3000}
[ $# -gt 0 ] && shift
wanted=("$@")
searches='test_moves test_zones test_order test_floor test_closure'
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -r CMakeLists.txt CMakePresets.json base bench model providers reconciler serve specs tests "$copy/" || exit 1
cd "$copy" || exit 1

build() {
    # shellcheck disable=SC2086 # a list of targets
    ninja -C build-prove test_scenarios prove $searches >build.log 2>&1
}

# caught_by_scenarios: "zone-violation and 12 more"; nothing when every scenario passes. One that
# crashes or hangs has been caught as well.
caught_by_scenarios() {
    local code=0

    timeout 120 build-prove/test_scenarios >scenarios.log 2>&1 || code=$?
    [ "$code" -ne 0 ] || return 0
    awk -F: '
        /^[a-z0-9-]+: / && !/^trimtab/ { if (!count++) first = $1 }
        END {
            if (!count) print "scenarios end early"
            else if (count == 1) print first
            else printf "%s and %d more\n", first, count - 1
        }' scenarios.log
}

# caught_by_laws: "law 3: ..." of the first case that breaks one.
caught_by_laws() {
    timeout 120 build-prove/prove "$cases" 1 >laws.log 2>&1 && return
    grep -m 1 -E '^seed [0-9]+: ' laws.log | cut -c 1-60 || echo "laws end early"
}

caught_by_searches() {
    local name

    for name in $searches; do
        timeout 120 "build-prove/$name" >search.log 2>&1 || printf '%s ' "$name"
    done
}

if ! cmake --preset prove -DCMAKE_C_FLAGS_RELEASE=-O1 >build.log 2>&1 || ! build; then
    cat build.log
    exit 1
fi
if [ -n "$(caught_by_scenarios)$(caught_by_laws)$(caught_by_searches)" ]; then
    echo "the sources fail as they are: see ./dev test and ./dev prove"
    exit 1
fi

missed=0
count=0
while read -r name file rule; do
    [[ $name == [a-z]* ]] || continue
    [ ${#wanted[@]} -eq 0 ] || [[ " ${wanted[*]} " == *" $name "* ]] || continue
    file=reconciler/planner/$file
    cp "$file" kept
    sed -i "$rule" "$file"
    count=$((count + 1))
    if cmp -s kept "$file"; then
        printf '%-34s the rule no longer fits %s\n' "$name" "$file"
        missed=$((missed + 1))
    elif ! build; then
        printf '%-34s does not build: %s\n' "$name" "$(grep -m 1 'error' build.log)"
        missed=$((missed + 1))
    else
        scenarios=$(caught_by_scenarios)
        laws=$(caught_by_laws)
        searches_found=
        [ -n "$scenarios$laws" ] || searches_found=$(caught_by_searches)
        printf '%-34s %-42s %s%s\n' "$name" "${scenarios:--}" "${laws:--}" "${searches_found:+ $searches_found}"
        if [ -z "$scenarios$laws$searches_found" ]; then
            printf '%-34s SURVIVES\n' "$name"
            missed=$((missed + 1))
        fi
    fi
    cp kept "$file"
done <tests/mutate/mutants.txt
printf '%d mutants, %d not caught\n' "$count" "$missed"
[ "$missed" -eq 0 ]
