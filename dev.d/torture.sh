# shellcheck shell=bash
# ./dev torture: every call of many applies fails in every way.

help_torture() {
    cat <<'END'
usage: ./dev torture [NAME]
       ./dev torture --replay NAME WAY N

Some thirty applies (first starts, rolling updates, replaced balancers, zone swaps, stops, ...) on
the simulated cloud of ./dev simulate, each played again and again: its Nth call fails in each class
of error, loses its answer, is done by half, or is the last thing before or after which trimtab
crashes, for every N; each commit of the store likewise. The next run must lead to the desired
state, without a duplicate or a leak, and the one after it find nothing to do, while a referee holds
the laws. NAME: only this apply. Of a failure the names for --replay are printed, which shows it
step by step.
END
}

dev_torture() {
    need build test
    build_preset prove build-prove torture
    build-prove/torture "$@"
}
