# shellcheck shell=bash
# ./dev build: the optimised program.

help_build() {
    cat <<'END'
usage: ./dev build

Builds the optimised program and leaves it at build/trimtab.
END
}

dev_build() {
    no_arguments "$@"
    need build
    build_preset release build trimtab
    say "build/trimtab is ready: $(build/trimtab version)"
}
