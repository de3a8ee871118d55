# shellcheck shell=bash
# ./dev mutate: whether the tests would notice if a rule of the planner were missing.

help_mutate() {
    cat <<'END'
usage: ./dev mutate [CASES [NAME...]]

Switches the rules of the planner off one at a time, in a copy of the sources, and prints which
scenario and which law on CASES (3000) generated cases notices. The rules are in
tests/mutate/mutants.txt; with NAMEs only these. Every one must be caught.
END
}

dev_mutate() {
    need build test
    tests/mutate/run.sh "$@"
}
