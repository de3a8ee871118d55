# shellcheck shell=bash
# ./dev simulate: whole lives of fleets on a simulated cloud, from seeds.

help_simulate() {
    cat <<'END'
usage: ./dev simulate [COUNT] [--seed SEED] [--seconds SECONDS]
       ./dev simulate --replay SEED

Plays COUNT (20000) histories, from the one of SEED (1) on, on all cores with the optimised build:
commits and runs of the real planner, apply and store on a virtual clock and a simulated cloud that
throttles, loses answers, shows things late, loses machines and is changed by people, with crashes
of trimtab at any call. Each is held to the laws by a referee (tests/simulate/referee.c). With
--seconds it ends after so many seconds: without COUNT that is all, with COUNT it fails when histories
are missing then. Of a failure it prints the seed and a shrunk story; --replay shows one history step
by step.
END
}

dev_simulate() {
    local count='' seed=1 seconds=0 replay=''

    while [ $# -gt 0 ]; do
        case $1 in
        --seed | -seed) seed=${2:?--seed needs a number} && shift ;;
        --seconds | -seconds) seconds=${2:?--seconds needs a number} && shift ;;
        --replay | -replay) replay=${2:?--replay needs a seed} && shift ;;
        -*) die "there is no option $1 (see --help)" ;;
        *)
            [ -z "$count" ] || die "unexpected argument $1 (see --help)"
            count=$1
            ;;
        esac
        shift
    done
    need build test
    build_preset prove build-prove simulate
    if [ -n "$replay" ]; then
        build-prove/simulate --replay "$replay"
    else
        [ -n "$count" ] || count=$([ "$seconds" = 0 ] && echo 20000 || echo 0)
        build-prove/simulate "$count" "$seed" "$seconds"
    fi
}
