# shellcheck shell=bash
# ./dev prove: the planner's laws on generated cases.

help_prove() {
    cat <<'END'
usage: ./dev prove [CASES] [--seed SEED] [--seconds SECONDS]

Plans CASES (200000) generated fleets, from the one of SEED (1) on, on all cores with the optimised
build, carries the plans out in random orders with failing steps, and holds each to every law that
planning can show (tests/reconciler/support/laws.h lists them). With --seconds it ends after so many
seconds: without CASES that is all, with CASES it fails when some are missing then. Progress is
printed; of failures the seeds, and the first of them as a small case. Run one seed again with:
./dev prove 1 --seed SEED
END
}

dev_prove() {
    local cases='' seed=1 seconds=0

    while [ $# -gt 0 ]; do
        case $1 in
        --seed | -seed) seed=${2:?--seed needs a number} && shift ;;
        --seconds | -seconds) seconds=${2:?--seconds needs a number} && shift ;;
        -*) die "there is no option $1 (see --help)" ;;
        *)
            [ -z "$cases" ] || die "unexpected argument $1 (see --help)"
            cases=$1
            ;;
        esac
        shift
    done
    need build test
    build_preset prove build-prove prove
    [ -n "$cases" ] || cases=$([ "$seconds" = 0 ] && echo 200000 || echo 0)
    build-prove/prove "$cases" "$seed" "$seconds"
}
