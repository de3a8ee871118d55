# shellcheck shell=bash
# ./dev setup: every package that any other command needs.

help_setup() {
    cat <<'END'
usage: ./dev setup [openstack]

Installs the Debian packages of dev.d/packages.txt that are missing, as root or through sudo when
that needs no password. Otherwise it says what is missing and which command installs it. The other
commands do this by themselves for what they need. With openstack also what ./dev test brings up with
TRIMTAB_TEST_OPENSTACK=1.
END
}

dev_setup() {
    local more=()

    if [ "${1:-}" = openstack ]; then
        more=(openstack)
        shift
    fi
    no_arguments "$@"
    need build run test check "${more[@]}"
    say "everything is installed"
}
