# shellcheck shell=bash
# ./dev setup: every package that any other command needs.

help_setup() {
    cat <<'END'
usage: ./dev setup

Installs the Debian packages of dev.d/packages.txt that are missing, as root or through sudo when
that needs no password. Otherwise it says what is missing and which command installs it. The other
commands do this by themselves for what they need.
END
}

dev_setup() {
    no_arguments "$@"
    need build run test check
    say "everything is installed"
}
