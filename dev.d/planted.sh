# shellcheck shell=bash
# ./dev planted: whether the simulation would find bugs of apply.

help_planted() {
    cat <<'END'
usage: ./dev planted [COUNT [NAME...]]

Plants one bug after the other in a copy of the sources (a skipped journal write, a delete before
the withdraw, a lock that is ignored, ...) and plays COUNT (20000) histories with each, or as many as
it takes to find it: the lowest seed that fails is printed with the law that was broken. The bugs are
in tests/simulate/planted.sh; with NAMEs only these. Every one must be found.
END
}

dev_planted() {
    need build test
    tests/simulate/planted.sh "$@"
}
