# shellcheck shell=bash
# ./dev demo: examples/quickstart, lived through.

help_demo() {
    cat <<'END'
usage: ./dev demo

Builds the program, makes a Git repository of examples/quickstart in a temporary folder, and shows
the whole job on this host: plan, apply, requests through a real HAProxy, a killed balancer, drift,
repair, scaling, stopping. It leaves nothing behind and ends with an error at any surprise.
END
}

dev_demo() {
    no_arguments "$@"
    need build run
    build_preset release build trimtab
    examples/quickstart/demo.sh "$PWD/build/trimtab"
}
